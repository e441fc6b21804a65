"""Each reviewer's next records: best first, held for them by leases."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import partial
from itertools import islice
from math import inf

from sqlalchemy import delete
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.records import screened_records
from tandem.reviews import members
from tandem.reviews.models import LockedReview, Member, Review, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.lease_models import Lease
from tandem.screening.ledger.loading import screenable
from tandem.screening.ledger.state import RecordKey
from tandem.screening.people import workload
from tandem.screening.people.interests import OwnPapers, withheld
from tandem.screening.people.workload import Workload
from tandem.screening.queue import counting, picking, served
from tandem.screening.queue.counting import Counts
from tandem.screening.queue.order import Order, Sample
from tandem.screening.queue.queue_filter import QueueFilter
from tandem.screening.queue.reviewer_queue import ReviewerQueue
from tandem.screening.queue.served import At, Pick
from tandem.screening.streams import Stream


class QueueState(StrEnum):
    """`waiting`: what is left is held by others just now, or was put off by this reviewer.

    `finished`: nothing is left for this reviewer, or their share is done. `pilot_done`: they have
    read the pilot round, which is not ended.
    """

    READY = "ready"
    WAITING = "waiting"
    FINISHED = "finished"
    EMPTY = "empty"
    PAUSED = "paused"
    PILOT_DONE = "pilot_done"


@dataclass(frozen=True, slots=True)
class Queue:
    """Records held for the reviewer, best first.

    Attributes:
        items: What is held.
        remaining: How many they can still decide, these included: of all, of their share, or
            of the pilot round while it runs.
        state: Why there are as many items as there are.
        n_withheld: Records of the stage that are not served to them: they have an interest in them.
        workload: What they have decided, of how much.
        drawn: Of what was not held before, what came from the random order.
    """

    items: list[Lease]
    remaining: int
    state: QueueState
    n_withheld: int
    workload: Workload
    drawn: list[RecordNumber]


@dataclass(frozen=True, slots=True)
class Left:
    """`remaining` and `workload` as a `Queue` has them."""

    remaining: int
    workload: Workload


def what_is_left(session: Session, *, review: Review, viewer: Viewer, stage: Stage) -> Left:
    """Return what the queue would say is left for this reviewer.

    What is withheld from them is what is known when it is asked: `serve` goes on comparing their
    name with the authors of records that came in since.
    """
    viewer.require(Role.REVIEWER, "screen records")
    session.flush()
    member = members.get_member(session, review.id, viewer.user_id)
    queue_filter = QueueFilter.of(session, review, stage, viewer)
    counts = counting.count(
        session, queue_filter, lambda: withheld(session, review.id, viewer.user_id)
    )
    mine = _workload(session, queue_filter, viewer, member, counts)
    return Left(_remaining(queue_filter, counts, mine), mine)


def _workload(
    session: Session, queue_filter: QueueFilter, viewer: Viewer, member: Member, counts: Counts
) -> Workload:
    work = workload.of_members(
        session,
        queue_filter.review_id,
        queue_filter.stage,
        viewer.policies,
        [member],
        total=counts.total,
        decided=None if counts.decided is None else {member.user_id: counts.decided},
    )
    return work[member.user_id]


def _n_in_stage(
    session: Session, queue_filter: QueueFilter, numbers: Collection[RecordNumber]
) -> int:
    """Return how many of some records, none of them a duplicate, are in the stage."""
    if queue_filter.population is not None:
        return len(queue_filter.population.intersection(numbers))
    return len(numbers) - len(screened_records.left_out(session, queue_filter.review_id, numbers))


def _remaining(queue_filter: QueueFilter, counts: Counts, mine: Workload) -> int:
    # A pilot round is everybody's, whatever their share.
    left = mine.left if queue_filter.pilot is None else None
    return counts.remaining if left is None else min(counts.remaining, left)


def serve(
    session: Session,
    *,
    review: LockedReview,
    viewer: Viewer,
    stage: Stage,
    order: Order,
    limit: int,
    lasting: timedelta,
    anew: bool = False,
    sample: Sample | None = None,
) -> Queue:
    """Return this reviewer's next records and hold them for `lasting`.

    Their own open leases come first and are renewed, so asking again is safe. New ones follow,
    best first: which, `picking.picks` says. A record is held by at most as many reviewers as it
    still lacks decisions, and never served to anyone twice or beyond its number of decisions.
    Records of no ranking follow the ranked ones, those the reviewer put off come last. What was
    not held before is logged as served. `anew`: what they hold is given back first, so all that is
    served is from `order`. `sample`: the random order of an audit that is in force.
    """
    viewer.require(Role.REVIEWER, "screen records")
    queue_filter = QueueFilter.of(session, review, stage, viewer)
    served_now = partial(
        _serve, session, review, viewer, queue_filter, order, limit, lasting, anew, sample
    )
    found = served_now()
    if not found.items and counting.recount(session, review, queue_filter):
        # That nothing is left is never believed of numbers that were wrong.
        found = served_now()
    return found


def _serve(
    session: Session,
    review: LockedReview,
    viewer: Viewer,
    queue_filter: QueueFilter,
    order: Order,
    limit: int,
    lasting: timedelta,
    anew: bool,
    sample: Sample | None,
) -> Queue:
    member = members.get_member(session, review.id, viewer.user_id)
    own_papers = OwnPapers(session, review, member)
    counts = counting.count(session, queue_filter, lambda: own_papers.numbers)
    if not counts.has_interests:
        own_papers.numbers = frozenset()  # so they are not read
    n_withheld = len(own_papers.numbers)
    mine = _workload(session, queue_filter, viewer, member, counts)
    remaining = _remaining(queue_filter, counts, mine)
    if queue_filter.population is not None:
        order = order.among(queue_filter.population)
    leases, drawn = list[Lease](), list[RecordNumber]()
    if member.paused_at is None:
        reviewer_queue = ReviewerQueue(session, queue_filter, own_papers)
        if anew:
            reviewer_queue.give_back()
        leases, new = _hold(
            session,
            queue_filter,
            reviewer_queue,
            order,
            counts,
            min(limit, remaining),
            lasting,
            sample,
        )
        if queue_filter.pilot is None:
            drawn = [pick.at.number for pick in new if pick.stream is Stream.RANDOM]
        if len(own_papers.numbers) > n_withheld:  # found among what was about to be served
            counts = counting.count(session, queue_filter, lambda: own_papers.numbers)
            remaining = _remaining(queue_filter, counts, mine)
    state = _state(queue_filter, counts, remaining, has_items=bool(leases))
    return Queue(
        items=leases,
        remaining=remaining,
        state=QueueState.PAUSED if member.paused_at is not None else state,
        n_withheld=_n_in_stage(session, queue_filter, own_papers.numbers),
        workload=mine,
        drawn=drawn,
    )


def _hold(
    session: Session,
    queue_filter: QueueFilter,
    reviewer_queue: ReviewerQueue,
    order: Order,
    counts: Counts,
    limit: int,
    lasting: timedelta,
    sample: Sample | None,
) -> tuple[list[Lease], list[Pick]]:
    """Return what is held now, and what of it was not held before."""
    until, new = now() + lasting, list[Pick]()
    leases = _in_pilot_order(queue_filter, reviewer_queue.held())[:limit]
    if len(leases) < limit:
        first = served.how_many(session, queue_filter) + 1
        new = list(
            islice(picking.picks(reviewer_queue, order, counts, first, sample), limit - len(leases))
        )
        leases += reviewer_queue.leases(
            sorted((pick.at for pick in new), key=_best_first), until=until
        )
        late = reviewer_queue.put_off()[: limit - len(leases)] if len(leases) < limit else []
        leases = _in_pilot_order(
            queue_filter, [*leases, *(reviewer_queue.take_up(lease) for lease in late)]
        )
        again = [Pick(At.of(lease), Stream.AGAIN) for lease in late]
        served.log(session, queue_filter, first, [*new, *again])
    for lease in leases:
        lease.expires_at = until
    session.flush()
    return leases, new


def _in_pilot_order(queue_filter: QueueFilter, leases: list[Lease]) -> list[Lease]:
    """Order records of a pilot round as it is read, not by rank; leave all others as they are."""
    if queue_filter.pilot is None:
        return leases
    return sorted(leases, key=lambda lease: (queue_filter.pilot or ()).index(lease.record_number))


def put_off(
    session: Session, *, review: Review, viewer: Viewer, record_number: RecordNumber, stage: Stage
) -> None:
    """Give a record back unread: others may have it, this reviewer gets it again at the end."""
    viewer.require(Role.REVIEWER, "screen records")
    key = RecordKey(review.id, stage, record_number)
    screenable(session, key)
    lease = session.get(Lease, (*key.columns, viewer.user_id))
    if lease is not None:
        lease.put_off_at = lease.expires_at = now()


def release_all(session: Session, *, review_id: ReviewId, user_id: UserId) -> None:
    """Free everything held for somebody who left."""
    session.execute(delete(Lease).where(Lease.review_id == review_id, Lease.user_id == user_id))


def _best_first(at: At) -> tuple[float, RecordNumber]:
    return inf if at.rank is None else at.rank, at.number


def _state(
    queue_filter: QueueFilter, counts: Counts, remaining: int, *, has_items: bool
) -> QueueState:
    if has_items:
        return QueueState.READY
    if remaining:
        return QueueState.WAITING
    if not counts.total:
        return QueueState.EMPTY
    return QueueState.FINISHED if queue_filter.pilot is None else QueueState.PILOT_DONE
