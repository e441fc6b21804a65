"""Webhooks that are behind, as background work; see `tandem.work.jobs`."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from tandem.events.log import Event
from tandem.events.positions import EventPosition
from tandem.ids import WebhookId
from tandem.reviews.models import Review
from tandem.webhooks.delivery import LEASE
from tandem.webhooks.models import (
    DeliveryKind,
    DeliveryState,
    DisabledReason,
    Webhook,
    WebhookDelivery,
)
from tandem.work.jobs import Job, JobKind, JobState

_GIVEN_UP = (DisabledReason.GONE, DisabledReason.FAILING)


def unfinished(session: Session, moment: datetime) -> Iterator[Job]:
    """Find the webhooks that are behind their log, or were switched off for their failures."""
    query = (
        select(Webhook, Event.created_at)
        .join(Review, Review.id == Webhook.review_id)
        .outerjoin(
            EventPosition,
            (EventPosition.consumer == Webhook.consumer)
            & (EventPosition.review_id == Webhook.review_id),
        )
        .outerjoin(
            Event,
            (Event.review_id == Webhook.review_id) & (Event.seq == EventPosition.seq + 1),
        )
        .where(
            Review.deleted_at.is_(None),
            or_(
                Webhook.disabled_reason.in_(_GIVEN_UP),
                Webhook.disabled_at.is_(None) & (EventPosition.seq < Review.last_seq),
            ),
        )
    )
    found = session.execute(query).all()
    answers = _last_answers(session, [row.id for row, _ in found if row.n_failures])
    for row, waits_since in found:
        if row.disabled_at is not None:
            state, since = JobState.PARKED, row.disabled_at
        elif row.lease_until is not None and row.lease_until >= moment:
            state, since = JobState.RUNNING, row.lease_until - LEASE
        elif row.n_failures:
            state, since = JobState.FAILED, row.failing_since or waits_since
        else:
            state, since = JobState.QUEUED, waits_since
        yield Job(
            id=f"{JobKind.WEBHOOK}-{row.id}",
            kind=JobKind.WEBHOOK,
            state=state,
            review_id=row.review_id,
            target=row.id,
            since=since,
            attempts=row.n_failures,
            cause=answers.get(row.id) or row.disabled_reason,
            next_try_at=row.next_attempt_at if state is JobState.FAILED else None,
            is_over=state is JobState.PARKED,
        )


def _last_answers(session: Session, webhook_ids: list[WebhookId]) -> dict[WebhookId, str]:
    """Return what came of the last attempts at what is their turn."""
    query = select(WebhookDelivery.webhook_id, WebhookDelivery.attempts).where(
        WebhookDelivery.webhook_id.in_(webhook_ids),
        WebhookDelivery.state == DeliveryState.PENDING,
        WebhookDelivery.kind == DeliveryKind.LOG,
    )
    return {
        webhook_id: str(attempts[-1].get("error") or f"HTTP {attempts[-1].get('status')}")
        for webhook_id, attempts in session.execute(query)
        if attempts
    }
