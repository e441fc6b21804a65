"""What the ledger says of one record now, and its consequences."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.errors import Conflict as Contradiction
from tandem.errors import NotFound
from tandem.events import log
from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.records.models import Record
from tandem.reviews.models import Review
from tandem.reviews.policy import Policy, Stage
from tandem.screening.following import Case, follow
from tandem.screening.models import (
    Conflict,
    Decision,
    PresentDecision,
    Resolution,
    ResolvedBy,
    ScreenedRecord,
)
from tandem.screening.rules import Status, Vote


class IsDuplicate(Contradiction):
    """The record is linked to another one, which is screened in its place."""

    code = "is_duplicate"


@dataclass(frozen=True, slots=True)
class Place:
    """A record in a stage of a review: what a decision, a status and a conflict belong to."""

    review_id: ReviewId
    stage: Stage
    record_number: RecordNumber

    @property
    def key(self) -> tuple[ReviewId, Stage, RecordNumber]:
        return (self.review_id, self.stage, self.record_number)


def screenable(session: Session, place: Place) -> Record:
    """Return the record, or raise.

    Raises:
        NotFound: The review has no such record.
        IsDuplicate: It is shown as another record; that one is to be decided.
    """
    record = session.get(Record, (place.review_id, place.record_number))
    if record is None:
        raise NotFound(f"There is no record {place.record_number} in this review.")
    if record.duplicate_of is not None:
        raise IsDuplicate(
            f"Record {place.record_number} is a duplicate of record {record.duplicate_of}: "
            "decide that one."
        )
    return record


def present_decisions(session: Session, place: Place) -> dict[UserId, Decision]:
    """Return each reviewer's present decision on the record, the earliest first."""
    query = (
        select(Decision)
        .join(PresentDecision, PresentDecision.decision_id == Decision.id)
        .where(
            PresentDecision.review_id == place.review_id,
            PresentDecision.stage == place.stage,
            PresentDecision.record_number == place.record_number,
        )
        .order_by(Decision.labels_seq)
    )
    return {decision.reviewer_id: decision for decision in session.scalars(query)}


def entries(session: Session, place: Place) -> Sequence[Decision]:
    """Return everything that was ever entered for the record in the stage, in order."""
    query = (
        select(Decision)
        .where(
            Decision.review_id == place.review_id,
            Decision.stage == place.stage,
            Decision.record_number == place.record_number,
        )
        .order_by(Decision.labels_seq)
    )
    return session.scalars(query).all()


def make_present(session: Session, place: Place, entry: Decision) -> None:
    """Make an entry of the ledger its reviewer's present decision; a withdrawal leaves none."""
    session.flush()
    present = session.get(PresentDecision, (*place.key, entry.reviewer_id))
    if entry.verdict is None:
        if present is not None:
            session.delete(present)
    elif present is not None:
        present.decision_id = entry.id
    else:
        session.add(
            PresentDecision(
                review_id=place.review_id,
                stage=place.stage,
                record_number=place.record_number,
                reviewer_id=entry.reviewer_id,
                decision_id=entry.id,
            )
        )


def conflict_at(session: Session, place: Place) -> Conflict | None:
    """Return the record's conflict in the stage, open or resolved."""
    query = select(Conflict).where(
        Conflict.review_id == place.review_id,
        Conflict.stage == place.stage,
        Conflict.record_number == place.record_number,
    )
    return session.scalars(query).one_or_none()


def votes_of(decisions: Sequence[Decision]) -> list[Vote]:
    return [
        Vote(decision.verdict, tuple(decision.reasons))
        for decision in decisions
        if decision.verdict is not None
    ]


def status(session: Session, place: Place) -> Status:
    """Return the record's status as it is stored, whoever asks."""
    row = session.get(ScreenedRecord, place.key)
    return Status.UNSCREENED if row is None else row.status


def standing_resolution(session: Session, place: Place) -> Resolution | None:
    query = select(Resolution).where(
        Resolution.review_id == place.review_id,
        Resolution.stage == place.stage,
        Resolution.record_number == place.record_number,
        Resolution.is_set_aside.is_(False),
        Resolution.taken_back_at.is_(None),
    )
    return session.scalars(query).one_or_none()


def settle(
    session: Session,
    review: Review,
    policy: Policy,
    place: Place,
    *,
    because: ResolvedBy,
    taken_back: Resolution | None = None,
) -> Status:
    """Bring status and conflict in line with the ledger, and tell of every change.

    Called after each change of votes or resolution, under the review's lock. A change of policy
    judges all records at once: see `policies.change`. `taken_back` is the resolution that was
    just taken back, if that is what changed.
    """
    session.flush()
    case = Case(
        row=_screened(session, place),
        conflict=conflict_at(session, place),
        votes=votes_of(list(present_decisions(session, place).values())),
        resolution=standing_resolution(session, place),
        taken_back=taken_back,
    )
    facts = follow(session, review, policy, case, because=because)
    session.flush()
    log.append(session, review, *facts)
    return case.row.status


def _screened(session: Session, place: Place) -> ScreenedRecord:
    row = session.get(ScreenedRecord, place.key)
    if row is None:
        row = ScreenedRecord(
            review_id=place.review_id,
            stage=place.stage,
            record_number=place.record_number,
            status=Status.UNSCREENED,
            n_decisions=0,
        )
        session.add(row)
    return row


def decision_detail(entry: Decision) -> dict[str, Any]:
    """Return what the audit trail keeps of an entry of the ledger, its verdict included."""
    return {
        "verdict": entry.verdict,
        "reasons": entry.reasons,
        "labels": entry.labels,
        "note": entry.note,
        # Plus 0.0: PostgreSQL's JSON knows no -0.0, and would give back another text to hash.
        "seconds": None if entry.seconds is None else entry.seconds + 0.0,
        "informed": entry.informed,
        "rank": entry.rank,
        "ranking_id": None if entry.ranking_id is None else str(entry.ranking_id),
        "criteria_version": entry.criteria_version,
        "second_in": None if entry.second_in is None else str(entry.second_in),
        "entered_by": None if entry.entered_by is None else str(entry.entered_by),
    }
