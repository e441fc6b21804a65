"""What happened to a record."""

from datetime import datetime
from typing import Any

from pydantic import Field

from tandem.audit.history import HistoryEntry
from tandem.reviews.policy import Stage
from tandem_api.schemas.base import Out, PersonId, PersonName
from tandem_api.schemas.words import EventType, HappeningState


class HappeningOut(Out):
    """Something that happened to a record, as far as you may see it.

    `before` and `after` are verdicts of one reviewer, statuses of the record or states of its
    conflict, by the type; null for none, and where they are hidden from you.
    """

    sequence: int = Field(ge=1, description="As in the list of events.", examples=[41])
    type: EventType = Field(examples=["tandem.decision.recorded"])
    time: datetime
    stage: Stage | None = Field(description="Null for what concerns the record as a whole.")
    user_id: PersonId | None = Field(
        description="Who did it; null where it followed from something."
    )
    name: PersonName | None
    before: HappeningState | None
    after: HappeningState | None = Field(examples=["exclude"])
    detail: dict[str, Any] = Field(
        description="What else is known: reasons, a note, a cause.",
        examples=[
            {
                "carried_from": None,
                "criteria_version": 1,
                "entered_by": None,
                "note": None,
                "reasons": ["Not about health"],
                "second_in": None,
            }
        ],
    )

    @classmethod
    def of(cls, one: HistoryEntry) -> "HappeningOut":
        return cls(
            sequence=one.number,
            type=one.type,
            time=one.time,
            stage=one.stage,
            user_id=None if one.by is None else str(one.by),
            name=one.name,
            before=one.before,
            after=one.after,
            detail=dict(one.detail),
        )
