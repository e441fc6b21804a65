"""Events in their CloudEvents 1.0 envelope, as webhooks and the Redis stream send them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from tandem.events.log import Event


class Envelope(BaseModel):
    """One event as text, as the HTTP list and stream show it to people who see every event.

    `sequence` is the number in the full log; an event outside the log has none.
    """

    model_config = ConfigDict(frozen=True)

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    type: str
    time: datetime
    subject: str | None = None
    datacontenttype: Literal["application/json"] = "application/json"
    data: dict[str, Any]
    sequence: int | None = None

    @classmethod
    def of(cls, event: Event) -> "Envelope":
        return cls(
            id=str(event.id),
            source=f"/reviews/{event.review_id}",
            type=event.type,
            time=event.created_at,
            subject=event.subject,
            data=event.data,
            sequence=event.seq,
        )

    def as_text(self) -> str:
        """Return the same JSON each time, without empty fields."""
        return self.model_dump_json(exclude_none=True)
