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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy import ColumnElement, and_, delete, func, select
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.db.pieces import pieces
from tandem.errors import NotFound
from tandem.events import log
from tandem.events.types import DecisionRecorded, DecisionWithdrawn, Fact
from tandem.ids import DecisionId, RecordNumber, ReviewId, UserId, new_id
from tandem.records.models import Record
from tandem.reviews import members
from tandem.reviews.models import Member, Review, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening import cases, ledger, told_numbers
from tandem.screening.decisions import SecondVote
from tandem.screening.duplicates import carrying
from tandem.screening.following import follow
from tandem.screening.ledger import Place
from tandem.screening.models import (
    Conflict,
    ConflictState,
    Decision,
    PresentDecision,
    ResolvedBy,
    ScreenedRecord,
)
from tandem.screening.people.standing import Standing, standing_of
from tandem.screening.queue import service as queue
from tandem.screening.rules import Status
from tandem.screening.visibility import hides_votes

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
    review: Review,
    viewer: Viewer,
    user_id: UserId,
    decisions: Fate,
    since: datetime | None,
) -> Departure:
    """Take somebody's access away; keep their decisions, or void those made since then.

    Everybody may go themselves; their decisions stay then.

    To show the effect first, the caller rolls back. The caller has locked the review.

    Args:
        session: Of the transaction.
        review: The review, locked.
        viewer: Who removes them.
        user_id: Who leaves. Decisions can be voided of anybody who has some here, member or not.
        decisions: What becomes of their decisions.
        since: Void only what they decided then or later; None for all. What they had said of a
            record before counts again, also what they had said of one that is linked to it.

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
    standing = standing_of(session, review.id, user_id) if decisions == "void" else []
    if member is None and not standing:
        raise NotFound("This person is not a member of the review, nor has decisions to void.")
    departure = Departure()
    if member is not None:
        detail = {"decisions": decisions, "since": since.isoformat() if since else None}
        members.remove_member(session, review, user_id=user_id, by=viewer.user_id, detail=detail)
        queue.release_all(session, review_id=review.id, user_id=user_id)
    voided = [one for one in standing if one.before(since) != one.votes]
    _void(session, review, viewer, voided, since, departure)
    session.flush()
    _tell_what_is_open(session, viewer, user_id, departure)
    return departure


def _void(
    session: Session,
    review: Review,
    viewer: Viewer,
    voided: Sequence[Standing],
    since: datetime | None,
    departure: Departure,
) -> None:
    for stage in Stage:
        of_stage = {one.last.record_number: one for one in voided if one.last.stage is stage}
        numbers = sorted(of_stage)
        shown = sorted(_shown(session, review.id, numbers))
        withdrawn = [of_stage[number] for number in numbers if of_stage[number].is_withdrawn(since)]
        told = [_enter(session, review, viewer, one, since, restored=None) for one in withdrawn]
        _forget(session, [one.last for one in withdrawn])
        for number in numbers:
            one = of_stage[number]
            if one.is_own and (before := one.before(since)):
                told.append(_enter(session, review, viewer, one, since, restored=before[0]))
        log.append(session, review, *told)
        for number in shown:
            one, place = of_stage[number], Place(review.id, stage, number)
            if one.is_own:
                _make_present(session, place, one.last.reviewer_id)
            else:
                before = one.before(since)
                carrying.enter_again(session, review, place, before, informed=one.last.informed)
        session.flush()
        _judge(session, review, viewer, stage, shown, departure)
        departure.n_decisions_voided += len(shown)
    departure.n_conflicts_opened = sum(one.after is Status.CONFLICT for one in departure.moved)
    departure.n_conflicts_closed = sum(one.before is Status.CONFLICT for one in departure.moved)


def _judge(
    session: Session,
    review: Review,
    viewer: Viewer,
    stage: Stage,
    numbers: Sequence[RecordNumber],
    departure: Departure,
) -> None:
    """Judge the records again, and tell of what follows."""
    told, policy = list[Fact](), viewer.policies[stage]
    for case in cases.of(session, review.id, stage, numbers):
        before = case.row.status
        departure.n_hidden += hides_votes(viewer, stage, before)
        told += follow(session, review, policy, case, because=ResolvedBy.WITHDRAWAL)
        if case.row.status is not before:
            moved = Moved(stage, case.row.record_number, before, case.row.status)
            departure.moved.append(moved)
    log.append(session, review, *told)


def _shown(
    session: Session, review_id: ReviewId, numbers: Sequence[RecordNumber]
) -> set[RecordNumber]:
    found = set[RecordNumber]()
    for piece in pieces(numbers):
        query = select(Record.number).where(
            Record.review_id == review_id,
            Record.number.in_(piece),
            Record.duplicate_of.is_(None),
        )
        found |= set(session.scalars(query))
    return found


def _enter(
    session: Session,
    review: Review,
    viewer: Viewer,
    one: Standing,
    since: datetime | None,
    *,
    restored: Decision | None,
) -> Fact:
    """Append to the ledger the withdrawal of a decision, or an earlier one in its place.

    Returns what is told of it. The blinded are not told where they have not heard of what is
    withdrawn either: to them the earlier one has stood all the time.
    """
    last, is_closed = one.last, one.is_second_thought(since)
    review.labels_seq += 1
    if is_closed:
        told_numbers.keep_closed(session, review)
    entry = Decision(
        id=DecisionId(new_id()),
        review_id=review.id,
        record_number=last.record_number,
        stage=last.stage,
        reviewer_id=last.reviewer_id,
        labels_seq=review.labels_seq,
        verdict=restored.verdict if restored else None,
        reasons=restored.reasons if restored else [],
        labels=restored.labels if restored else [],
        note=restored.note if restored else None,
        informed=restored.informed if restored else last.informed,
        criteria_version=restored.criteria_version if restored else review.criteria_version,
        entered_by=None if last.reviewer_id == viewer.user_id else viewer.user_id,
        created_at=now(),
    )
    session.add(entry)
    fact = _FACTS[restored is not None, is_closed]
    return fact(
        record_id=str(entry.record_number),
        stage=entry.stage,
        reviewer_id=str(entry.reviewer_id),
        labels_seq=entry.labels_seq,
        detail=ledger.decision_detail(entry) | {"by": str(viewer.user_id)},
    )


class _SecondVoteWithdrawn(DecisionWithdrawn):
    open_to_blinded = False


_FACTS: Mapping[tuple[bool, bool], type[DecisionRecorded | DecisionWithdrawn]] = {
    (True, False): DecisionRecorded,
    (True, True): SecondVote,
    (False, False): DecisionWithdrawn,
    (False, True): _SecondVoteWithdrawn,
}
"""By whether something is restored, and whether the blinded do not hear of it."""


def _make_present(session: Session, place: Place, reviewer_id: UserId) -> None:
    session.flush()
    entries = [e for e in ledger.entries(session, place) if e.reviewer_id == reviewer_id]
    ledger.make_present(session, place, entries[-1])


def _forget(session: Session, decisions: Sequence[Decision]) -> None:
    session.flush()
    for piece in pieces([decision.id for decision in decisions]):
        session.execute(delete(PresentDecision).where(PresentDecision.decision_id.in_(piece)))


def _tell_what_is_open(
    session: Session, viewer: Viewer, user_id: UserId, departure: Departure
) -> None:
    theirs = and_(
        PresentDecision.review_id == viewer.review_id, PresentDecision.reviewer_id == user_id
    )
    awaiting = (
        select(func.count())
        .select_from(ScreenedRecord)
        .join(PresentDecision, _same_place(ScreenedRecord))
        .where(theirs, ScreenedRecord.status == Status.AWAITING)
    )
    departure.n_awaiting = session.scalar(awaiting) or 0
    differing = (
        select(func.count())
        .select_from(Conflict)
        .join(PresentDecision, _same_place(Conflict))
        .where(theirs, Conflict.state == ConflictState.OPEN)
    )
    departure.n_open_conflicts = session.scalar(differing) or 0
    # All of them: with who leaves, an adjudicator may go who has a vote in none.
    open_conflicts = select(Conflict).where(
        Conflict.review_id == viewer.review_id, Conflict.state == ConflictState.OPEN
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
