"""Which delivery of a webhook comes next: one that an owner asked for, or the next event."""

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.events import positions
from tandem.events.log import Event
from tandem.events.positions import Place
from tandem.webhooks import deliveries, retries
from tandem.webhooks.models import (
    DeliveryKind,
    DeliveryState,
    Webhook,
    WebhookDelivery,
)
from tandem.work.attempts import CLOCKS_APART


def may_be_tried() -> ColumnElement[bool]:
    """Whether no failure keeps it waiting; one further ahead than it lets wait is of another clock.

    Clocks are set back: who trusted the time that was noted would wait for as long.
    """
    moment, next_at = now(), Webhook.next_attempt_at
    of_another_clock = (
        and_(Webhook.n_failures == n, next_at > moment + retries.longest_wait(n) + CLOCKS_APART)
        for n in range(1, len(retries.WAITS) + 1)
    )
    return or_(next_at.is_(None), next_at <= moment, *of_another_clock)


def by_hand() -> ColumnElement[bool]:
    return and_(
        WebhookDelivery.webhook_id == Webhook.id,
        WebhookDelivery.state == DeliveryState.PENDING,
        WebhookDelivery.kind != DeliveryKind.LOG,
    )


def next_by_hand(session: Session, webhook: Webhook) -> WebhookDelivery | None:
    query = (
        select(WebhookDelivery)
        .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
        .where(Webhook.id == webhook.id, by_hand())
        .order_by(WebhookDelivery.number)
        .limit(1)
    )
    return session.scalars(query).one_or_none()


def next_in_log(session: Session, webhook: Webhook) -> WebhookDelivery | None:
    if webhook.disabled_at is not None:
        return None
    if session.scalar(select(~may_be_tried()).where(Webhook.id == webhook.id)):
        return None
    event = _first_wanted(session, webhook)
    if event is None:
        return None
    waiting = session.scalars(
        select(WebhookDelivery).where(
            WebhookDelivery.webhook_id == webhook.id,
            WebhookDelivery.kind == DeliveryKind.LOG,
            WebhookDelivery.state == DeliveryState.PENDING,
        )
    ).one_or_none()
    if waiting is not None:
        return waiting
    return deliveries.add_event(session, webhook, event)


def _first_wanted(session: Session, webhook: Webhook) -> Event | None:
    """Return the event that is the webhook's turn; if there is none, move behind all others."""
    done = positions.get(session, webhook.consumer, webhook.review_id)
    behind = (Event.review_id == webhook.review_id, Event.seq > done)
    # Asked first: what is committed after this is not passed over, whatever the search then sees.
    end = session.scalar(select(func.max(Event.seq)).where(*behind))
    if end is None:
        return None
    wanted = select(Event).where(*behind, Event.seq <= end)
    if webhook.types:
        wanted = wanted.where(Event.type.in_(webhook.types))
    event = session.scalars(wanted.order_by(Event.seq).limit(1)).one_or_none()
    if event is None:
        positions.move(session, webhook.consumer, Place(webhook.review_id, end))
    return event
