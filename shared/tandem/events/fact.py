"""A fact: the base of everything that can happen to a review.

Facts are thin: ids and public state, never a verdict. `open_to_blinded` says whether a
blinded reviewer may know that it happened at all; where it depends on how others voted
(an outcome, a conflict), it is closed to them.
"""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field


class Fact(BaseModel):
    """Something that happened. `subject` is the id of what it happened to.

    `detail` is for the audit trail alone: who, what, from which state to which. It never leaves
    by the ways that events do, and is not part of the published fact.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: ClassVar[str]
    open_to_blinded: ClassVar[bool] = True

    detail: dict[str, Any] = Field(default={}, exclude=True, repr=False)

    @property
    def subject(self) -> str | None:
        return None
