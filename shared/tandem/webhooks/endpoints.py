"""Webhooks as their owners handle them: added, changed, switched off and on, removed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.db.keyset import Cursor, Slice, keyset_of_one
from tandem.errors import Conflict, Invalid, NotFound
from tandem.events import catalogue, log, positions
from tandem.events.positions import EventPosition, Place
from tandem.events.types import ReviewChanged
from tandem.ids import ReviewId, UserId, WebhookId, new_id
from tandem.reviews.models import LockedReview, Review
from tandem.webhooks import addresses, signing
from tandem.webhooks.addresses import Rules
from tandem.webhooks.models import (
    DeliveryKind,
    DeliveryState,
    DisabledReason,
    Webhook,
    WebhookDelivery,
)

_BY_ITSELF = [DisabledReason.FAILING, DisabledReason.GONE, DisabledReason.OWNER_LEFT]

MOST_WEBHOOKS = 20
"""In one review: each costs a request for every event."""


class TooManyWebhooks(Conflict):
    """A review has as many webhooks as it may."""

    code = "too_many_webhooks"


class Changes(TypedDict, total=False):
    """What may be changed; what is left out stays."""

    url: str
    types: list[str]
    description: str | None
    enabled: bool
    after: int


class _WebhooksChanged(ReviewChanged):
    """A review's change that the blinded do not hear of.

    That an endpoint failed, and when, may hang on how others voted: some events come only then.
    """

    open_to_blinded = False


def in_trouble(session: Session, review_id: ReviewId) -> Sequence[Webhook]:
    """Return the webhooks that fail at present, and those that nobody switched off by hand."""
    query = select(Webhook).where(
        Webhook.review_id == review_id,
        or_(Webhook.n_failures > 0, Webhook.disabled_reason.in_(_BY_ITSELF)),
    )
    return session.scalars(query.order_by(Webhook.created_at, Webhook.id)).all()


def known_types() -> frozenset[str]:
    """Return the types of all events that there are."""
    return frozenset(kind.type for kind in catalogue.kinds())


def add(
    session: Session,
    review: LockedReview,
    *,
    owner_id: UserId,
    url: str,
    types: Sequence[str] = (),
    description: str | None = None,
    after: int | None = None,
    rules: Rules,
) -> Webhook:
    """Add an endpoint. The caller has looked where the name leads.

    Args:
        session: Of a change to the review.
        review: Whose events are sent.
        owner_id: Who answers for it.
        url: Where to.
        types: Only events of these types; empty: all.
        description: For people.
        after: Number of the last event that is not sent; left out: nothing of the past is.
        rules: What this installation allows.

    Raises:
        UnsafeUrl: Nothing is sent there.
        TooManyWebhooks: There are as many as there may be.
        Invalid: There is no such type, or no such event yet.
    """
    addresses.parse(url, rules)
    _refuse_unknown(types)
    _refuse_future(review, after)
    count = select(func.count()).where(Webhook.review_id == review.id)
    if (session.scalar(count) or 0) >= MOST_WEBHOOKS:
        raise TooManyWebhooks(f"A review has at most {MOST_WEBHOOKS} webhooks. Remove one first.")
    webhook_id = WebhookId(new_id())
    webhook = Webhook(
        id=webhook_id,
        review_id=review.id,
        consumer=f"webhook:{webhook_id}",
        url=url,
        types=list(types),
        description=description,
        owner_id=owner_id,
        created_at=now(),
        secret=signing.new_secret(),
        n_failures=0,
        last_delivery=0,
        fence=0,
    )
    session.add(webhook)
    session.flush()
    tell(session, review, webhook, "added", by=owner_id)
    positions.move(
        session, webhook.consumer, Place(review.id, review.last_seq if after is None else after)
    )
    return webhook


def webhooks_of(
    session: Session, review_id: ReviewId, *, cursor: Cursor, limit: int
) -> Slice[Webhook]:
    """Return the review's webhooks, the oldest first."""
    query = select(Webhook).where(Webhook.review_id == review_id)
    return keyset_of_one(session, query, (Webhook.created_at, Webhook.id), cursor, limit)


def get(session: Session, *, review_id: ReviewId, webhook_id: WebhookId) -> Webhook:
    query = select(Webhook).where(Webhook.id == webhook_id, Webhook.review_id == review_id)
    if (webhook := session.scalars(query).one_or_none()) is None:
        raise NotFound("There is no such webhook in this review.")
    return webhook


def lock(session: Session, *, review_id: ReviewId, webhook_id: WebhookId) -> Webhook:
    """Return the webhook, locked. A change to it has locked the review before."""
    query = select(Webhook).where(Webhook.id == webhook_id, Webhook.review_id == review_id)
    locked = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    if (webhook := session.scalars(locked).one_or_none()) is None:
        raise NotFound("There is no such webhook in this review.")
    return webhook


def change(
    session: Session,
    review: Review,
    webhook: Webhook,
    changes: Changes,
    *,
    by: UserId,
    rules: Rules,
) -> None:
    """Change a locked webhook. It is tried again at once, whatever failed before.

    A request that is under way goes on by what stood before. Another position, or other types,
    cancel the delivery that was its turn. Who switches it on, or has it sent elsewhere, answers
    for it from then on.
    """
    _refuse_unknown(changes.get("types", ()))
    _refuse_future(review, changes.get("after"))
    if "url" in changes:
        addresses.parse(changes["url"], rules)
        webhook.url, webhook.owner_id = changes["url"], by
    if "types" in changes:
        webhook.types = changes["types"]
    if "description" in changes:
        webhook.description = changes["description"]
    if "after" in changes:
        positions.move(session, webhook.consumer, Place(review.id, changes["after"]))
    if "types" in changes or "after" in changes:
        _cancel_turn(session, webhook)
    webhook.n_failures, webhook.failing_since, webhook.next_attempt_at = 0, None, None
    if changes.get("enabled") is True:
        webhook.disabled_at = webhook.disabled_reason = None
        webhook.owner_id = by
    elif changes.get("enabled") is False and webhook.disabled_at is None:
        webhook.disabled_at, webhook.disabled_reason = now(), DisabledReason.BY_OWNER
    tell(session, review, webhook, "changed", by=by, changed=sorted(changes))


def rotate(session: Session, review: Review, webhook: Webhook, *, by: UserId) -> None:
    """Give a locked webhook another secret; the one before it signs too for 24 hours."""
    webhook.old_secret, webhook.secret = webhook.secret, signing.new_secret()
    webhook.old_secret_until = now() + signing.OLD_SECRET_LASTS
    tell(session, review, webhook, "secret rotated", by=by)


def remove(session: Session, review: Review, webhook: Webhook, *, by: UserId) -> None:
    """Remove a locked webhook with its deliveries; a request under way is the last."""
    session.execute(delete(EventPosition).where(EventPosition.consumer == webhook.consumer))
    session.delete(webhook)
    tell(session, review, webhook, "removed", by=by)


def tell(
    session: Session,
    review: Review,
    webhook: Webhook,
    what: str,
    *,
    by: UserId | None,
    **more: Any,
) -> None:
    """Append to the review's log that its webhooks changed, and to its trail how."""
    detail: Mapping[str, Any] = {
        "by": None if by is None else str(by),
        "webhook_id": str(webhook.id),
        "webhook": what,
    }
    log.append(session, review, _WebhooksChanged(changed=["webhooks"], detail={**detail, **more}))


def valid_secrets(webhook: Webhook, at: datetime) -> list[str]:
    """Return the secrets that sign at this moment, the newest first."""
    if webhook.old_secret is None or webhook.old_secret_until is None:
        return [webhook.secret]
    return (
        [webhook.secret, webhook.old_secret] if at < webhook.old_secret_until else [webhook.secret]
    )


def _cancel_turn(session: Session, webhook: Webhook) -> None:
    session.execute(
        update(WebhookDelivery)
        .where(
            WebhookDelivery.webhook_id == webhook.id,
            WebhookDelivery.kind == DeliveryKind.LOG,
            WebhookDelivery.state == DeliveryState.PENDING,
        )
        .values(state=DeliveryState.CANCELLED, finished_at=now())
        .execution_options(synchronize_session=False)
    )


def _refuse_unknown(types: Sequence[str]) -> None:
    unknown = sorted(set(types) - known_types())
    if unknown:
        raise Invalid(f"There are no events of type {unknown[0]!r}.", field="types")


def _refuse_future(review: Review, after: int | None) -> None:
    if after is not None and after > review.last_seq:
        raise Invalid(f"The last event here has the number {review.last_seq}.", field="after")
