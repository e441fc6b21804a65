"""Who sends what to a webhook when: claimed, sent outside any transaction, settled under a fence.

One claim for each webhook, so one request at a time: an event that is not delivered holds back
those behind it. What was sent and the new position are noted together afterwards; a process that is
killed between the two leaves a claim that runs out, and the event is sent again with its id.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select, update
from sqlalchemy.orm import Session

from tandem.accounts.models import User
from tandem.db.base import now
from tandem.db.session import Database
from tandem.events import positions
from tandem.events.envelope import Envelope
from tandem.events.log import Event
from tandem.events.positions import EventPosition, Place
from tandem.ids import DeliveryId, ReviewId, WebhookId
from tandem.log import logger
from tandem.reviews import service as reviews
from tandem.reviews.models import Member, Review, Role
from tandem.webhooks import deliveries, endpoints, retries
from tandem.webhooks.choosing import by_hand, may_be_tried, next_by_hand, next_in_log
from tandem.webhooks.models import (
    DeliveryKind,
    DeliveryState,
    DisabledReason,
    Webhook,
    WebhookDelivery,
)
from tandem.webhooks.sending import Answer
from tandem.work.attempts import has_run_out

LEASE = timedelta(seconds=20)
"""Longer than a request may take: a claim runs out only where its process is dead."""


_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Held:
    """The right, and all that it takes, to send one message; nothing else is sent there."""

    webhook_id: WebhookId
    review_id: ReviewId
    fence: int
    delivery_id: DeliveryId
    event_id: str
    url: str
    body: str
    secrets: tuple[str, ...]
    attempt: int
    """Of an event, 1 for the first one. It may have started again at 1 by the time it is
    settled."""


def is_used(session: Session) -> bool:
    """Whether there is any webhook at all; most installations have none, and are asked often."""
    return session.scalar(_ANY) is not None


_ANY = select(Webhook.id).limit(1)


def due(session: Session, *, limit: int) -> Sequence[WebhookId]:
    """Return webhooks for which there is something to send now, and which nobody holds."""
    in_log = and_(
        Webhook.disabled_at.is_(None),
        may_be_tried(),
        Review.last_seq > EventPosition.seq,
    )
    query = (
        select(Webhook.id)
        .join(Review, Review.id == Webhook.review_id)
        .join(
            EventPosition,
            and_(
                EventPosition.consumer == Webhook.consumer,
                EventPosition.review_id == Webhook.review_id,
            ),
        )
        .where(_is_free(), _is_owned(), or_(in_log, exists().where(by_hand())))
        .order_by(EventPosition.moved_at)
        .limit(limit)
    )
    return session.scalars(query).all()


def claim(database: Database, webhook_id: WebhookId) -> Held | None:
    """Take what is to be sent to a webhook now, if there is something and nobody holds it."""
    with database.write.begin() as session:
        fence = session.execute(
            update(Webhook)
            .where(Webhook.id == webhook_id, _is_free(), _is_owned())
            .values(fence=Webhook.fence + 1, lease_until=now() + LEASE)
            .returning(Webhook.fence)
            .execution_options(synchronize_session=False)
        ).scalar_one_or_none()
        if fence is None:
            return None
        webhook = session.get_one(Webhook, webhook_id, populate_existing=True)
        return _take_next(session, webhook)


def settle(database: Database, held: Held, answer: Answer, *, go_on: bool = True) -> Held | None:
    """Note what came of a message, and take the next one if there is one and `go_on`.

    Nothing is noted, and None returned, where the claim was lost.
    """
    with database.write.begin() as session:
        may_end = answer.is_gone or retries.wait_after(held.attempt, chance=0) is None
        # Whatever may tell of something begins with the review's row; see `reviews.lock`.
        try:
            review = _lock(session, held.review_id) if may_end else None
        except reviews.NoReview:
            return None
        webhook = _held(session, held)
        if webhook is None:
            _log.warning("a webhook's delivery came too late", webhook_id=str(held.webhook_id))
            return None
        delivery = session.scalars(
            select(WebhookDelivery).where(WebhookDelivery.id == held.delivery_id)
        ).one()
        delivery.attempts = [*delivery.attempts, _noted(answer)]
        if delivery.kind is not DeliveryKind.LOG:
            _finish(delivery, taken=answer.is_taken)
        # How an earlier URL failed says nothing of the one that it goes to now.
        elif delivery.state is DeliveryState.PENDING and (
            answer.is_taken or held.url == webhook.url
        ):
            _settle_turn(session, review, webhook, delivery, answer)
        # Looked at again: a turn is long enough for somebody to be owner no more.
        if not go_on or not _has_owner(session, webhook):
            webhook.lease_until = None
            return None
        webhook.lease_until = now() + LEASE
        return _take_next(session, webhook)


def abandoned(session: Session) -> Sequence[tuple[ReviewId, WebhookId]]:
    """Return the webhooks that are on, though nobody who is an owner answers for them any more."""
    query = select(Webhook.review_id, Webhook.id).where(Webhook.disabled_at.is_(None), ~_is_owned())
    return [(review_id, webhook_id) for review_id, webhook_id in session.execute(query)]


def switch_off_abandoned(database: Database, review_id: ReviewId, webhook_id: WebhookId) -> None:
    """Switch such a webhook off, unless that has changed meanwhile."""
    with database.write.begin() as session:
        review = _lock(session, review_id)
        query = select(Webhook).where(
            Webhook.id == webhook_id, Webhook.disabled_at.is_(None), ~_is_owned()
        )
        webhook = session.scalars(query.with_for_update(key_share=True, of=Webhook)).one_or_none()
        if webhook is not None:
            _switch_off(session, review, webhook, DisabledReason.OWNER_LEFT)


def _lock(session: Session, review_id: ReviewId) -> Review:
    """Lock a review; what happened before one was archived is delivered all the same."""
    return reviews.lock(session, review_id, also_archived=True)


def _is_free() -> ColumnElement[bool]:
    return has_run_out(Webhook.lease_until, lasting=LEASE)


def _is_owned() -> ColumnElement[bool]:
    return exists().where(
        Member.review_id == Webhook.review_id,
        Member.user_id == Webhook.owner_id,
        Member.role == Role.OWNER,
        User.id == Member.user_id,
        User.is_active,
    )


def _has_owner(session: Session, webhook: Webhook) -> bool:
    query = select(Webhook.id).where(Webhook.id == webhook.id, _is_owned())
    return session.scalar(query) is not None


def _held(session: Session, held: Held) -> Webhook | None:
    query = select(Webhook).where(Webhook.id == held.webhook_id, Webhook.fence == held.fence)
    return session.scalars(query.with_for_update(key_share=True)).one_or_none()


def _take_next(session: Session, webhook: Webhook) -> Held | None:
    """Return what is to be sent now; else give the claim back."""
    delivery = next_by_hand(session, webhook) or next_in_log(session, webhook)
    if delivery is None:
        webhook.lease_until = None
        return None
    moment = now()
    return Held(
        webhook_id=webhook.id,
        review_id=webhook.review_id,
        fence=webhook.fence,
        delivery_id=delivery.id,
        event_id=delivery.event_id,
        url=webhook.url,
        body=_body(session, webhook, delivery),
        secrets=tuple(endpoints.valid_secrets(webhook, moment)),
        attempt=webhook.n_failures + 1 if delivery.kind is DeliveryKind.LOG else 1,
    )


def _body(session: Session, webhook: Webhook, delivery: WebhookDelivery) -> str:
    if delivery.seq is None:
        return deliveries.test_message(webhook, delivery).as_text()
    return Envelope.of(session.get_one(Event, (webhook.review_id, delivery.seq))).as_text()


def _noted(answer: Answer) -> dict[str, Any]:
    return {
        "at": now().isoformat(),
        "seconds": round(answer.seconds, 3),
        "status": answer.status,
        "error": answer.error,
        "answer": answer.excerpt,
    }


def _finish(delivery: WebhookDelivery, *, taken: bool) -> None:
    delivery.state = DeliveryState.DELIVERED if taken else DeliveryState.FAILED
    delivery.finished_at = now()


def _settle_turn(
    session: Session,
    review: Review | None,
    webhook: Webhook,
    delivery: WebhookDelivery,
    answer: Answer,
) -> None:
    """Note what came of the event that is the webhook's turn."""
    if answer.is_taken:
        _finish(delivery, taken=True)
        positions.move(session, webhook.consumer, Place(webhook.review_id, delivery.seq or 0))
        webhook.n_failures, webhook.failing_since, webhook.next_attempt_at = 0, None, None
        return
    webhook.n_failures += 1
    chance = random.random()  # noqa: S311  # it spreads load and keeps no secret
    wait = None if answer.is_gone else retries.wait_after(webhook.n_failures, chance=chance)
    if wait is not None:
        webhook.failing_since = webhook.failing_since or now()
        webhook.next_attempt_at = now() + wait
        return
    _finish(delivery, taken=False)
    if review is not None and webhook.disabled_at is None:
        reason = DisabledReason.GONE if answer.is_gone else DisabledReason.FAILING
        _switch_off(session, review, webhook, reason)


def _switch_off(session: Session, review: Review, webhook: Webhook, reason: DisabledReason) -> None:
    webhook.disabled_at, webhook.disabled_reason = now(), reason
    webhook.n_failures, webhook.next_attempt_at = 0, None
    endpoints.tell(session, review, webhook, "switched off", by=None, reason=reason)
    _log.warning("webhook switched off", webhook_id=str(webhook.id), reason=reason)
