"""Groups of duplicates."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import Field

from tandem.ids import UserId
from tandem.records.duplicates.models import DuplicateGroup, GroupState
from tandem.records.models import Record
from tandem_api.schemas.base import Id, In, Out, PersonId, PersonName, PlainText
from tandem_api.schemas.records import BibliographicOut, SourceOut, bibliographic


class CandidateOut(BibliographicOut):
    """A record of a group, as its own source describes it."""

    source: SourceOut

    @classmethod
    def candidate(cls, record: Record) -> "CandidateOut":
        return cls(**bibliographic(record), source=SourceOut.of(record))


class GroupOut(Out):
    """Records that are one (`linked`), may be (`proposed`) or are not (`kept`).

    `representative` is the record that is screened for the whole group while it is linked.
    `score` in [0, 1] says how sure the link is, `evidence` why.
    """

    id: Id
    state: GroupState
    records: list[CandidateOut]
    representative: str | None
    score: float = Field(ge=0, le=1, examples=[0.93])
    evidence: list[str] = Field(examples=[["equal titles", "same first author"]])
    created_at: datetime
    settled_at: datetime | None = Field(examples=["2026-11-23T09:30:00Z"])
    settled_by: PersonId | None = Field(description="Who settled it; null: nobody yet, or a rule.")
    settled_by_name: PersonName | None

    @classmethod
    def of(
        cls, group: DuplicateGroup, records: list[Record], names: Mapping[UserId, str]
    ) -> "GroupOut":
        linked = group.state is GroupState.LINKED
        shown = [record for record in records if linked and record.is_shown]
        return cls(
            id=str(group.id),
            state=group.state,
            records=[CandidateOut.candidate(record) for record in records],
            representative=str(shown[0].number) if shown else None,
            score=group.score,
            evidence=group.evidence,
            created_at=group.created_at,
            settled_at=group.settled_at,
            settled_by=None if group.settled_by is None else str(group.settled_by),
            settled_by_name=None if group.settled_by is None else names[group.settled_by],
        )


class SplitIn(In):
    """Which records leave the group, each on its own; left out: all are parted."""

    record_ids: list[PlainText] | None = Field(
        default=None, min_length=1, max_length=1000, examples=[["912"]]
    )
