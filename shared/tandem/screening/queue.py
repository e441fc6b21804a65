"""Each reviewer's next records: best first, held for them by leases."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from itertools import islice
from math import inf

from sqlalchemy import delete
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.reviews.models import Review, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening import ledger, picking
from tandem.screening.desk import At, Counts, Desk, Pick
from tandem.screening.ledger import Place
from tandem.screening.models import Lease
from tandem.screening.order import Order
from tandem.screening.streams import Stream


class QueueState(StrEnum):
    """`waiting`: what is left is held by others just now, or was put off by this reviewer."""

    READY = "ready"
    WAITING = "waiting"
    FINISHED = "finished"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Queue:
    """Records held for the reviewer, best first.

    `remaining` says how many they can still decide, these included.
    """

    items: list[Lease]
    remaining: int
    state: QueueState


def serve(
    session: Session,
    *,
    review: Review,
    viewer: Viewer,
    stage: Stage,
    order: Order,
    limit: int,
    lasting: timedelta,
) -> Queue:
    """Return this reviewer's next records and hold them for `lasting`.

    Their own open leases come first and are renewed, so asking again is safe. New ones follow,
    best first: which, `picking.picks` says. A record is held by at most as many reviewers as it
    still lacks decisions, and never served to anyone twice or beyond its number of decisions.
    Records of no ranking follow the ranked ones, those the reviewer put off come last. What was
    not held before is logged as served. The caller has locked the review.
    """
    viewer.require(Role.REVIEWER, "screen records")
    desk = Desk(session, review, stage, viewer)
    counts, first = desk.counts(), desk.n_served() + 1
    leases = desk.held()[:limit]
    new = list(islice(picking.picks(desk, order, counts, first), limit - len(leases)))
    leases += [desk.lease(at) for at in sorted((pick.at for pick in new), key=_best_first)]
    late = desk.put_off()[: limit - len(leases)]
    leases += [desk.take_up(lease) for lease in late]
    for lease in leases:
        lease.expires_at = now() + lasting
    desk.log(first, [*new, *(Pick(At.of(lease), Stream.AGAIN) for lease in late)])
    session.flush()
    state = _state(bool(leases), counts)
    return Queue(items=leases, remaining=counts.remaining, state=state)


def put_off(
    session: Session, *, review: Review, viewer: Viewer, record_number: RecordNumber, stage: Stage
) -> None:
    """Give a record back unread: others may have it, this reviewer gets it again at the end."""
    viewer.require(Role.REVIEWER, "screen records")
    place = Place(review.id, stage, record_number)
    ledger.screenable(session, place)
    lease = session.get(Lease, (*place.key, viewer.user_id))
    if lease is not None:
        lease.put_off_at = lease.expires_at = now()


def release_all(session: Session, *, review_id: ReviewId, user_id: UserId) -> None:
    """Free everything held for somebody who left."""
    session.execute(delete(Lease).where(Lease.review_id == review_id, Lease.user_id == user_id))


def _best_first(at: At) -> tuple[float, RecordNumber]:
    return inf if at.rank is None else at.rank, at.number


def _state(has_items: bool, counts: Counts) -> QueueState:
    if has_items:
        return QueueState.READY
    if counts.remaining:
        return QueueState.WAITING
    return QueueState.FINISHED if counts.total else QueueState.EMPTY
