"""Each reviewer's next records: best first, held for them by leases."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from itertools import islice

from sqlalchemy import delete
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.reviews.models import Review, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening import ledger
from tandem.screening.desk import Desk
from tandem.screening.ledger import Place
from tandem.screening.models import Lease
from tandem.screening.order import Order


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

    Their own open leases come first and are renewed, so asking again is safe. A record is
    held by at most as many reviewers as it still lacks decisions, and never served to anyone
    twice or beyond its number of decisions. Records of no ranking follow the ranked ones,
    those the reviewer put off come last. The caller has locked the review.
    """
    viewer.require(Role.REVIEWER, "screen records")
    desk = Desk(session, review.id, stage, viewer)
    leases = desk.held()[:limit]
    fresh = desk.free(order)
    leases += [desk.lease(at) for at in islice(fresh, limit - len(leases))]
    leases += [desk.take_up(late) for late in desk.put_off()[: limit - len(leases)]]
    for lease in leases:
        lease.expires_at = now() + lasting
    session.flush()
    remaining, total = desk.remaining()
    return Queue(items=leases, remaining=remaining, state=_state(bool(leases), remaining, total))


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


def _state(has_items: bool, remaining: int, total: int) -> QueueState:
    if has_items:
        return QueueState.READY
    if remaining:
        return QueueState.WAITING
    return QueueState.FINISHED if total else QueueState.EMPTY
