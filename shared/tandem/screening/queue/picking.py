"""Which records a reviewer gets next, one pick after the other."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count

from tandem.ids import RecordNumber
from tandem.screening import streams
from tandem.screening.queue.counting import Counts
from tandem.screening.queue.order import Order, Sample
from tandem.screening.queue.reviewer_queue import ReviewerQueue
from tandem.screening.queue.served import At, Pick
from tandem.screening.streams import Stream

_OTHERWISE = (Stream.HALF_DONE, Stream.RANKING, Stream.UNRANKED)
"""Where a pick is taken from when there is none left of its own kind."""

_DRAWS_ONLY = (Stream.HALF_DONE, Stream.RANDOM, *_OTHERWISE[1:])
"""The same while an audit is open: what others have begun is ended first."""


def picks(
    reviewer_queue: ReviewerQueue,
    order: Order,
    counts: Counts,
    first: int,
    sample: Sample | None = None,
) -> Iterator[Pick]:
    """Yield what to serve next, as pick number `first` of this reviewer and those after it.

    While a pilot round runs, everybody gets its records in its order. Otherwise a reviewer who
    decides records alone gets them by rank, and so does everybody before there is a ranking. Of
    several reviewers each gets half-done records, new ones and those of the random stream by
    turns, as `streams.kind_of_pick` says. It goes by the number of decisions and the ranks alone,
    so it tells nothing of a verdict. While an audit is open, everybody gets half-done records and
    then draws of its `sample`; otherwise the sample stands for the random stream.
    """
    if reviewer_queue.is_in_pilot:
        yield from (
            Pick(at, Stream.RANDOM) for at in _offered(reviewer_queue, reviewer_queue.pilot(order))
        )
    elif (sample is not None and sample.is_all) or (
        reviewer_queue.is_shared and order.ranking_id is not None
    ):
        yield from _by_turns(reviewer_queue, order, counts, first, sample)
    else:
        yield from _by_rank(reviewer_queue, order)


def _by_rank(reviewer_queue: ReviewerQueue, order: Order) -> Iterator[Pick]:
    for at in _offered(reviewer_queue, reviewer_queue.free(order)):
        yield Pick(at, Stream.RANKING)
    for at in _offered(reviewer_queue, reviewer_queue.unranked(order)):
        yield Pick(at, Stream.UNRANKED)


def _by_turns(
    reviewer_queue: ReviewerQueue, order: Order, counts: Counts, first: int, sample: Sample | None
) -> Iterator[Pick]:
    sources = {
        Stream.HALF_DONE: _offered(
            reviewer_queue, reviewer_queue.half_done(order, counts.half_done_by_others)
        ),
        Stream.RANKING: _offered(reviewer_queue, reviewer_queue.untouched(order)),
        Stream.RANDOM: _offered(reviewer_queue, reviewer_queue.on_random_stream(order, sample)),
        Stream.UNRANKED: _offered(reviewer_queue, reviewer_queue.unranked(order)),
    }
    finish_first = counts.half_done > streams.half_done_cap(counts.total)
    taken = set[RecordNumber]()
    for number in count(first):
        kind = reviewer_queue.kind_of_pick(number)
        if kind is Stream.RANKING and finish_first:
            kind = Stream.HALF_DONE
        kinds = _DRAWS_ONLY if sample is not None and sample.is_all else (kind, *_OTHERWISE)
        pick = _take(kinds, sources, taken)
        if pick is None:
            return
        yield pick


def _offered(reviewer_queue: ReviewerQueue, found: Iterator[At]) -> Iterator[At]:
    return (at for at in found if not reviewer_queue.withholds(at.number))


def _take(
    kinds: Sequence[Stream], sources: Mapping[Stream, Iterator[At]], taken: set[RecordNumber]
) -> Pick | None:
    """Return the first record of the first kind that has one left, and add it to `taken`."""
    for stream in kinds:
        for at in sources[stream]:
            if at.number not in taken:
                taken.add(at.number)
                return Pick(at, stream)
    return None
