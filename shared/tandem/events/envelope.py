"""Events in their envelope, CloudEvents 1.0, as they leave this installation unasked."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from tandem.events.log import Event


class Envelope(BaseModel):
    """One event as text: the same as the HTTP list and stream show to whoever sees everything.

    `sequence` is the number in the full log; what is not in the log has none.
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
        """Return JSON that is the same each time, without what is not there."""
        return self.model_dump_json(exclude_none=True)
