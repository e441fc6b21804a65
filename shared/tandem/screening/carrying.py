"""What becomes of the votes on a record that is linked to another one, or parted from it.

Nothing is thrown away and nobody's ledger is rewritten. When a record is linked to another one
its votes are entered anew at that one, marked as carried; there they meet by the ordinary rules,
so a difference is a conflict. When the two are parted again, carried votes are withdrawn and
each record has the votes that were given on it.
"""

from collections.abc import Mapping

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
from tandem.ids import DecisionId, RecordNumber, new_id
from tandem.reviews.models import Review
from tandem.reviews.policy import Policy, Stage
from tandem.screening import ledger
from tandem.screening.ledger import Place
from tandem.screening.models import (
    ConflictState,
    Decision,
    Lease,
    PresentDecision,
    Resolution,
    ResolvedBy,
    ScreenedRecord,
)
from tandem.screening.rules import Status, Verdict

Policies = Mapping[Stage, Policy]

_WEIGHT = {Verdict.EXCLUDE: 0, Verdict.MAYBE: 1, Verdict.INCLUDE: 2}
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
        _hide(session, review, origin)
        # One entry for each voter, also where it says what they said there already: whether
        # somebody's two votes agree is for nobody to read from the number of entries.
        for reviewer_id, vote in votes.items():
            _enter(session, review, target, _stronger(own.get(reviewer_id), vote), source)
        if not votes:
            continue
        status = ledger.settle(session, review, policies[stage], target, because=_BECAUSE)
        if settled is not None and not own and status is Status.CONFLICT:
            _settle_as_there(session, review, policies[stage], target, settled)


def _stronger(there: Decision | None, here: Decision) -> Decision:
    def weight(decision: Decision) -> tuple[int, int]:
        return (_WEIGHT[decision.verdict] if decision.verdict else -1, decision.labels_seq)

    return here if there is None else max(there, here, key=weight)


def _enter(
    session: Session,
    review: Review,
    place: Place,
    like: Decision,
    carried_from: RecordNumber,
    *,
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
        informed=like.informed,
        rank=None if withdrawn else like.rank,
        ranking_id=None if withdrawn else like.ranking_id,
        carried_from=carried_from,
        created_at=now(),
    )
    session.add(entry)
    session.flush()
    ledger.make_present(session, place, entry)
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
        facts.append(RecordReopened(record_id=record_id, stage=place.stage))
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


def _settle_as_there(
    session: Session, review: Review, policy: Policy, place: Place, settled: Resolution
) -> None:
    """Let a resolution go with its votes, where the same votes differ at the new place."""
    conflict = ledger.conflict_at(session, place)
    if conflict is None:
        raise AssertionError("a record in conflict has a conflict")
    review.labels_seq += 1
    session.add(
        Resolution(
            id=DecisionId(new_id()),
            conflict_id=conflict.id,
            review_id=review.id,
            record_number=place.record_number,
            stage=place.stage,
            labels_seq=review.labels_seq,
            verdict=settled.verdict,
            reasons=settled.reasons,
            note=settled.note,
            cause=settled.cause,
            resolver_id=settled.resolver_id,
            carried_from=settled.record_number,
            created_at=now(),
        )
    )
    ledger.settle(session, review, policy, place, because=ResolvedBy.RESOLUTION)


def stand_alone(session: Session, review: Review, policy: Policy, place: Place) -> None:
    """Give a record that is linked to none any more the votes that were given on it, no others.

    What was carried to it is withdrawn; what its voters had said there themselves stands again.
    """
    entries = ledger.entries(session, place)
    if not entries:
        return
    session.execute(
        delete(Resolution).where(
            Resolution.review_id == place.review_id,
            Resolution.stage == place.stage,
            Resolution.record_number == place.record_number,
            Resolution.carried_from.is_not(None),
        )
    )
    last = {entry.reviewer_id: entry for entry in entries}
    own = {entry.reviewer_id: entry for entry in entries if entry.carried_from is None}
    for reviewer_id, entry in last.items():
        said = own.get(reviewer_id)
        if entry.carried_from in (None, place.record_number) or entry.verdict is None:
            ledger.make_present(session, place, entry)
        elif said is None or said.verdict is None:
            _enter(session, review, place, entry, entry.carried_from, withdrawn=True)
        else:
            _enter(session, review, place, said, place.record_number)
    ledger.settle(session, review, policy, place, because=_BECAUSE)
