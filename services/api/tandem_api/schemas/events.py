"""Events in their envelope: CloudEvents 1.0, JSON."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from tandem.events.log import Event
from tandem_api.schemas.base import Id, Out, RecordId
from tandem_api.schemas.words import EventType


class EventOut(Out):
    """One event. `sequence` is its number in the log as you may see it, without gaps.

    `labels_seq` in `data` counts, for the blinded, only the changes that they may know of.
    """

    specversion: Literal["1.0"] = "1.0"
    id: Id
    source: str = Field(examples=["/reviews/6f1c…"])
    type: EventType = Field(examples=["tandem.decision.recorded"])
    time: datetime
    subject: RecordId | None = Field(default=None, exclude_if=lambda value: value is None)
    datacontenttype: Literal["application/json"] = "application/json"
    data: dict[str, Any] = Field(
        examples=[
            {
                "labels_seq": 42,
                "record_id": "17",
                "reviewer_id": "0d1f2a3b-4c5d-4e6f-8a7b-9c0d1e2f3a4b",
                "stage": "title_abstract",
            }
        ]
    )
    sequence: int = Field(ge=1, examples=[5])

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
