"""Studies, ratings, sampling and near misses."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StrictBool

from tandem.ids import RecordNumber
from tandem.reporting.near_misses import Because, ShownNearMiss
from tandem.studies.proposals import Proposal
from tandem.studies.ratings import ShownRating
from tandem.studies.separate import Pair
from tandem.studies.service import ShownStudy
from tandem_api.schemas.base import WHOLE, Id, In, Line, Out, PersonId, PersonName, Prose, RecordId

Ids = Annotated[list[RecordId], Field(min_length=1, max_length=500, examples=[["17", "23"]])]
Fields = dict[Line, Prose]
_NOTED = {"setting": "Community mental health"}


class StudyIn(In):
    """Reports that are of one study."""

    reports: Ids
    label: Line | None = Field(default=None, examples=["Okafor 2012"])
    primary: RecordId | None = Field(default=None, description="The report to cite first.")
    fields: Fields | None = Field(
        default=None, max_length=100, description="Anything you note of it.", examples=[_NOTED]
    )


class SeparateIn(In):
    """Reports that are not of one study; `separate: false` takes that back."""

    reports: Annotated[list[RecordId], Field(min_length=2, max_length=50, examples=[["17", "23"]])]
    separate: StrictBool = True


class StudyPatch(In):
    """What is left out stays as it is."""

    label: Line | None = Field(default=None, examples=["Okafor 2012"])
    primary: RecordId | None = None
    fields: Fields = Field(default={}, max_length=100, examples=[_NOTED])


class SamplingIn(In):
    """Whether a study is used in the synthesis; null: undecided, which counts as yes."""

    sampled: StrictBool | None
    note: Prose | None = Field(default=None, examples=["Thin description"])


class StudyOut(Out):
    """A study: `grouped` by people; `proposed`, or two reports kept `separate`: without an id.

    `sampled` is null where nobody has decided it, and for blinded members. `warnings`:
    `mixed_study` where you see that one report is included and another one excluded.
    """

    id: Id | None
    state: Literal["grouped", "proposed", "separate"]
    label: str | None = Field(examples=["Okafor 2012"])
    primary: RecordId | None
    reports: list[RecordId]
    fields: dict[str, str] = Field(examples=[_NOTED])
    sampled: bool | None
    evidence: list[str] = Field(examples=[["both name NCT01234567"]])
    warnings: list[Literal["mixed_study"]]
    created_at: datetime | None = Field(examples=["2026-11-23T09:30:00Z"])

    @classmethod
    def of(cls, shown: ShownStudy) -> "StudyOut":
        return cls(
            id=str(shown.row.id),
            state="grouped",
            label=shown.row.label,
            primary=None if shown.primary is None else str(shown.primary),
            reports=[str(number) for number in shown.reports],
            fields=shown.row.fields,
            sampled=shown.row.sampled if shown.sees_sampling else None,
            evidence=[],
            warnings=["mixed_study"] if shown.is_mixed else [],
            created_at=shown.row.created_at,
        )

    @classmethod
    def of_proposal(cls, proposal: Proposal) -> "StudyOut":
        return cls._made_by_nobody("proposed", proposal.reports, proposal.evidence)

    @classmethod
    def of_separate(cls, pair: Pair) -> "StudyOut":
        return cls._made_by_nobody("separate", pair, [])

    @classmethod
    def _made_by_nobody(
        cls,
        state: Literal["proposed", "separate"],
        numbers: Sequence[RecordNumber],
        evidence: Sequence[str],
    ) -> "StudyOut":
        return cls(
            id=None,
            state=state,
            label=None,
            primary=None,
            reports=[str(number) for number in numbers],
            fields={},
            sampled=None,
            evidence=[*evidence],
            warnings=[],
            created_at=None,
        )


Mark = Annotated[int, Field(ge=1, le=5), WHOLE]


class RatingIn(In):
    """From 1, the least, to 5; null or left out takes it back."""

    richness: Mark | None = Field(default=None, examples=[4])
    relevance: Mark | None = Field(default=None, examples=[5])


class RatingOut(Out):
    by: PersonId
    name: PersonName
    richness: int | None = Field(examples=[4])
    relevance: int | None = Field(examples=[5])

    @classmethod
    def of(cls, shown: ShownRating) -> "RatingOut":
        return cls(
            by=str(shown.by),
            name=shown.name,
            richness=shown.richness,
            relevance=shown.relevance,
        )


class RatingsOut(Out):
    """The ratings of a report that you may see: all, or while you are blinded your own."""

    items: list[RatingOut]


class NearMissIn(In):
    listed: StrictBool
    explanation: Prose | None = Field(default=None, examples=["Eligible but for its setting."])


class NearMissOut(Out):
    """An excluded report that nearly was included."""

    record_id: RecordId
    reason: str | None = Field(examples=["No health setting"])
    because: list[Because]
    struck: bool
    explanation: str | None = Field(examples=["Eligible but for its setting."])

    @classmethod
    def of(cls, shown: ShownNearMiss) -> "NearMissOut":
        return cls(
            record_id=str(shown.number),
            reason=shown.reason,
            because=list(shown.because),
            struck=shown.is_struck,
            explanation=shown.explanation,
        )
