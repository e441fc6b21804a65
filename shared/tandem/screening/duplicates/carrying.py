"""What becomes of the votes on a record that is linked to another one, or parted from it.

Nothing is thrown away and nobody's ledger is rewritten. When a record is linked to another one
its votes are entered anew at that one, marked as carried; there they meet by the ordinary rules,
so a difference is a conflict. When the two are parted again, carried votes are withdrawn and
each record has the votes that were given on it.
"""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import delete
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.events import log
from tandem.events.types import (
    ConflictResolved,
    DecisionRecorded,
    DecisionWithdrawn,
    Fact,
    RecordReopened,
)
from tandem.ids import DecisionId, RecordNumber, UserId, new_id
from tandem.reviews.models import Review
from tandem.reviews.policy import Policy, Stage
from tandem.screening import ledger
from tandem.screening.duplicates import carried_resolutions
from tandem.screening.ledger import Place
from tandem.screening.models import (
    ConflictState,
    Decision,
    Lease,
    PresentDecision,
    ResolvedBy,
    ScreenedRecord,
)
from tandem.screening.rules import Verdict

Policies = Mapping[Stage, Policy]

WEIGHT = {Verdict.EXCLUDE: 0, Verdict.MAYBE: 1, Verdict.INCLUDE: 2}
"""Of one person's two votes the one that keeps the record in counts: an article that was once
found relevant is not lost because its copy was read in haste."""


_BECAUSE = ResolvedBy.DUPLICATE


def carry(
    session: Session, review: Review, policies: Policies, source: RecordNumber, *, to: RecordNumber
) -> None:
    """Enter the votes on one record at another one, and let the first have no status."""
    session.flush()
    for stage in Stage:
        origin, target = Place(review.id, stage, source), Place(review.id, stage, to)
        votes = ledger.present_decisions(session, origin)
        settled = ledger.standing_resolution(session, origin)
        own = ledger.present_decisions(session, target)
        # Who was shown the outcome there knows what the others said, here too.
        was_open = ledger.status(session, origin).is_settled and len(votes) > 1
        _hide(session, review, origin)
        # One entry for each voter, also where it says what they said there already: whether
        # somebody's two votes agree is for nobody to read from the number of entries.
        for reviewer_id, vote in votes.items():
            like = _stronger(own.get(reviewer_id), vote)
            _enter(session, review, target, like, source, informed=like.informed or was_open)
        # The number of a resolution that may go with them: in any case, so that it tells nothing.
        review.labels_seq += 1
        if votes or settled is not None:
            carried_resolutions.meet(
                session, review, policies[stage], target, list(votes.values()), own, settled
            )


def _stronger(there: Decision | None, here: Decision) -> Decision:
    return here if there is None else max(there, here, key=_weight)


def _weight(decision: Decision) -> tuple[int, int]:
    return (WEIGHT[decision.verdict] if decision.verdict else -1, decision.labels_seq)


def _enter(
    session: Session,
    review: Review,
    place: Place,
    like: Decision,
    carried_from: RecordNumber,
    *,
    informed: bool,
    withdrawn: bool = False,
) -> None:
    """Append a copy of an entry, or the withdrawal of it, to the ledger of another record."""
    review.labels_seq += 1
    entry = Decision(
        id=DecisionId(new_id()),
        review_id=review.id,
        record_number=place.record_number,
        stage=place.stage,
        reviewer_id=like.reviewer_id,
        labels_seq=review.labels_seq,
        verdict=None if withdrawn else like.verdict,
        reasons=[] if withdrawn else like.reasons,
        labels=[] if withdrawn else like.labels,
        note=None if withdrawn else like.note,
        seconds=None,
        informed=informed,
        rank=None if withdrawn else like.rank,
        ranking_id=None if withdrawn else like.ranking_id,
        carried_from=carried_from,
        criteria_version=like.criteria_version,
        created_at=now(),
    )
    session.add(entry)
    session.flush()
    ledger.make_present(session, place, entry)
    if not withdrawn:  # it is decided: they hold it no longer
        session.execute(
            delete(Lease).where(
                Lease.review_id == place.review_id,
                Lease.stage == place.stage,
                Lease.record_number == place.record_number,
                Lease.user_id == like.reviewer_id,
            )
        )
    fact = DecisionWithdrawn if withdrawn else DecisionRecorded
    log.append(
        session,
        review,
        fact(
            record_id=str(place.record_number),
            stage=place.stage,
            reviewer_id=str(like.reviewer_id),
            labels_seq=entry.labels_seq,
            carried_from=str(carried_from),
            detail=ledger.decision_detail(entry),
        ),
    )


def _hide(session: Session, review: Review, place: Place) -> None:
    """Take what is derived from a record's votes away: it is not screened while it is linked."""
    status = ledger.status(session, place)
    for table in (PresentDecision, ScreenedRecord, Lease):
        session.execute(
            delete(table).where(
                table.review_id == place.review_id,
                table.stage == place.stage,
                table.record_number == place.record_number,
            )
        )
    facts: list[Fact] = []
    record_id = str(place.record_number)
    if status.is_settled:
        # To None: it has no status of its own now, and no resolution.
        detail = {"from": status, "to": None}
        facts.append(RecordReopened(record_id=record_id, stage=place.stage, detail=detail))
    conflict = ledger.conflict_at(session, place)
    if conflict is not None and conflict.state is ConflictState.OPEN:
        conflict.state, conflict.resolved_at = ConflictState.RESOLVED, now()
        conflict.resolved_by = _BECAUSE
        facts.append(
            ConflictResolved(
                conflict_id=str(conflict.id), record_id=record_id, stage=place.stage, by=_BECAUSE
            )
        )
    log.append(session, review, *facts)


def release(
    session: Session,
    review: Review,
    policy: Policy,
    place: Place,
    *,
    staying: Collection[RecordNumber] = (),
) -> None:
    """Let go what was carried to a record from others than those that stay linked to it.

    What its voters said at the record itself since then stands; what they had said before, or at
    the records that stay, counts as it did when these were linked. That is entered anew in any
    case: whether it is another verdict than before is for nobody to read from the number of
    entries, nor from where they say that it came from.
    """
    entries = ledger.entries(session, place)
    carried_resolutions.release(session, place, staying)
    if not entries:
        _hide(session, review, place)  # a resolution alone had come to it
        return
    for reviewer_id, last in {entry.reviewer_id: entry for entry in entries}.items():
        if last.carried_from is None:
            ledger.make_present(session, place, last)
            continue
        said, informed = given_on(session, place, reviewer_id, staying), last.informed
        if said:
            like, source = max(said, key=_weight), said[-1].record_number
            _enter(session, review, place, like, source, informed=informed)
        elif last.verdict is not None:
            _enter(
                session, review, place, last, last.carried_from, informed=informed, withdrawn=True
            )
    ledger.settle(session, review, policy, place, because=_BECAUSE)


def given_on(
    session: Session, place: Place, reviewer_id: UserId, staying: Collection[RecordNumber]
) -> list[Decision]:
    """Return somebody's votes on a record and on those that stay linked to it.

    Theirs on the record itself comes first, then the others as they were given.
    """
    entries = [e for e in ledger.entries(session, place) if e.reviewer_id == reviewer_id]
    own = next((entry for entry in reversed(entries) if entry.carried_from is None), None)
    since = own.labels_seq if own is not None else 0
    sources = {
        entry.carried_from
        for entry in entries
        if entry.labels_seq > since
        and entry.carried_from is not None
        and entry.carried_from != place.record_number
        and entry.carried_from in staying
    }
    said = {own.id: own} if own is not None else {}
    for source in sorted(sources):
        there = Place(place.review_id, place.stage, source)
        less = [number for number in staying if number not in (source, place.record_number)]
        said |= {vote.id: vote for vote in given_on(session, there, reviewer_id, less)}
    votes = (vote for vote in said.values() if vote.verdict is not None)
    own_number = place.record_number
    return sorted(votes, key=lambda vote: (vote.record_number != own_number, vote.labels_seq))


def enter_again(
    session: Session, review: Review, place: Place, votes: Sequence[Decision], *, informed: bool
) -> None:
    """Let somebody's votes on a record and those linked to it meet there anew, as `carry` does."""
    for n, vote in enumerate(votes, start=1):
        like = max(votes[:n], key=_weight)
        _enter(session, review, place, like, vote.record_number, informed=informed)
