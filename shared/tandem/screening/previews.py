"""What a change would do to a record, shown before anybody makes it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from tandem.ids import DecisionId, UserId
from tandem.reviews.service import Viewer
from tandem.screening.blinding.view import DONE, preview_is_open
from tandem.screening.ledger.loading import load
from tandem.screening.ledger.state import RecordKey, RecordState
from tandem.screening.models import ConflictState
from tandem.screening.rules import Status

Turn = Literal["opened", "resolved", "reopened"]


@dataclass(frozen=True, slots=True)
class Preview:
    """What would become of a record and its conflict, as far as it is this person's to know.

    `n_others_touched` counts other people whose present decision would be another one.
    """

    status_before: str
    status_after: str
    conflict: Turn | None
    n_others_touched: int


def preview(
    session: Session, *, viewer: Viewer, key: RecordKey, act: Callable[[], object]
) -> Preview:
    """Do it, see what came of it, and undo it.

    The truth is for those to whom the record's status is open by now. To the others nothing of
    the answer depends on how anybody else voted: before they decide, or while the record is
    open, they could else learn the others' verdicts by trying their own. So could those who see
    every status but not the votes.

    Raises:
        TandemError: What `act` raises, as if it were done.
    """
    session.flush()
    before, savepoint = load(session, key), session.begin_nested()
    act()
    session.flush()
    after = load(session, key)
    # Read before the savepoint ends, which takes what was added with it.
    had, has = _votes(before), _votes(after)
    savepoint.rollback()
    me = viewer.user_id
    touched = sum(had.get(one) != has.get(one) for one in (had.keys() | has.keys()) - {me})
    if preview_is_open(viewer, before, changes_own_vote=had.get(me) != has.get(me)):
        return Preview(before.status, after.status, _turn(before, after), touched)
    shown = {True: DONE, False: Status.UNSCREENED.value}
    return Preview(shown[me in had], shown[me in has], None, touched)


def _votes(state: RecordState) -> dict[UserId, DecisionId]:
    return {by: vote.id for by, vote in state.votes.items()}


def _turn(before: RecordState, after: RecordState) -> Turn | None:
    if before.conflict_state == after.conflict_state:
        return None
    if after.conflict_state is ConflictState.RESOLVED:
        return "resolved"
    return "opened" if before.conflict_state is None else "reopened"
