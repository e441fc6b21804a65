"""One reviewer in one stage, and which records are theirs to decide, as conditions of a query.

Each condition is over rows of Record with an outer join to ScreenedRecord by `screened`.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.records.models import Record
from tandem.reviews.models import Review
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.models import Lease, PresentDecision, ScreenedRecord
from tandem.screening.people import pilot
from tandem.screening.rules import Status


@dataclass(frozen=True, slots=True)
class Seat:
    """Who screens what by which rules.

    `pilot` are the records of a pilot round that is running: these and no others are open, to
    everybody and whoever has decided them. None without one.
    """

    review_id: ReviewId
    stage: Stage
    user_id: UserId
    quota: int
    is_blind: bool
    seed: int
    last_record_number: int
    now: datetime
    pilot: tuple[RecordNumber, ...] | None

    @classmethod
    def of(cls, session: Session, review: Review, stage: Stage, viewer: Viewer) -> "Seat":
        policy = viewer.policies[stage]
        is_pilot = stage is pilot.STAGE and pilot.state(review) is pilot.State.RUNNING
        return cls(
            review_id=review.id,
            stage=stage,
            user_id=viewer.user_id,
            quota=policy.reviewers_per_record,
            is_blind=policy.blind,
            seed=review.seed,
            last_record_number=review.last_record_number,
            now=now(),
            pilot=tuple(pilot.record_numbers(session, review)) if is_pilot else None,
        )

    def screened(self) -> ColumnElement[bool]:
        return and_(
            ScreenedRecord.review_id == Record.review_id,
            ScreenedRecord.stage == self.stage,
            ScreenedRecord.record_number == Record.number,
        )

    def lacks_decisions(self) -> ColumnElement[bool]:
        lacks = ScreenedRecord.n_decisions < self.quota
        if self.is_blind:
            # By number alone: whether it is settled early would tell how others voted.
            return lacks
        open_still = ScreenedRecord.status.in_([Status.UNSCREENED, Status.AWAITING])
        return and_(lacks, open_still)

    def is_open(self) -> ColumnElement[bool]:
        return and_(Record.duplicate_of.is_(None), self.is_open_if_shown())

    def is_open_if_shown(self) -> ColumnElement[bool]:
        """Whether the record is open; the caller knows that it is no duplicate."""
        if self.pilot is not None:
            return Record.number.in_(self.pilot)
        return or_(ScreenedRecord.status.is_(None), self.lacks_decisions())

    def has_room(self) -> ColumnElement[bool]:
        """Whether fewer people have decided the record or hold it than it needs decisions."""
        if self.pilot is not None:
            return self.is_open()
        held_by_others = (
            select(func.count())
            .where(
                Lease.review_id == Record.review_id,
                Lease.stage == self.stage,
                Lease.record_number == Record.number,
                Lease.user_id != self.user_id,
                Lease.expires_at > self.now,
            )
            .correlate(Record)
            .scalar_subquery()
        )
        decided = func.coalesce(ScreenedRecord.n_decisions, 0)
        return and_(self.is_open(), decided + held_by_others < self.quota)

    def has_decided(self) -> ColumnElement[bool]:
        return (
            select(PresentDecision.decision_id)
            .where(
                PresentDecision.review_id == Record.review_id,
                PresentDecision.stage == self.stage,
                PresentDecision.record_number == Record.number,
                PresentDecision.reviewer_id == self.user_id,
            )
            .correlate(Record)
            .exists()
        )

    def has_in_hand(self) -> ColumnElement[bool]:
        """Whether the reviewer holds the record, or has put it off."""
        return (
            select(Lease.user_id)
            .where(
                leased_record(),
                self.leases(),
                or_(Lease.expires_at > self.now, Lease.put_off_at.is_not(None)),
            )
            .correlate(Record)
            .exists()
        )

    def leases(self) -> ColumnElement[bool]:
        """Whether a lease is this reviewer's."""
        return and_(
            Lease.review_id == self.review_id,
            Lease.stage == self.stage,
            Lease.user_id == self.user_id,
        )


def leased_record() -> ColumnElement[bool]:
    return and_(Lease.review_id == Record.review_id, Lease.record_number == Record.number)


def begun() -> ColumnElement[bool]:
    """Whether anybody has decided the record."""
    return func.coalesce(ScreenedRecord.n_decisions, 0) > 0
