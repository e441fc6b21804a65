"""What is left for one reviewer to decide: which records are free, held, or put off."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from heapq import heappop, heappush
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ScalarResult
from sqlalchemy.orm import Session

from tandem.db.pieces import pieces
from tandem.ids import RecordNumber
from tandem.screening import streams
from tandem.screening.lease_models import Lease
from tandem.screening.people.interests import OwnPapers
from tandem.screening.queue import queries, served
from tandem.screening.queue.order import Order, Sample
from tandem.screening.queue.queries import Which
from tandem.screening.queue.queue_filter import QueueFilter
from tandem.screening.queue.served import At
from tandem.screening.streams import Stream

_FIRST_CHUNK, _LARGEST_CHUNK = 80, 8000
"""The head of a fresh order is nearly always free, so few are asked for at first; behind a
reviewer who is far ahead of the others long stretches are not, so the steps grow."""


class ReviewerQueue:
    """One reviewer's view of what is left in a stage. Their own papers are not on it."""

    def __init__(self, session: Session, queue_filter: QueueFilter, own_papers: OwnPapers) -> None:
        self._session, self._filter, self._own_papers = session, queue_filter, own_papers

    def held(self) -> list[Lease]:
        """Return this reviewer's open leases on records that are still theirs to decide."""
        query = queries.held(self._filter.rules)
        return self._without_own(self._session.scalars(query, self._filter.parameters()))

    def give_back(self) -> None:
        """Let go of what this reviewer holds; what they had put off before is put off again."""
        held = self.held()
        numbers = [lease.record_number for lease in held]
        again = served.taken_up_again(self._session, self._filter, numbers) if held else set()
        for lease in held:
            if lease.record_number in again:
                lease.put_off_at = lease.expires_at = self._filter.now
            else:
                self._session.delete(lease)
        self._session.flush()

    def put_off(self) -> list[Lease]:
        """Return what this reviewer put off and may take up again, the longest ago first."""
        query = queries.put_off(self._filter.rules)
        return self._without_own(self._session.scalars(query, self._filter.parameters()))

    def take_up(self, lease: Lease) -> Lease:
        lease.put_off_at = None
        return lease

    def withholds(self, number: RecordNumber) -> bool:
        """Whether the record is not served to this reviewer, who has an interest in it."""
        return number in self._own_papers

    @property
    def is_shared(self) -> bool:
        """Whether several reviewers decide each record."""
        return self._filter.quota > 1

    @property
    def is_in_pilot(self) -> bool:
        """Whether a pilot round runs, so that everybody reads the same records."""
        return self._filter.pilot is not None

    def pilot(self, order: Order) -> Iterator[At]:
        """Yield the records of the pilot round that this reviewer has not decided."""
        for numbers in pieces(self._filter.pilot or ()):
            free = self._free_among(Which.NAMED, numbers)
            yield from (_at_number(order, number) for number in numbers if number in free)

    def free(self, order: Order) -> Iterator[At]:
        """Yield ranked records that may be held for this reviewer, best first."""
        for places in self._free_places(order, Which.NAMED):
            yield from (_at(order, place) for place in places.tolist())

    def untouched(self, order: Order) -> Iterator[At]:
        """Yield ranked records that nobody has decided, in this reviewer's own order."""
        return self._in_own_order(order, self._free_places(order, Which.UNTOUCHED))

    def half_done(self, order: Order, expected: int) -> Iterator[At]:
        """Yield ranked records that others have decided, in this reviewer's own order.

        The one decided last by anybody else comes after all others: that colleague may be
        in the same room. `expected` is about how many there are; they are looked for accordingly.
        """
        if not expected:
            return
        parameters = self._filter.parameters()
        just_finished = self._session.scalar(queries.DECIDED_LAST_BY_OTHERS, parameters)
        kept_back: At | None = None
        if expected > _LARGEST_CHUNK:
            found = self._free_places(order, Which.BEGUN)
        else:
            found = iter([_places(order.numbers, self._free_among(Which.HALF_DONE))])
        for at in self._in_own_order(order, found):
            if at.number == just_finished:
                kept_back = at
            else:
                yield at
        if kept_back is not None:
            yield kept_back

    def on_random_stream(self, order: Order, sample: Sample | None = None) -> Iterator[At]:
        """Yield the review's random stream, or an audit's, without what they cannot decide."""
        queue_filter = self._filter
        if sample is not None:
            stream = sample.numbers
        else:
            stream = streams.random_stream(
                queue_filter.seed, queue_filter.stage, queue_filter.last_record_number
            )
        if queue_filter.population is not None:
            stream = stream[_places(stream, queue_filter.population)]
        for _, numbers in _chunks(stream):
            named = numbers.tolist()
            free = self._free_among(Which.NAMED, named)
            for number in named:
                if number in free:
                    yield _at_number(order, RecordNumber(number))

    def unranked(self, order: Order) -> Iterator[At]:
        """Yield records of no ranking that may be held for this reviewer, as they were added."""
        ranked = set(order.numbers.tolist())
        after, size = 0, _FIRST_CHUNK
        while numbers := sorted(self._free_among(Which.BEHIND, after=after, size=size)):
            for number in numbers:
                if number not in ranked:
                    yield At(RecordNumber(number))
            after, size = numbers[-1], min(size * 4, _LARGEST_CHUNK)

    def _free_places(self, order: Order, which: Which) -> Iterator[NDArray[np.intp]]:
        for start, numbers in _chunks(order.numbers):
            free = self._free_among(which, numbers.tolist())
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
        queue_filter, number = self._filter, int(order.numbers[place])
        return streams.own_place(
            queue_filter.seed, queue_filter.stage, queue_filter.user_id, number, place
        )

    def _without_own(self, leases: ScalarResult[Lease]) -> list[Lease]:
        # Names and authors may have changed since they were served.
        return [lease for lease in leases.all() if not self.withholds(lease.record_number)]

    def _free_among(
        self, which: Which, numbers: Sequence[int] = (), **behind: int
    ) -> set[RecordNumber]:
        query = queries.free(self._filter.rules, which)
        return set(self._session.scalars(query, self._filter.parameters(numbers) | behind))

    def leases(self, places: Sequence[At], *, until: datetime) -> list[Lease]:
        """Hold these records for the reviewer; one that they held before is held again."""
        named = self._filter.parameters([at.number for at in places])
        known = self._session.scalars(queries.LEASES, named)
        before = {lease.record_number: lease for lease in known}
        return [self._lease(at, before.get(at.number), until) for at in places]

    def _lease(self, at: At, lease: Lease | None, until: datetime) -> Lease:
        if lease is None:
            lease = Lease(
                review_id=self._filter.review_id,
                stage=self._filter.stage,
                record_number=at.number,
                user_id=self._filter.user_id,
            )
            self._session.add(lease)
        lease.rank, lease.score, lease.ranking_id = at.rank, at.score, at.ranking_id
        lease.expires_at, lease.put_off_at = until, None
        return lease

    def kind_of_pick(self, number: int) -> Stream:
        return streams.kind_of_pick(
            self._filter.seed, self._filter.stage, self._filter.user_id, number
        )


def _at(order: Order, place: int) -> At:
    number, score = int(order.numbers[place]), float(order.scores[place])
    return At(RecordNumber(number), order.rank_at(place), score, order.ranking_id)


def _at_number(order: Order, number: RecordNumber) -> At:
    places = np.flatnonzero(order.numbers == number)
    return _at(order, int(places[0])) if len(places) else At(number)


def _places(numbers: NDArray[np.int32], some: Collection[int]) -> NDArray[np.intp]:
    """Return where in `numbers` those are that are among `some`, ascending."""
    return np.flatnonzero(np.isin(numbers, np.fromiter(some, np.int32, len(some))))


def _chunks(numbers: NDArray[np.int32]) -> Iterator[tuple[int, NDArray[np.int32]]]:
    start, size = 0, _FIRST_CHUNK
    while start < len(numbers):
        yield start, numbers[start : start + size]
        start, size = start + size, min(size * 4, _LARGEST_CHUNK)
