"""What a change would do to a record, shown before anybody makes it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from tandem.ids import DecisionId, UserId
from tandem.reviews.service import Viewer
from tandem.screening import ledger
from tandem.screening.ledger import Place
from tandem.screening.models import ConflictState
from tandem.screening.rules import Status
from tandem.screening.visibility import DONE, hides_votes, status_is_open

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


@dataclass(frozen=True, slots=True)
class _Now:
    status: Status
    conflict: ConflictState | None
    votes: dict[UserId, DecisionId]

    @classmethod
    def of(cls, session: Session, place: Place) -> "_Now":
        session.flush()
        conflict = ledger.conflict_at(session, place)
        present = ledger.present_decisions(session, place)
        return cls(
            ledger.status(session, place),
            None if conflict is None else conflict.state,
            {reviewer_id: decision.id for reviewer_id, decision in present.items()},
        )


def preview(
    session: Session, *, viewer: Viewer, place: Place, act: Callable[[], object]
) -> Preview:
    """Do it, see what came of it, and undo it.

    The truth is for those to whom the record's status is open by now. To the others nothing of
    the answer depends on how anybody else voted: before they decide, or while the record is
    open, they could else learn the others' verdicts by trying their own. So could those who see
    every status but not the votes.

    Raises:
        TandemError: What `act` raises, as if it were done.
    """
    before = _Now.of(session, place)
    savepoint = session.begin_nested()
    act()
    after = _Now.of(session, place)
    savepoint.rollback()
    me, others = viewer.user_id, before.votes.keys() | after.votes.keys()
    touched = sum(before.votes.get(one) != after.votes.get(one) for one in others - {me})
    decided, decides = me in before.votes, me in after.votes
    votes = before.votes.get(me) != after.votes.get(me)
    would_learn = votes and hides_votes(viewer, place.stage, before.status)
    is_open = status_is_open(viewer, place.stage, before.status, has_decided=decided)
    if is_open and not would_learn:
        return Preview(before.status, after.status, _turn(before, after), touched)
    shown = {True: DONE, False: Status.UNSCREENED.value}
    return Preview(shown[decided], shown[decides], None, touched)


def _turn(before: _Now, after: _Now) -> Turn | None:
    if before.conflict == after.conflict:
        return None
    if after.conflict is ConflictState.RESOLVED:
        return "resolved"
    return "opened" if before.conflict is None else "reopened"
