"""One reviewer in one stage, and which records are theirs to decide, as conditions of a query.

Each condition is over rows of Record with an outer join to ScreenedRecord by `screened`. The
reviewer comes with the query's parameters, so that each query is made once for all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from tandem.db.among import is_one_of
from tandem.db.base import now
from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.records.models import Record
from tandem.reviews.models import Review
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.full_text.population import Gate, gate, is_at_full_text, population
from tandem.screening.lease_models import Lease
from tandem.screening.models import PresentDecision, ScreenedRecord
from tandem.screening.people import pilot
from tandem.screening.rules import Status

REVIEW: BindParameter[ReviewId] = bindparam("review_id")
STAGE: BindParameter[Stage] = bindparam("stage")
USER: BindParameter[UserId] = bindparam("user_id")
_QUOTA: BindParameter[int] = bindparam("quota")
_NOW: BindParameter[datetime] = bindparam("now")


@dataclass(frozen=True, slots=True)
class Rules:
    """What the conditions of a filter depend on beside its parameters."""

    is_blind: bool
    in_pilot: bool
    through: Gate | None = None
    """What it takes to get to the stage; None for the first, where all records are."""

    def lacks_decisions(self) -> ColumnElement[bool]:
        """Whether somebody has still to decide a record: `rules.lacks_decisions` in a query."""
        lacks = ScreenedRecord.n_decisions < _QUOTA
        if self.is_blind:
            return lacks
        return and_(lacks, ScreenedRecord.status.in_([Status.UNSCREENED, Status.AWAITING]))

    def is_open(self) -> ColumnElement[bool]:
        return and_(Record.is_shown, self.is_open_if_shown())

    def is_open_if_shown(self) -> ColumnElement[bool]:
        """Whether the record is open; the caller knows that it is no duplicate."""
        if self.in_pilot:
            among = Record.number.in_(bindparam("pilot", expanding=True))
            return and_(among, ~Record.is_left_out)
        if self.through is not None:
            return and_(self.is_open_if_there(), is_at_full_text(self.through))
        return and_(self.is_open_if_there(), ~Record.is_left_out)

    def is_open_if_there(self) -> ColumnElement[bool]:
        """Whether the record is open; the caller knows that it is in the stage."""
        return or_(ScreenedRecord.status.is_(None), self.lacks_decisions())

    def has_room(self) -> ColumnElement[bool]:
        """Whether fewer people have decided the record or hold it than it needs decisions."""
        if self.in_pilot:
            return self.is_open()
        held_by_others = (
            select(func.count())
            .where(
                Lease.review_id == Record.review_id,
                Lease.stage == STAGE,
                Lease.record_number == Record.number,
                Lease.user_id != USER,
                Lease.expires_at > _NOW,
            )
            .correlate(Record)
            .scalar_subquery()
        )
        decided = func.coalesce(ScreenedRecord.n_decisions, 0)
        return and_(self.is_open(), decided + held_by_others < _QUOTA)


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Who screens what by which rules.

    `pilot` are the records of a pilot round that is running: these and no others are open, to
    everybody, whether decided or not. None without one. `through` is what it takes to get to
    full text, and `population` what is there; None in the first stage, where all records are.
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
    through: Gate | None = None
    population: frozenset[RecordNumber] | None = None

    @classmethod
    def of(cls, session: Session, review: Review, stage: Stage, viewer: Viewer) -> "QueueFilter":
        policy = viewer.policies[stage]
        through = gate(viewer.policies) if stage is Stage.FULL_TEXT else None
        is_pilot = stage is pilot.STAGE and pilot.state(review) is pilot.PilotState.RUNNING
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
            through=through,
            population=None if through is None else population(session, review.id, through),
        )

    @property
    def rules(self) -> Rules:
        return Rules(self.is_blind, self.pilot is not None, self.through)

    def parameters(self, numbers: Sequence[int] = ()) -> dict[str, Any]:
        """Return what the conditions ask for; `numbers`: of the records that a query is about."""
        return {
            "review_id": self.review_id,
            "stage": self.stage,
            "user_id": self.user_id,
            "quota": self.quota,
            "now": self.now,
            "pilot": self.pilot,
            "numbers": numbers,
        }


def screened() -> ColumnElement[bool]:
    return and_(
        ScreenedRecord.review_id == Record.review_id,
        ScreenedRecord.stage == STAGE,
        ScreenedRecord.record_number == Record.number,
    )


def has_decided() -> ColumnElement[bool]:
    return (
        select(PresentDecision.decision_id)
        .where(
            PresentDecision.review_id == Record.review_id,
            PresentDecision.stage == STAGE,
            PresentDecision.record_number == Record.number,
            PresentDecision.reviewer_id == USER,
        )
        .correlate(Record)
        .exists()
    )


def has_in_hand() -> ColumnElement[bool]:
    """Whether the reviewer holds the record, or has put it off."""
    return (
        select(Lease.user_id)
        .where(
            leased_record(),
            own_leases(),
            or_(Lease.expires_at > _NOW, Lease.put_off_at.is_not(None)),
        )
        .correlate(Record)
        .exists()
    )


def is_held() -> ColumnElement[bool]:
    """Whether a lease holds its record now."""
    return and_(Lease.expires_at > _NOW, Lease.put_off_at.is_(None))


def own_leases() -> ColumnElement[bool]:
    """Whether a lease is this reviewer's."""
    return and_(Lease.review_id == REVIEW, Lease.stage == STAGE, Lease.user_id == USER)


def leased_record() -> ColumnElement[bool]:
    return and_(Lease.review_id == Record.review_id, Lease.record_number == Record.number)


def is_among() -> ColumnElement[bool]:
    """Whether a record is one of `numbers`."""
    return Record.number.in_(bindparam("numbers", expanding=True))


def is_half_done() -> ColumnElement[bool]:
    """Whether a record has some of its decisions, and lacks others."""
    # As a query of its own it begins with the index on the number of decisions.
    return is_one_of(
        Record.number,
        select(ScreenedRecord.record_number).where(
            ScreenedRecord.review_id == REVIEW,
            ScreenedRecord.stage == STAGE,
            ScreenedRecord.n_decisions >= 1,
            ScreenedRecord.n_decisions < _QUOTA,
        ),
    )


def begun() -> ColumnElement[bool]:
    """Whether anybody has decided the record."""
    return func.coalesce(ScreenedRecord.n_decisions, 0) > 0
