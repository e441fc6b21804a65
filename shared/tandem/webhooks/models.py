"""Endpoints to which a review's events are sent, and what became of each sending."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from tandem.db.base import Base
from tandem.ids import DeliveryId, ReviewId, UserId, WebhookId
from tandem.reviews.models import stored_enum


class DisabledReason(StrEnum):
    """Why nothing is sent to a webhook any more.

    `by_owner`: an owner did; `gone`: it answered 410; `failing`: every attempt of days
    failed; `owner_left`: the one who answers for it is no owner of the review any more, or their
    account is switched off.
    """

    BY_OWNER = "by_owner"
    GONE = "gone"
    FAILING = "failing"
    OWNER_LEFT = "owner_left"


class DeliveryKind(StrEnum):
    """`log`: in its turn; `redelivery` and `test`: asked for by hand, outside of the order."""

    LOG = "log"
    REDELIVERY = "redelivery"
    TEST = "test"


class DeliveryState(StrEnum):
    """`cancelled`: another position was chosen, or other types, before it was delivered."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Webhook(Base):
    """One endpoint of one review. Its row is the claim to send: one request at a time.

    `owner_id` is the person who answers for it: the one who added it, set its URL or switched it on
    last. What it is sent is what owners see, so it is sent nothing once they are an owner no more.
    """

    __tablename__ = "webhook"
    __table_args__ = (Index(None, "review_id", "created_at"),)

    id: Mapped[WebhookId] = mapped_column(primary_key=True)
    review_id: Mapped[ReviewId] = mapped_column(ForeignKey("review.id", ondelete="CASCADE"))
    consumer: Mapped[str] = mapped_column(unique=True)
    """The name under which its position in the log is stored."""
    url: Mapped[str]
    types: Mapped[list[str]]
    description: Mapped[str | None]
    owner_id: Mapped[UserId] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime]

    secret: Mapped[str]
    old_secret: Mapped[str | None]
    old_secret_until: Mapped[datetime | None]

    disabled_at: Mapped[datetime | None]
    disabled_reason: Mapped[DisabledReason | None] = mapped_column(stored_enum(DisabledReason))

    n_failures: Mapped[int] = mapped_column(default=0)
    """Of the event that is its turn; it holds back those behind it."""
    failing_since: Mapped[datetime | None]
    next_attempt_at: Mapped[datetime | None]
    last_delivery: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(default=0)


class WebhookDelivery(Base):
    """One event (or test) for one webhook, with every attempt: `{at, status, error, …}`."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (Index(None, "webhook_id", "state"),)

    webhook_id: Mapped[WebhookId] = mapped_column(
        ForeignKey("webhook.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    id: Mapped[DeliveryId] = mapped_column(unique=True)
    kind: Mapped[DeliveryKind] = mapped_column(stored_enum(DeliveryKind))
    state: Mapped[DeliveryState] = mapped_column(stored_enum(DeliveryState))
    event_id: Mapped[str]
    event_type: Mapped[str]
    seq: Mapped[int | None]
    attempts: Mapped[list[dict[str, Any]]]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
