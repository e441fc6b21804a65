"""What is left for one reviewer to decide: which records are free, held, or put off."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.ids import RankingId, RecordNumber, ReviewId
from tandem.records.models import Record
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.models import Lease, PresentDecision, ScreenedRecord
from tandem.screening.order import Order
from tandem.screening.rules import Status

_FIRST_CHUNK, _LARGEST_CHUNK = 64, 8192
"""The head of a fresh order is nearly always free, so few are asked for at first; behind a
reviewer who is far ahead of the others long stretches are not, so the steps grow."""


@dataclass(frozen=True, slots=True)
class At:
    number: RecordNumber
    rank: int | None
    score: float | None
    ranking_id: RankingId | None


class Desk:
    """One reviewer's view of what is left in a stage."""

    def __init__(self, session: Session, review_id: ReviewId, stage: Stage, viewer: Viewer) -> None:
        self._session, self._review_id, self._stage = session, review_id, stage
        self._user_id = viewer.user_id
        self._quota = viewer.policies[stage].reviewers_per_record
        self._blind = viewer.policies[stage].blind
        self._now = now()

    def held(self) -> list[Lease]:
        """Return this reviewer's open leases on records that are still theirs to decide."""
        query = (
            select(Lease)
            .join(Record, _leased_record())
            .outerjoin(ScreenedRecord, self._screened())
            .where(
                self._mine(),
                Lease.expires_at > self._now,
                Lease.put_off_at.is_(None),
                self._open(),
            )
            .order_by(Lease.rank.is_(None), Lease.rank, Lease.record_number)
        )
        return list(self._session.scalars(query))

    def put_off(self) -> list[Lease]:
        """Return what this reviewer put off and may take up again, the longest ago first."""
        query = (
            select(Lease)
            .join(Record, _leased_record())
            .outerjoin(ScreenedRecord, self._screened())
            .where(self._mine(), Lease.put_off_at.is_not(None), self._has_room())
            .order_by(Lease.put_off_at, Lease.record_number)
        )
        return list(self._session.scalars(query))

    def take_up(self, lease: Lease) -> Lease:
        lease.put_off_at = None
        return lease

    def free(self, order: Order) -> Iterator[At]:
        """Yield records that may be held for this reviewer, best first, then the unranked."""
        for start, numbers in _chunks(order.numbers):
            free = self._free_among(Record.number.in_(numbers.tolist()))
            for offset, number in enumerate(numbers.tolist()):
                if number in free:
                    rank = start + offset
                    score = float(order.scores[rank])
                    yield At(RecordNumber(number), rank + 1, score, order.ranking_id)
        yield from self._unranked(order)

    def _unranked(self, order: Order) -> Iterator[At]:
        ranked = set(order.numbers.tolist())
        after = 0
        while numbers := sorted(self._free_among(Record.number > after, limit=_LARGEST_CHUNK)):
            for number in numbers:
                if number not in ranked:
                    yield At(RecordNumber(number), None, None, None)
            after = numbers[-1]

    def _free_among(self, which: ColumnElement[bool], limit: int | None = None) -> set[int]:
        query = (
            select(Record.number)
            .outerjoin(ScreenedRecord, self._screened())
            .where(
                Record.review_id == self._review_id,
                which,
                self._has_room(),
                ~self._has_mine(),
            )
            .order_by(Record.number)
            .limit(limit)
        )
        return set(self._session.scalars(query))

    def lease(self, at: At) -> Lease:
        lease = Lease(
            review_id=self._review_id,
            stage=self._stage,
            record_number=at.number,
            user_id=self._user_id,
            rank=at.rank,
            score=at.score,
            ranking_id=at.ranking_id,
            expires_at=self._now,
            put_off_at=None,
        )
        return self._session.merge(lease)

    def remaining(self) -> tuple[int, int]:
        """Return how many records this reviewer can still decide, and how many there are."""
        total = self._session.scalar(
            select(func.count()).where(
                Record.review_id == self._review_id, Record.duplicate_of.is_(None)
            )
        )
        closed = self._session.scalar(
            select(func.count())
            .select_from(ScreenedRecord)
            .outerjoin(
                PresentDecision,
                and_(
                    PresentDecision.review_id == ScreenedRecord.review_id,
                    PresentDecision.stage == ScreenedRecord.stage,
                    PresentDecision.record_number == ScreenedRecord.record_number,
                    PresentDecision.reviewer_id == self._user_id,
                ),
            )
            .where(
                ScreenedRecord.review_id == self._review_id,
                ScreenedRecord.stage == self._stage,
                or_(PresentDecision.decision_id.is_not(None), ~self._lacks_decisions()),
            )
        )
        return (total or 0) - (closed or 0), total or 0

    def _screened(self) -> ColumnElement[bool]:
        return and_(
            ScreenedRecord.review_id == Record.review_id,
            ScreenedRecord.stage == self._stage,
            ScreenedRecord.record_number == Record.number,
        )

    def _lacks_decisions(self) -> ColumnElement[bool]:
        lacks = ScreenedRecord.n_decisions < self._quota
        if self._blind:
            # By number alone: whether it is settled early would tell how others voted.
            return lacks
        open_still = ScreenedRecord.status.in_([Status.UNSCREENED, Status.AWAITING])
        return and_(lacks, open_still)

    def _open(self) -> ColumnElement[bool]:
        return and_(
            Record.duplicate_of.is_(None),
            or_(ScreenedRecord.status.is_(None), self._lacks_decisions()),
        )

    def _has_room(self) -> ColumnElement[bool]:
        """Whether fewer people have decided the record or hold it than it needs decisions."""
        held_by_others = (
            select(func.count())
            .where(
                Lease.review_id == Record.review_id,
                Lease.stage == self._stage,
                Lease.record_number == Record.number,
                Lease.user_id != self._user_id,
                Lease.expires_at > self._now,
            )
            .correlate(Record)
            .scalar_subquery()
        )
        decided = func.coalesce(ScreenedRecord.n_decisions, 0)
        return and_(self._open(), decided + held_by_others < self._quota)

    def _has_mine(self) -> ColumnElement[bool]:
        decided = (
            select(PresentDecision.decision_id)
            .where(
                PresentDecision.review_id == Record.review_id,
                PresentDecision.stage == self._stage,
                PresentDecision.record_number == Record.number,
                PresentDecision.reviewer_id == self._user_id,
            )
            .correlate(Record)
            .exists()
        )
        held = (
            select(Lease.user_id)
            .where(
                _leased_record(),
                self._mine(),
                or_(Lease.expires_at > self._now, Lease.put_off_at.is_not(None)),
            )
            .correlate(Record)
            .exists()
        )
        return or_(decided, held)

    def _mine(self) -> ColumnElement[bool]:
        return and_(
            Lease.review_id == self._review_id,
            Lease.stage == self._stage,
            Lease.user_id == self._user_id,
        )


def _leased_record() -> ColumnElement[bool]:
    return and_(Lease.review_id == Record.review_id, Lease.record_number == Record.number)


def _chunks(numbers: NDArray[np.int32]) -> Iterator[tuple[int, NDArray[np.int32]]]:
    start, size = 0, _FIRST_CHUNK
    while start < len(numbers):
        yield start, numbers[start : start + size]
        start, size = start + size, min(size * 4, _LARGEST_CHUNK)
