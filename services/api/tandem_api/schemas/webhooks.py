"""Webhooks and their deliveries."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, cast

from pydantic import Field

from tandem.ids import UserId
from tandem.webhooks.endpoints import Changes
from tandem.webhooks.models import (
    DeliveryKind,
    DeliveryState,
    DisabledReason,
    Webhook,
    WebhookDelivery,
)
from tandem_api.schemas.base import WHOLE, Id, In, Line, Out, PersonId, PersonName, PlainText
from tandem_api.schemas.words import DeliveryType, EventType

_LARGEST = 2**31 - 1

Url = Annotated[
    PlainText,
    Field(
        min_length=1,
        max_length=2000,
        pattern="^https?://",
        description="https, and a name that leads to public addresses only, unless this "
        "installation allows more.",
    ),
]
Types = Annotated[
    list[EventType],
    Field(max_length=100, description="Only these types of events; empty: all."),
]
After = Annotated[
    int,
    Field(ge=0, le=_LARGEST, description="`sequence` of the last event that is not sent."),
    WHOLE,
]


class WebhookIn(In):
    """Where events go. Without `after`, from now on."""

    url: Url = Field(examples=["https://hooks.example.org/tandem"])
    types: Types = Field(
        default=[], examples=[["tandem.record.included", "tandem.conflict.opened"]]
    )
    description: Line | None = Field(default=None, examples=["Our data warehouse"])
    after: After | None = None


class WebhookPatch(In):
    """What changes; what is left out stays. `after` moves to another place in the log."""

    url: Url | None = None
    types: Types | None = None
    description: Line | None = None
    enabled: bool | None = Field(default=None, examples=[True])
    after: After | None = None

    def changes(self) -> Changes:
        """Return the fields that were sent. A null counts only for the description."""
        fields = self.model_dump(exclude_unset=True)
        kept = {k: v for k, v in fields.items() if v is not None or k == "description"}
        return cast(Changes, kept)


class WebhookOut(Out):
    """One endpoint. While `failing_since` is set, an event holds back those behind it."""

    id: Id
    url: str = Field(examples=["https://hooks.example.org/tandem"])
    types: list[EventType] = Field(examples=[["tandem.record.included", "tandem.conflict.opened"]])
    description: str | None = Field(examples=["Our data warehouse"])
    owner_id: PersonId = Field(
        description="Who answers for it: who added it, named its URL or switched it on last. It "
        "is switched off when they are no owner any more."
    )
    owner_name: PersonName
    created_at: datetime
    enabled: bool = Field(examples=[True])
    disabled_at: datetime | None
    disabled_reason: DisabledReason | None = Field(examples=[None])
    delivered_to: int = Field(
        ge=0, description="`sequence` of the last event that is done with.", examples=[118]
    )
    n_failures: int = Field(ge=0, description="Attempts in a row that failed.", examples=[0])
    failing_since: datetime | None
    next_attempt_at: datetime | None
    old_secret_until: datetime | None = Field(
        description="Until then the secret before the last rotation signs too."
    )

    @classmethod
    def of(cls, webhook: Webhook, delivered_to: int, names: Mapping[UserId, str]) -> "WebhookOut":
        return cls(**_fields(webhook, delivered_to, names))


class WebhookTroubleOut(Out):
    """A webhook that its owners have to look after: it fails, or was switched off for it."""

    id: Id
    url: str = Field(examples=["https://hooks.example.org/tandem"])
    state: Literal["failing", "off"] = Field(examples=["off"])
    reason: DisabledReason | None = Field(description="Why it is off.", examples=["failing"])
    since: datetime

    @classmethod
    def of(cls, webhook: Webhook) -> "WebhookTroubleOut":
        since = webhook.disabled_at or webhook.failing_since or webhook.created_at
        return cls(
            id=str(webhook.id),
            url=webhook.url,
            state="off" if webhook.disabled_at else "failing",
            reason=webhook.disabled_reason,
            since=since,
        )


class NewSecretOut(WebhookOut):
    """With its secret, which is in this answer and nowhere else."""

    secret: str = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])

    @classmethod
    def with_secret(
        cls, webhook: Webhook, delivered_to: int, names: Mapping[UserId, str]
    ) -> "NewSecretOut":
        return cls(**_fields(webhook, delivered_to, names), secret=webhook.secret)


def _fields(webhook: Webhook, delivered_to: int, names: Mapping[UserId, str]) -> dict[str, Any]:
    return {
        "id": str(webhook.id),
        "url": webhook.url,
        "types": webhook.types,
        "description": webhook.description,
        "owner_id": str(webhook.owner_id),
        "owner_name": names[webhook.owner_id],
        "created_at": webhook.created_at,
        "enabled": webhook.disabled_at is None,
        "disabled_at": webhook.disabled_at,
        "disabled_reason": webhook.disabled_reason,
        "delivered_to": delivered_to,
        "n_failures": webhook.n_failures,
        "failing_since": webhook.failing_since,
        "next_attempt_at": webhook.next_attempt_at,
        "old_secret_until": webhook.old_secret_until,
    }


class AttemptOut(Out):
    """One request: `status` and the beginning of the answer, or `error`."""

    at: datetime = Field(examples=["2026-11-23T09:29:55Z"])
    seconds: float = Field(ge=0, examples=[0.031])
    status: int | None = Field(examples=[503])
    error: str | None
    answer: str = Field(
        description="At most 1024 bytes of the body.", examples=["upstream is away"]
    )


class DeliveryOut(Out):
    """One event (or test) for this webhook. `event_id` is the `webhook-id` of every attempt."""

    id: Id
    kind: DeliveryKind
    state: DeliveryState
    event_id: Id
    event_type: DeliveryType
    sequence: int | None = Field(
        description="Of the event; null: a test, which is in no log.", examples=[118]
    )
    attempts: list[AttemptOut]
    created_at: datetime = Field(examples=["2026-11-23T09:29:55Z"])
    finished_at: datetime | None

    @classmethod
    def of(cls, delivery: WebhookDelivery) -> "DeliveryOut":
        return cls(
            id=str(delivery.id),
            kind=delivery.kind,
            state=delivery.state,
            event_id=delivery.event_id,
            event_type=delivery.event_type,
            sequence=delivery.seq,
            attempts=[AttemptOut(**attempt) for attempt in delivery.attempts],
            created_at=delivery.created_at,
            finished_at=delivery.finished_at,
        )
