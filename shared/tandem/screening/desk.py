"""What is left for one reviewer to decide: which records are free, held, or put off."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, and_, func, insert, or_, select, true
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.ids import RankingId, RecordNumber
from tandem.records.models import Record
from tandem.reviews.models import Member, Review
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening import streams
from tandem.screening.models import Decision, Lease, PresentDecision, ScreenedRecord, Served
from tandem.screening.order import Order
from tandem.screening.rules import Status
from tandem.screening.streams import Stream

_FIRST_CHUNK, _LARGEST_CHUNK = 80, 8000
"""The head of a fresh order is nearly always free, so few are asked for at first; behind a
reviewer who is far ahead of the others long stretches are not, so the steps grow."""


@dataclass(frozen=True, slots=True)
class At:
    number: RecordNumber
    rank: int | None = None
    score: float | None = None
    ranking_id: RankingId | None = None

    @classmethod
    def of(cls, lease: Lease) -> "At":
        return cls(lease.record_number, lease.rank, lease.score, lease.ranking_id)


@dataclass(frozen=True, slots=True)
class Pick:
    at: At
    stream: Stream


@dataclass(frozen=True, slots=True)
class Counts:
    """How many records there are for one reviewer to decide, leases aside.

    Attributes:
        total: In the review, duplicates aside.
        remaining: The reviewer can still decide.
        half_done: Have some of their decisions but lack others, whoever gave them.
        half_done_by_others: Of these, the reviewer has not decided.
    """

    total: int
    remaining: int
    half_done: int
    half_done_by_others: int


class Desk:
    """One reviewer's view of what is left in a stage."""

    def __init__(self, session: Session, review: Review, stage: Stage, viewer: Viewer) -> None:
        self._session, self._review_id, self._stage = session, review.id, stage
        self._seed, self._last_record_number = review.seed, review.last_record_number
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

    @property
    def is_shared(self) -> bool:
        """Whether several reviewers decide each record."""
        return self._quota > 1

    def free(self, order: Order) -> Iterator[At]:
        """Yield ranked records that may be held for this reviewer, best first."""
        for places in self._free_places(order, true()):
            yield from (_at(order, place) for place in places.tolist())

    def untouched(self, order: Order) -> Iterator[At]:
        """Yield ranked records that nobody has decided, in this reviewer's own order."""
        return self._in_own_order(order, self._free_places(order, ~_begun()))

    def half_done(self, order: Order, expected: int) -> Iterator[At]:
        """Yield ranked records that others have decided, in this reviewer's own order.

        The one decided last by anybody else comes after all others: that colleague may sit at
        the next desk. `expected` is how many there are about; they are looked for accordingly.
        """
        if not expected:
            return
        just_finished = self._decided_last_by_others()
        kept_back: At | None = None
        if expected > _LARGEST_CHUNK:
            found = self._free_places(order, _begun())
        else:
            found = iter([_places(order.numbers, self._free_among(self._is_half_done()))])
        for at in self._in_own_order(order, found):
            if at.number == just_finished:
                kept_back = at
            else:
                yield at
        if kept_back is not None:
            yield kept_back

    def on_random_stream(self, order: Order) -> Iterator[At]:
        """Yield the review's random stream, without what this reviewer cannot decide."""
        stream = streams.random_stream(self._seed, self._stage, self._last_record_number)
        for _, numbers in _chunks(stream):
            free = self._free_among(Record.number.in_(numbers.tolist()))
            for number in numbers.tolist():
                if number in free:
                    yield _at_number(order, RecordNumber(number))

    def unranked(self, order: Order) -> Iterator[At]:
        """Yield records of no ranking that may be held for this reviewer, as they were added."""
        ranked = set(order.numbers.tolist())
        after = 0
        while numbers := sorted(self._free_among(Record.number > after, limit=_LARGEST_CHUNK)):
            for number in numbers:
                if number not in ranked:
                    yield At(RecordNumber(number))
            after = numbers[-1]

    def _free_places(self, order: Order, which: ColumnElement[bool]) -> Iterator[NDArray[np.intp]]:
        for start, numbers in _chunks(order.numbers):
            free = self._free_among(and_(Record.number.in_(numbers.tolist()), which))
            yield start + _places(numbers, free)

    def _in_own_order(self, order: Order, found: Iterator[NDArray[np.intp]]) -> Iterator[At]:
        waiting: list[tuple[float, int]] = []
        for place in chain.from_iterable(places.tolist() for places in found):
            while waiting and waiting[0][0] <= place:
                yield _at(order, heappop(waiting)[1])
            heappush(waiting, (self._own_place(order, place), place))
        while waiting:
            yield _at(order, heappop(waiting)[1])

    def _own_place(self, order: Order, place: int) -> float:
        number = int(order.numbers[place])
        return streams.own_place(self._seed, self._stage, self._user_id, number, place)

    def _is_half_done(self) -> ColumnElement[bool]:
        # As a query of its own it begins with the index on the number of decisions.
        return Record.number.in_(
            select(ScreenedRecord.record_number).where(
                ScreenedRecord.review_id == self._review_id,
                ScreenedRecord.stage == self._stage,
                ScreenedRecord.n_decisions.in_(range(1, self._quota)),
            )
        )

    def _decided_last_by_others(self) -> RecordNumber | None:
        """Return the record of the newest entry that another member has in the ledger."""
        newest_of_member = (
            select(Decision.labels_seq)
            .where(
                Decision.review_id == Member.review_id,
                Decision.reviewer_id == Member.user_id,
                Decision.stage == self._stage,
            )
            .order_by(Decision.labels_seq.desc())
            .limit(1)
            .correlate(Member)
            .scalar_subquery()
        )
        newest = select(func.max(newest_of_member)).where(
            Member.review_id == self._review_id, Member.user_id != self._user_id
        )
        return self._session.scalar(
            select(Decision.record_number).where(
                Decision.review_id == self._review_id,
                Decision.labels_seq == newest.scalar_subquery(),
            )
        )

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

    def n_served(self) -> int:
        """Return how many picks this reviewer has been served in the stage."""
        query = select(func.max(Served.pick)).where(
            Served.review_id == self._review_id,
            Served.stage == self._stage,
            Served.user_id == self._user_id,
        )
        return self._session.scalar(query) or 0

    def kind_of_pick(self, number: int) -> Stream:
        return streams.kind_of_pick(self._seed, self._stage, self._user_id, number)

    def log(self, first: int, picks: Sequence[Pick]) -> None:
        """Log that these are served, as pick number `first` of this reviewer and those after."""
        rows = [
            {
                "review_id": self._review_id,
                "stage": self._stage,
                "user_id": self._user_id,
                "pick": number,
                "record_number": pick.at.number,
                "served_at": self._now,
                "rank": pick.at.rank,
                "ranking_id": pick.at.ranking_id,
                "stream": pick.stream,
            }
            for number, pick in enumerate(picks, start=first)
        ]
        if rows:
            self._session.execute(insert(Served), rows)

    def counts(self) -> Counts:
        total = self._session.scalar(
            select(func.count()).where(
                Record.review_id == self._review_id, Record.duplicate_of.is_(None)
            )
        )
        is_mine = PresentDecision.decision_id.is_not(None)
        is_half_done = and_(self._lacks_decisions(), _begun())
        closed, half_done, by_others = self._session.execute(
            select(
                func.count().filter(or_(is_mine, ~self._lacks_decisions())),
                func.count().filter(is_half_done),
                func.count().filter(is_half_done, ~is_mine),
            )
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
            .where(ScreenedRecord.review_id == self._review_id, ScreenedRecord.stage == self._stage)
        ).one()
        return Counts(total or 0, (total or 0) - closed, half_done, by_others)

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


def _begun() -> ColumnElement[bool]:
    return func.coalesce(ScreenedRecord.n_decisions, 0) > 0


def _at(order: Order, place: int) -> At:
    number, score = int(order.numbers[place]), float(order.scores[place])
    return At(RecordNumber(number), place + 1, score, order.ranking_id)


def _at_number(order: Order, number: RecordNumber) -> At:
    places = np.flatnonzero(order.numbers == number)
    return _at(order, int(places[0])) if len(places) else At(number)


def _places(numbers: NDArray[np.int32], some: set[int]) -> NDArray[np.intp]:
    """Return where in `numbers` those are that are among `some`, ascending."""
    return np.flatnonzero(np.isin(numbers, np.fromiter(some, np.int32, len(some))))


def _chunks(numbers: NDArray[np.int32]) -> Iterator[tuple[int, NDArray[np.int32]]]:
    start, size = 0, _FIRST_CHUNK
    while start < len(numbers):
        yield start, numbers[start : start + size]
        start, size = start + size, min(size * 4, _LARGEST_CHUNK)
