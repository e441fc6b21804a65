"""Events in their envelope: CloudEvents 1.0, JSON."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from tandem.events.log import Event
from tandem_api.schemas.base import Out
from tandem_api.schemas.words import EventType


class EventOut(Out):
    """One event. `sequence` is its number in the log as you may see it, without gaps.

    `labels_seq` in `data` counts, for the blinded, only the changes that they may know of.
    """

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str = Field(examples=["/reviews/6f1c…"])
    type: EventType = Field(examples=["tandem.decision.recorded"])
    time: datetime
    subject: str | None = Field(default=None, exclude_if=lambda value: value is None)
    datacontenttype: Literal["application/json"] = "application/json"
    data: dict[str, Any]
    sequence: int = Field(ge=1)

    @classmethod
    def of(cls, number: int, event: Event, *, labels_seq: int | None = None) -> "EventOut":
        """Return an event under this number; with `labels_seq`, its `data` has that one."""
        data = event.data
        return cls(
            id=str(event.id),
            source=f"/reviews/{event.review_id}",
            type=event.type,
            time=event.created_at,
            subject=event.subject,
            data=data if labels_seq is None else data | {"labels_seq": labels_seq},
            sequence=number,
        )
