"""What is left for one reviewer to decide: which records are free, held, or put off."""

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, and_, func, select, true
from sqlalchemy.orm import Session

from tandem.db.pieces import pieces
from tandem.ids import RecordNumber
from tandem.records.models import Record
from tandem.reviews.models import Member
from tandem.screening.models import Decision, Lease, ScreenedRecord
from tandem.screening.people.interests import OwnPapers
from tandem.screening.queue import streams
from tandem.screening.queue.order import Order
from tandem.screening.queue.seat import Seat, begun, leased_record
from tandem.screening.queue.served import At
from tandem.screening.queue.streams import Stream

_FIRST_CHUNK, _LARGEST_CHUNK = 80, 8000
"""The head of a fresh order is nearly always free, so few are asked for at first; behind a
reviewer who is far ahead of the others long stretches are not, so the steps grow."""


class Desk:
    """One reviewer's view of what is left in a stage. Their own papers are not on it."""

    def __init__(self, session: Session, seat: Seat, own_papers: OwnPapers) -> None:
        self._session, self._seat, self._own_papers = session, seat, own_papers

    def held(self) -> list[Lease]:
        """Return this reviewer's open leases on records that are still theirs to decide."""
        query = (
            select(Lease)
            .join(Record, leased_record())
            .outerjoin(ScreenedRecord, self._seat.screened())
            .where(
                self._seat.leases(),
                Lease.expires_at > self._seat.now,
                Lease.put_off_at.is_(None),
                self._seat.is_open(),
            )
            .order_by(Lease.rank.is_(None), Lease.rank, Lease.record_number)
        )
        return self._without_own(self._session.scalars(query))

    def put_off(self) -> list[Lease]:
        """Return what this reviewer put off and may take up again, the longest ago first."""
        query = (
            select(Lease)
            .join(Record, leased_record())
            .outerjoin(ScreenedRecord, self._seat.screened())
            .where(self._seat.leases(), Lease.put_off_at.is_not(None), self._seat.has_room())
            .order_by(Lease.put_off_at, Lease.record_number)
        )
        return self._without_own(self._session.scalars(query))

    def take_up(self, lease: Lease) -> Lease:
        lease.put_off_at = None
        return lease

    def withholds(self, number: RecordNumber) -> bool:
        """Whether the record is not served to this reviewer, who has an interest in it."""
        return number in self._own_papers

    @property
    def is_shared(self) -> bool:
        """Whether several reviewers decide each record."""
        return self._seat.quota > 1

    @property
    def is_in_pilot(self) -> bool:
        """Whether a pilot round runs, so that everybody reads the same records."""
        return self._seat.pilot is not None

    def pilot(self, order: Order) -> Iterator[At]:
        """Yield the records of the pilot round that this reviewer has not decided."""
        for numbers in pieces(self._seat.pilot or ()):
            free = self._free_among(Record.number.in_(numbers))
            yield from (_at_number(order, number) for number in numbers if number in free)

    def free(self, order: Order) -> Iterator[At]:
        """Yield ranked records that may be held for this reviewer, best first."""
        for places in self._free_places(order, true()):
            yield from (_at(order, place) for place in places.tolist())

    def untouched(self, order: Order) -> Iterator[At]:
        """Yield ranked records that nobody has decided, in this reviewer's own order."""
        return self._in_own_order(order, self._free_places(order, ~begun()))

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
            found = self._free_places(order, begun())
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
        seat = self._seat
        stream = streams.random_stream(seat.seed, seat.stage, seat.last_record_number)
        for _, numbers in _chunks(stream):
            free = self._free_among(Record.number.in_(numbers.tolist()))
            for number in numbers.tolist():
                if number in free:
                    yield _at_number(order, RecordNumber(number))

    def unranked(self, order: Order) -> Iterator[At]:
        """Yield records of no ranking that may be held for this reviewer, as they were added."""
        ranked = set(order.numbers.tolist())
        after, size = 0, _FIRST_CHUNK
        while numbers := sorted(self._free_among(Record.number > after, limit=size)):
            for number in numbers:
                if number not in ranked:
                    yield At(RecordNumber(number))
            after, size = numbers[-1], min(size * 4, _LARGEST_CHUNK)

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
        seat, number = self._seat, int(order.numbers[place])
        return streams.own_place(seat.seed, seat.stage, seat.user_id, number, place)

    def _is_half_done(self) -> ColumnElement[bool]:
        # As a query of its own it begins with the index on the number of decisions.
        return Record.number.in_(
            select(ScreenedRecord.record_number).where(
                ScreenedRecord.review_id == self._seat.review_id,
                ScreenedRecord.stage == self._seat.stage,
                ScreenedRecord.n_decisions.in_(range(1, self._seat.quota)),
            )
        )

    def _decided_last_by_others(self) -> RecordNumber | None:
        """Return the record of the newest entry that another member has in the ledger."""
        newest_of_member = (
            select(Decision.labels_seq)
            .where(
                Decision.review_id == Member.review_id,
                Decision.reviewer_id == Member.user_id,
                Decision.stage == self._seat.stage,
            )
            .order_by(Decision.labels_seq.desc())
            .limit(1)
            .correlate(Member)
            .scalar_subquery()
        )
        newest = select(func.max(newest_of_member)).where(
            Member.review_id == self._seat.review_id, Member.user_id != self._seat.user_id
        )
        return self._session.scalar(
            select(Decision.record_number).where(
                Decision.review_id == self._seat.review_id,
                Decision.labels_seq == newest.scalar_subquery(),
            )
        )

    def _without_own(self, leases: Iterable[Lease]) -> list[Lease]:
        # Known ones only: the names were compared when they were served.
        own = self._own_papers.numbers
        return [lease for lease in leases if lease.record_number not in own]

    def _free_among(self, which: ColumnElement[bool], limit: int | None = None) -> set[int]:
        query = (
            select(Record.number)
            .outerjoin(ScreenedRecord, self._seat.screened())
            .where(
                Record.review_id == self._seat.review_id,
                which,
                self._seat.has_room(),
                ~self._seat.has_decided(),
                ~self._seat.has_in_hand(),
            )
            .order_by(Record.number)
            .limit(limit)
        )
        return set(self._session.scalars(query))

    def lease(self, at: At) -> Lease:
        lease = Lease(
            review_id=self._seat.review_id,
            stage=self._seat.stage,
            record_number=at.number,
            user_id=self._seat.user_id,
            rank=at.rank,
            score=at.score,
            ranking_id=at.ranking_id,
            expires_at=self._seat.now,
            put_off_at=None,
        )
        return self._session.merge(lease)

    def kind_of_pick(self, number: int) -> Stream:
        return streams.kind_of_pick(self._seat.seed, self._seat.stage, self._seat.user_id, number)


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
