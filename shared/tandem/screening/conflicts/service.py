"""Conflicts: who may see them, and how somebody settles one or opens it again."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.orm import Session, aliased

from tandem.db.keyset import START, Cursor, Slice, keyset_of_one
from tandem.errors import Conflict as Contradiction
from tandem.errors import Forbidden, NotFound
from tandem.ids import ConflictId, RecordNumber, ReviewId, UserId
from tandem.records.models import Record
from tandem.reviews.models import LockedReview, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.reviews.settling import HOW_TO_SETTLE
from tandem.screening.blinding.sql import conflict_is_visible, has_vote_of
from tandem.screening.blinding.view import names_are_open, open_conflicts_known
from tandem.screening.complete import require_complete
from tandem.screening.conflicts.visible import ShownConflict, show
from tandem.screening.full_text.population import Gate, gate_of, is_at_full_text
from tandem.screening.ledger.append import append
from tandem.screening.ledger.conflict_history import histories
from tandem.screening.ledger.entries import NewResolution, ResolutionInput, Revocation
from tandem.screening.ledger.loading import load, screenable
from tandem.screening.ledger.state import RecordKey, RecordState
from tandem.screening.models import Cause, Conflict, ConflictState, Resolution, ResolvedBy
from tandem.screening.rules import ConflictKind


class OwnConflict(Forbidden):
    """The policy bars those whose votes differ from settling the difference."""

    code = "own_conflict"


class AlreadyResolved(Contradiction):
    """The conflict is settled; nothing was changed."""

    code = "already_resolved"


class NotResolved(Contradiction):
    """No resolution stands that could be taken back."""

    code = "not_resolved"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which conflicts are asked for; None: whatever it is."""

    stage: Stage | None = None
    state: ConflictState | None = None
    kind: ConflictKind | None = None
    cause: Cause | None = None
    settled_by: ResolvedBy | None = None
    record_number: RecordNumber | None = None
    reviewer_id: UserId | None = None
    mine: bool = False


def list_conflicts(
    session: Session,
    *,
    viewer: Viewer,
    selection: Selection,
    limit: int,
    cursor: Cursor = START,
) -> Slice[ShownConflict]:
    """Return the conflicts this person may know of, in the order they were opened.

    Raises:
        Forbidden: They ask for somebody's conflicts, and whose votes are whose is hidden to them.
    """
    query = _selected(viewer, selection).where(
        Conflict.review_id == viewer.review_id,
        conflict_is_visible(viewer),
        counts_now(gate_of(viewer)),
    )
    page = keyset_of_one(session, query, (Conflict.opened_at, Conflict.id), cursor, limit)
    return Slice(show(session, viewer, histories(session, page.items)), page.next_cursor)


@cache
def counts_now(through: Gate) -> ColumnElement[bool]:
    """Whether a conflict is over, or about a record that is in its stage now.

    An open one of a report that has left full text, or of a record that is screened no more, is
    kept: it is there again when the record is. One that is over at a record that is linked to
    another one counts at that one, if it has one.
    """

    def there(condition: ColumnElement[bool]) -> ColumnElement[bool]:
        found = select(Record.number).where(
            Record.review_id == Conflict.review_id,
            Record.number == Conflict.record_number,
            condition,
        )
        return found.correlate(Conflict).exists()

    return case(
        (Conflict.state == ConflictState.RESOLVED, ~_goes_on_elsewhere()),
        (Conflict.stage == Stage.FULL_TEXT, there(is_at_full_text(through))),
        else_=there(~Record.is_left_out),
    )


def _goes_on_elsewhere() -> ColumnElement[bool]:
    """Whether a conflict's record is linked to one that has a conflict, which counts for both."""
    shown = aliased(Conflict)
    return (
        select(shown.id)
        .join(
            Record,
            and_(Record.review_id == shown.review_id, Record.duplicate_of == shown.record_number),
        )
        .where(
            Record.review_id == Conflict.review_id,
            Record.number == Conflict.record_number,
            shown.stage == Conflict.stage,
        )
        .correlate(Conflict)
        .exists()
    )


def _selected(viewer: Viewer, selection: Selection) -> Select[Conflict]:
    query = select(Conflict)
    equal: dict[Any, object] = {
        Conflict.stage: selection.stage,
        Conflict.state: selection.state,
        Conflict.kind: selection.kind,
        Conflict.resolved_by: selection.settled_by,
        Conflict.record_number: selection.record_number,
    }
    for column, value in equal.items():
        if value is not None:
            query = query.where(column == value)
    if selection.cause is not None:
        in_force = select(Resolution.id).where(
            Resolution.conflict_id == Conflict.id,
            Resolution.cause == selection.cause,
            Resolution.is_set_aside.is_(False),
            Resolution.taken_back_at.is_(None),
        )
        query = query.where(in_force.exists())
    if selection.reviewer_id is not None:
        stages = [selection.stage] if selection.stage else list(Stage)
        if not all(names_are_open(viewer, stage) for stage in stages):
            raise Forbidden("The policy hides from you whose votes are in a conflict.")
        query = query.where(has_vote_of(selection.reviewer_id))
    return query.where(has_vote_of(viewer.user_id)) if selection.mine else query


def n_open(session: Session, viewers: Sequence[Viewer]) -> dict[ReviewId, int]:
    """Return how many open conflicts a person may see in each of their reviews.

    A review is left out where they may know of none: the number would tell how others voted.
    """
    found: dict[ReviewId, int] = {}
    for stage in Stage:
        alike: dict[tuple[str, Gate], list[Viewer]] = {}
        for viewer in viewers:
            known = open_conflicts_known(viewer, stage), gate_of(viewer)
            alike.setdefault(known, []).append(viewer)
        for (knows, through), some in alike.items():
            if knows == "none":
                continue
            ids = [viewer.review_id for viewer in some]
            found |= {review_id: found.get(review_id, 0) for review_id in ids}
            query = select(Conflict.review_id, func.count()).where(
                Conflict.review_id.in_(ids),
                Conflict.stage == stage,
                Conflict.state == ConflictState.OPEN,
                counts_now(through),
            )
            if knows == "own":
                query = query.where(has_vote_of(some[0].user_id))
            for review_id, n in session.execute(query.group_by(Conflict.review_id)):
                found[review_id] += n
    return found


def get_conflict(session: Session, *, viewer: Viewer, conflict_id: ConflictId) -> ShownConflict:
    """Return one conflict, or raise NotFound: this person cannot tell whether it exists."""
    return show(session, viewer, histories(session, [visible(session, viewer, conflict_id)]))[0]


def visible(session: Session, viewer: Viewer, conflict_id: ConflictId) -> Conflict:
    """Return a conflict that this person may know of, or raise NotFound."""
    query = select(Conflict).where(
        Conflict.id == conflict_id,
        Conflict.review_id == viewer.review_id,
        conflict_is_visible(viewer),
    )
    if (conflict := session.scalars(query).one_or_none()) is None:
        raise NotFound("There is no such conflict in this review.")
    return conflict


def resolve_conflict(
    session: Session,
    *,
    review: LockedReview,
    viewer: Viewer,
    conflict_id: ConflictId,
    given: ResolutionInput,
) -> Conflict:
    """Settle a conflict. The votes stay as they are.

    Raises:
        NotFound: There is no such conflict.
        OwnConflict: This person's vote is part of it, and the policy bars voters.
        Forbidden: They are neither adjudicator nor owner, nor a voter whom the policy lets.
        AlreadyResolved: It is settled.
        ReasonRequired: It excludes a full text without a reason.
        Invalid: A classification goes with an exclude, or with another stage.
    """
    conflict, state = _to_be_settled(session, viewer, conflict_id, "settle conflicts")
    if conflict.state is ConflictState.RESOLVED:
        raise AlreadyResolved("This conflict is settled already.")
    require_complete(conflict.stage, given)
    policy, new = viewer.policies[conflict.stage], NewResolution(viewer.user_id, given)
    append(session, review, policy, state, new, because=ResolvedBy.RESOLUTION)
    return conflict


def reopen_conflict(
    session: Session,
    *,
    review: LockedReview,
    viewer: Viewer,
    conflict_id: ConflictId,
    note: str | None,
) -> Conflict:
    """Take a conflict's resolution back: the votes speak again. The ledger keeps it.

    Where they agree by now, the conflict stays over.

    Raises:
        NotFound: There is no such conflict.
        OwnConflict: This person's vote is part of it, and the policy bars voters.
        Forbidden: They are neither adjudicator nor owner, nor a voter whom the policy lets.
        NotResolved: No resolution stands, be it open or ended by the votes.
    """
    conflict, state = _to_be_settled(session, viewer, conflict_id, "open conflicts again")
    if state.resolution is None:
        raise NotResolved("No resolution of this conflict is active, so there is none to revoke.")
    policy, new = viewer.policies[conflict.stage], Revocation(viewer.user_id, note)
    append(session, review, policy, state, new, because=ResolvedBy.AGREEMENT)
    return conflict


def _to_be_settled(
    session: Session, viewer: Viewer, conflict_id: ConflictId, to: str
) -> tuple[Conflict, RecordState]:
    """Return a conflict that this person may settle, and its record's state, or raise."""
    conflict = find(session, viewer, conflict_id)
    viewer.require(Role.REVIEWER, to)
    state = load(session, key_of(conflict))
    if viewer.user_id not in state.votes:
        viewer.require(Role.ADJUDICATOR, to)
    elif not viewer.policies[conflict.stage].voter_may_adjudicate:
        raise OwnConflict(
            "You have decided this record yourself, so somebody else settles its conflict. If the "
            f"review has nobody else: {HOW_TO_SETTLE[0].lower()}{HOW_TO_SETTLE[1:]}"
        )
    screenable(session, state.key)
    return conflict, state


def find(session: Session, viewer: Viewer, conflict_id: ConflictId) -> Conflict:
    """Return a conflict of the review, whether or not this person may know of it, or raise."""
    conflict = session.get(Conflict, conflict_id)
    if conflict is None or conflict.review_id != viewer.review_id:
        raise NotFound("There is no such conflict in this review.")
    return conflict


def key_of(conflict: Conflict) -> RecordKey:
    return RecordKey(conflict.review_id, conflict.stage, conflict.record_number)
