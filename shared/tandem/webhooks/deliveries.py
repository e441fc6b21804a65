"""The log of a webhook's deliveries, and those that are asked for by hand."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.db.keyset import START, Cursor, Slice, keyset_of_one
from tandem.errors import NotFound
from tandem.events.envelope import Envelope
from tandem.events.log import Event
from tandem.ids import DeliveryId, new_id
from tandem.webhooks.models import DeliveryKind, DeliveryState, Webhook, WebhookDelivery

TEST_TYPE = "tandem.webhook.test"
"""Of a message that is no event: it is in no log and has no number."""

KEPT = 1000
"""Deliveries of a webhook that are remembered."""


def page(
    session: Session, webhook: Webhook, *, limit: int, cursor: Cursor = START
) -> Slice[WebhookDelivery]:
    """Return deliveries, the newest first."""
    query = select(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook.id)
    return keyset_of_one(session, query, [WebhookDelivery.number.desc()], cursor, limit)


def get(session: Session, webhook: Webhook, delivery_id: DeliveryId) -> WebhookDelivery:
    query = select(WebhookDelivery).where(
        WebhookDelivery.id == delivery_id, WebhookDelivery.webhook_id == webhook.id
    )
    if (found := session.scalars(query).one_or_none()) is None:
        raise NotFound("There is no such delivery of this webhook.")
    return found


def ask_for_test(session: Session, webhook: Webhook) -> WebhookDelivery:
    """Have a message sent that says nothing, to a locked webhook, whether it is on or off."""
    return _add(session, webhook, DeliveryKind.TEST, str(new_id()), TEST_TYPE, None)


def redeliver(session: Session, webhook: Webhook, sent: WebhookDelivery) -> WebhookDelivery:
    """Have something sent once more, to a locked webhook; return the delivery that will tell.

    What is its turn and waits for its next attempt is tried now. Everything else is sent again
    outside of the order, once.
    """
    is_next = sent.kind is not DeliveryKind.LOG or webhook.disabled_at is None
    if sent.state is DeliveryState.PENDING and is_next:
        webhook.next_attempt_at = None
        return sent
    kind = DeliveryKind.TEST if sent.seq is None else DeliveryKind.REDELIVERY
    return _add(session, webhook, kind, sent.event_id, sent.event_type, sent.seq)


def add_event(session: Session, webhook: Webhook, event: Event) -> WebhookDelivery:
    """Note that it is this event's turn."""
    return _add(session, webhook, DeliveryKind.LOG, str(event.id), event.type, event.seq)


def test_message(webhook: Webhook, delivery: WebhookDelivery) -> Envelope:
    """Return what is sent as a test."""
    return Envelope(
        id=delivery.event_id,
        source=f"/reviews/{webhook.review_id}",
        type=TEST_TYPE,
        time=delivery.created_at,
        data={"webhook_id": str(webhook.id)},
    )


def _add(
    session: Session,
    webhook: Webhook,
    kind: DeliveryKind,
    event_id: str,
    event_type: str,
    seq: int | None,
) -> WebhookDelivery:
    webhook.last_delivery += 1
    made = WebhookDelivery(
        webhook_id=webhook.id,
        number=webhook.last_delivery,
        id=DeliveryId(new_id()),
        kind=kind,
        state=DeliveryState.PENDING,
        event_id=event_id,
        event_type=event_type,
        seq=seq,
        attempts=[],
        created_at=now(),
    )
    session.add(made)
    session.flush()
    session.execute(
        delete(WebhookDelivery)
        .where(
            WebhookDelivery.webhook_id == webhook.id,
            WebhookDelivery.number <= webhook.last_delivery - KEPT,
            WebhookDelivery.state != DeliveryState.PENDING,
        )
        .execution_options(synchronize_session=False)
    )
    return made
