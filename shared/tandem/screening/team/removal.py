"""Somebody leaves a review: what becomes of their decisions, and of what these left open.

Kept, their decisions count on, with their name. Voided, each is withdrawn in the ledger by who
removes them, and the records are judged again; nobody else's vote is touched, and a resolution
that stands goes on standing. It is the same for the reviewers of an imported file, who are in
no review but have decisions in it.

No conflict becomes insoluble by it. An adjudicator or an owner who has no vote in it settles it as
before. Where all of them have voted and the policy bars voters, an owner, whom every review has,
can make another member adjudicator or invite one, let voters adjudicate by the policy, or void
the decisions of who left, so that the record waits for another reviewer. `Departure` tells how many
conflicts need that.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from tandem.db.pieces import pieces
from tandem.errors import NotFound
from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.records.models import Record
from tandem.reviews import members
from tandem.reviews.models import LockedReview, Member, Review, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.blinding import exposure_notes
from tandem.screening.blinding.view import hides_votes
from tandem.screening.conflicts.service import counts_now
from tandem.screening.duplicates import transfer
from tandem.screening.full_text.population import gate_of, is_there
from tandem.screening.ledger.append import Change, append_all, enter
from tandem.screening.ledger.entries import DecisionInput, NewDecision
from tandem.screening.ledger.of_stage import load_many
from tandem.screening.ledger.state import RecordKey, RecordState
from tandem.screening.models import (
    Conflict,
    ConflictState,
    PresentDecision,
    ResolvedBy,
    ScreenedRecord,
)
from tandem.screening.people.active import Active, active_votes
from tandem.screening.queue import service as queue
from tandem.screening.rules import Status

Fate = Literal["keep", "void"]


class Moved(NamedTuple):
    """A record whose status changed."""

    stage: Stage
    record_number: RecordNumber
    before: Status
    after: Status


@dataclass(slots=True)
class Departure:
    """What a removal does.

    Attributes:
        n_decisions_voided: So many decisions count no longer.
        moved: Records whose status changed by that.
        n_conflicts_opened: Of these, records that came into conflict.
        n_conflicts_closed: Of these, records whose conflict is over.
        n_open_conflicts: Open conflicts in which a vote of theirs stays.
        n_nobody_may_settle: Open conflicts of the review, theirs or not, that none of those who
            stay may settle by the policy in force: everybody who could has a vote in them.
        n_awaiting: Records with a decision of theirs that wait for another one.
        n_hidden: Records whose decision was voided, and the votes on which were hidden before
            from who removes them: what becomes of these tells how the others voted.
    """

    n_decisions_voided: int = 0
    moved: list[Moved] = field(default_factory=list)
    n_conflicts_opened: int = 0
    n_conflicts_closed: int = 0
    n_open_conflicts: int = 0
    n_nobody_may_settle: int = 0
    n_awaiting: int = 0
    n_hidden: int = 0


def leave(
    session: Session,
    *,
    review: LockedReview,
    viewer: Viewer,
    user_id: UserId,
    decisions: Fate,
    since: datetime | None,
) -> Departure:
    """Take somebody's access away; keep their decisions, or void those made since then.

    Everybody may go themselves; their decisions stay then.

    To show the effect first, the caller rolls back.

    Args:
        session: Of the transaction.
        review: The review, locked.
        viewer: Who removes them.
        user_id: Who leaves. Decisions can be voided of anybody who has some here, member or not.
        decisions: What becomes of their decisions.
        since: Void only what they decided then or later; None for all. An earlier decision of
            theirs on the record counts again, also one on a record that is linked to it.

    Raises:
        Forbidden: Only an owner may take it away from others, or void decisions.
        NotFound: They are not a member, and there is nothing of theirs to void.
        LastOwner: They are the only owner.
    """
    if user_id != viewer.user_id:
        viewer.require(Role.OWNER, "choose its members")
    if decisions == "void":
        viewer.require(Role.OWNER, "void decisions")
    member = session.get(Member, (review.id, user_id))
    active = active_votes(session, review.id, user_id) if decisions == "void" else []
    if member is None and not active:
        raise NotFound("This person is not a member of the review, nor has decisions to void.")
    departure = Departure()
    if member is not None:
        exposure_notes.remember_all_of(session, review.id, viewer.policies, user_id)
        detail = {"decisions": decisions, "since": since.isoformat() if since else None}
        members.remove_member(session, review, user_id=user_id, by=viewer.user_id, detail=detail)
        queue.release_all(session, review_id=review.id, user_id=user_id)
    voided = [one for one in active if one.before(session, since) != one.votes]
    _void(session, review, viewer, voided, since, departure)
    session.flush()
    _tell_what_is_open(session, viewer, user_id, departure)
    return departure


def _void(
    session: Session,
    review: Review,
    viewer: Viewer,
    voided: Sequence[Active],
    since: datetime | None,
    removal: Departure,
) -> None:
    for stage in Stage:
        of_stage = {one.last.record_number: one for one in voided if one.last.stage is stage}
        numbers = sorted(of_stage)
        shown = sorted(_shown(session, review.id, numbers))
        states = {
            state.key.record_number: state for state in load_many(session, review.id, stage, shown)
        }
        changes = list[Change]()
        for number in numbers:
            new = _entries(session, viewer, of_stage[number], since, is_linked=number not in states)
            if number in states:
                changes.append(Change(states[number], new))
            else:  # it is linked: what is entered there counts when it is parted again
                enter(session, review, _linked(RecordKey(review.id, stage, number)), *new)
        policy = viewer.policies[stage]
        after = append_all(session, review, policy, changes, because=ResolvedBy.WITHDRAWAL)
        for change, state in zip(changes, after, strict=True):
            before = change.state.status
            removal.n_hidden += hides_votes(viewer, stage, before)
            if state.status is not before:
                moved = Moved(stage, state.key.record_number, before, state.status)
                removal.moved.append(moved)
        removal.n_decisions_voided += len(shown)
    removal.n_conflicts_opened = sum(one.after is Status.CONFLICT for one in removal.moved)
    removal.n_conflicts_closed = sum(one.before is Status.CONFLICT for one in removal.moved)


def _linked(key: RecordKey) -> RecordState:
    return RecordState.of(key, {}, None, None, None)


def _entries(
    session: Session, viewer: Viewer, one: Active, since: datetime | None, *, is_linked: bool
) -> list[NewDecision]:
    """Return what is entered for a vote that is voided: its withdrawal, and the ones before.

    The blinded get no event where they got none of what is withdrawn either: to them the earlier
    one has counted all the time.
    """
    before, new = one.before(session, since), list[NewDecision]()
    last, is_closed = one.last, one.is_second_thought(since)
    if one.is_withdrawn(session, since):
        withdrawal = NewDecision(
            last.reviewer_id, None, last.informed, entered_by=viewer.user_id, is_closed=is_closed
        )
        new.append(withdrawal)
    if not one.is_own:
        return new if is_linked else [*new, *transfer.met(before, informed=last.informed)]
    return new + [
        NewDecision(
            vote.reviewer_id,
            DecisionInput.of(vote),
            vote.informed,
            criteria_version=vote.criteria_version,
            entered_by=viewer.user_id,
            is_closed=is_closed,
        )
        for vote in before[:1]
    ]


def _shown(
    session: Session, review_id: ReviewId, numbers: Sequence[RecordNumber]
) -> set[RecordNumber]:
    found = set[RecordNumber]()
    for piece in pieces(numbers):
        query = select(Record.number).where(
            Record.review_id == review_id,
            Record.number.in_(piece),
            Record.is_shown,
        )
        found |= set(session.scalars(query))
    return found


def _tell_what_is_open(
    session: Session, viewer: Viewer, user_id: UserId, departure: Departure
) -> None:
    theirs = and_(
        PresentDecision.review_id == viewer.review_id, PresentDecision.reviewer_id == user_id
    )
    for stage in Stage:
        awaiting = (
            select(func.count())
            .select_from(ScreenedRecord)
            .join(PresentDecision, _same_place(ScreenedRecord))
            .where(
                theirs,
                ScreenedRecord.stage == stage,
                ScreenedRecord.status == Status.AWAITING,
                is_there(stage, gate_of(viewer), ScreenedRecord.record_number),
            )
        )
        departure.n_awaiting += session.scalar(awaiting, {"review_id": viewer.review_id}) or 0
    counts = counts_now(gate_of(viewer))
    differing = (
        select(func.count())
        .select_from(Conflict)
        .join(PresentDecision, _same_place(Conflict))
        .where(theirs, Conflict.state == ConflictState.OPEN, counts)
    )
    departure.n_open_conflicts = session.scalar(differing) or 0
    # All of them: with who leaves, an adjudicator may go who has a vote in none.
    open_conflicts = select(Conflict).where(
        Conflict.review_id == viewer.review_id, Conflict.state == ConflictState.OPEN, counts
    )
    insoluble = _insoluble(session, viewer, session.scalars(open_conflicts).all())
    departure.n_nobody_may_settle = insoluble


def _insoluble(session: Session, viewer: Viewer, conflicts: Sequence[Conflict]) -> int:
    """Count the conflicts in which everybody who could settle them has a vote and is barred."""
    judges = set(
        session.scalars(
            select(Member.user_id).where(
                Member.review_id == viewer.review_id,
                Member.role.in_([Role.OWNER, Role.ADJUDICATOR]),
                members.can_act(),
            )
        )
    )
    barred = [one for one in conflicts if not viewer.policies[one.stage].voter_may_adjudicate]
    voters: dict[object, set[UserId]] = defaultdict(set)
    for piece in pieces([one.id for one in barred]):
        query = (
            select(Conflict.id, PresentDecision.reviewer_id)
            .join(PresentDecision, _same_place(Conflict))
            .where(Conflict.id.in_(piece))
        )
        for conflict_id, reviewer_id in session.execute(query):
            voters[conflict_id].add(reviewer_id)
    return sum(judges <= voters[one.id] for one in barred)


def _same_place(table: type[Conflict] | type[ScreenedRecord]) -> ColumnElement[bool]:
    return and_(
        PresentDecision.review_id == table.review_id,
        PresentDecision.stage == table.stage,
        PresentDecision.record_number == table.record_number,
    )
