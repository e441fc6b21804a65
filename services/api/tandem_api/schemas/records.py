"""Records and imports."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from tandem.records.duplicates.relations import Relation
from tandem.records.formats.entry import Kind
from tandem.records.models import Record
from tandem.reviews.policy import Stage
from tandem.screening.rules import Classification, Verdict
from tandem.screening.shown_records import ShownRecord
from tandem.screening.visible_votes import ShownVote
from tandem_api.schemas.base import (
    WHOLE,
    Id,
    In,
    Line,
    Out,
    PersonId,
    PersonName,
    PlainText,
    Prose,
    RecordId,
)
from tandem_api.schemas.decisions import CLASSIFICATION, DecisionOut
from tandem_api.schemas.sources import RemovalOut
from tandem_api.schemas.words import ShownStatus


class SourceOut(Out):
    """Where one occurrence of the record came from, and its id there."""

    source: str | None = Field(examples=["Medline"])
    import_id: Id
    ref: str | None = Field(examples=["22000017"])

    @classmethod
    def of(cls, record: Record) -> "SourceOut":
        return cls(source=record.source, import_id=str(record.import_id), ref=record.ref)


class DuplicateOut(Out):
    """Another occurrence of the same record, linked to it and not shown on its own."""

    id: str
    title: str
    source: str | None

    @classmethod
    def of(cls, record: Record) -> "DuplicateOut":
        return cls(id=str(record.number), title=record.title, source=record.source)


class RelatedOut(Out):
    """Another record about the same work: it was corrected, retracted or published again."""

    id: str
    title: str
    relation: Relation


class CitationOut(Out):
    """A record as its source describes it, without the abstract."""

    id: RecordId
    title: str = Field(examples=["What peer workers say about their work"])
    authors: list[str] = Field(examples=[["Moran, Galia S.", "Russinova, Zlatka"]])
    year: int | None = Field(examples=[2012])
    journal: str | None = Field(examples=["Qualitative Health Research"])
    volume: str | None = Field(examples=["22"])
    issue: str | None = Field(examples=["10"])
    pages: str | None = Field(examples=["1356-1367"])
    doi: str | None = Field(examples=["10.1000/example.17"])
    pmid: str | None = Field(examples=["22000017"])
    url: str | None
    keywords: list[str] = Field(examples=[["peer support"]])
    language: str | None = Field(examples=["eng"])
    registry_ids: list[str] = Field(
        description="Numbers of trial registries that it has or names, such as NCT01234567. "
        "Of a trial's own record, its own number is the first.",
        examples=[["NCT01234567"]],
    )
    kind: Kind | None = Field(description="What was published, where the source says so.")


class BibliographicOut(CitationOut):
    """A record as its source describes it."""

    abstract: str = Field(
        examples=["Background: peer support is spreading. Methods: we interviewed 21 workers."]
    )

    @classmethod
    def of(cls, record: Record) -> "BibliographicOut":
        return cls(**bibliographic(record))


class _InReviewOut(Out):
    sources: list[SourceOut]
    duplicates: list[DuplicateOut] = Field(examples=[[]])
    duplicate_of: str | None
    related: list[RelatedOut] = Field(examples=[[]])
    stage: Stage
    status: ShownStatus = Field(examples=["excluded"])
    final_reason: str | None = Field(
        description="Why it counts as excluded, where you see that it is: of all reasons given, "
        "the first in the review's fixed order."
    )
    my_decision: DecisionOut | None
    added_at: datetime


class ListedRecordOut(CitationOut, _InReviewOut):
    """A record in a list. With `fields=brief` it has no abstract."""

    abstract: str | None = Field(
        default=None,
        exclude_if=lambda abstract: abstract is None,
        description="Left out with `fields=brief`.",
        examples=["Background: peer support is spreading. Methods: we interviewed 21 workers."],
    )

    @classmethod
    def listed(cls, item: ShownRecord, stage: Stage, *, brief: bool) -> "ListedRecordOut":
        abstract = None if brief else item.record.abstract
        return cls(**citation(item.record), **_in_review(item, stage), abstract=abstract)


class RecordOut(BibliographicOut, _InReviewOut):
    """A record in the review. `status` is as you may see it: `done` hides what is open."""

    @classmethod
    def shown(cls, item: ShownRecord, stage: Stage) -> "RecordOut":
        return cls(**bibliographic(item.record), **_in_review(item, stage))


def _in_review(item: ShownRecord, stage: Stage) -> dict[str, Any]:
    record, mine, labels_seq = item.record, item.my_decision, item.my_labels_seq
    return {
        "sources": [SourceOut.of(occurrence) for occurrence in item.occurrences],
        "duplicates": [DuplicateOut.of(occurrence) for occurrence in item.occurrences[1:]],
        "duplicate_of": None if record.duplicate_of is None else str(record.duplicate_of),
        "related": [
            RelatedOut(id=str(other.number), title=other.title, relation=relation)
            for other, relation in item.related
        ],
        "stage": stage,
        "status": item.status,
        "final_reason": item.final_reason,
        "my_decision": None
        if mine is None or labels_seq is None
        else DecisionOut.of(mine, labels_seq),
        "added_at": record.created_at,
    }


class RecordsOut(Out):
    """One page of records; `next_cursor` is null on the last."""

    items: list[ListedRecordOut]
    next_cursor: str | None
    n_matching: int | None = Field(
        description="With `count=true`: how many records the whole list has.", examples=[1204]
    )


class VoteOut(Out):
    """A present decision as you may see it: by name, or as A, B, C where names are hidden."""

    reviewer: PersonName
    reviewer_id: PersonId | None
    verdict: Verdict = Field(examples=["exclude"])
    reasons: list[str] = Field(examples=[["wrong study design"]])
    classification: Classification | None = Field(description=CLASSIFICATION, examples=[None])
    labels: list[str] = Field(examples=[[]])
    note: str | None
    decided_at: datetime | None = Field(examples=["2026-11-23T09:30:00Z"])
    criteria_version: int | None = Field(examples=[1])

    @classmethod
    def of(cls, vote: ShownVote) -> "VoteOut":
        return cls(
            reviewer=vote.reviewer,
            reviewer_id=None if vote.reviewer_id is None else str(vote.reviewer_id),
            verdict=vote.verdict,
            reasons=vote.reasons,
            classification=vote.classification,
            labels=vote.labels,
            note=vote.note,
            decided_at=vote.decided_at,
            criteria_version=vote.criteria_version,
        )


class WholeRecordOut(RecordOut):
    decisions: list[VoteOut] = Field(
        description="The present ones that are open to you: your own; those of others once you "
        "have decided and the record is settled; to those who see all, as the policy has it."
    )
    removal: RemovalOut | None = Field(
        description="That it is removed before screening; as it is now, whatever `as_of` says."
    )

    @classmethod
    def whole(
        cls, record: RecordOut, votes: Sequence[ShownVote], removal: RemovalOut | None
    ) -> "WholeRecordOut":
        shown = [VoteOut.of(vote) for vote in votes]
        return cls(**dict(record), decisions=shown, removal=removal)


def _written_as(pattern: str, longest: int) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "maxLength": longest})


Doi = Annotated[Line, _written_as(r"^10\.[0-9]{4,9}/[0-9A-Za-z._-]*[0-9A-Za-z]$", 300)]


Pmid = Annotated[Line, _written_as("^[1-9][0-9]{0,9}$", 10)]


Address = Annotated[PlainText, Field(max_length=2000), _written_as("^https?://[!-~]+$", 2000)]
"""What clients are asked to send; other ways to write the same are understood, too."""


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default")


class RecordPatch(In):
    """What is left out stays as it is; null empties a field, but the title.

    Values are brought to the form that an import gives them.
    """

    title: Annotated[Prose, Field(min_length=1, max_length=5000, pattern=r"\S")] = Field(
        default="", json_schema_extra=_without_default
    )
    abstract: Annotated[PlainText, Field(max_length=1_000_000)] | None = None
    authors: list[Line] | None = Field(default=None, max_length=10_000)
    year: Annotated[int, Field(ge=1000, le=2100), WHOLE] | None = Field(
        default=None, examples=[2013]
    )
    journal: Line | None = None
    volume: Line | None = None
    issue: Line | None = None
    pages: Line | None = Field(default=None, examples=["1356-1367"])
    doi: Doi | None = Field(default=None, examples=["10.1000/example.17"])
    pmid: Pmid | None = None
    url: Address | None = None
    keywords: list[Line] | None = Field(default=None, max_length=10_000)
    language: Line | None = None

    def changes(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.model_fields_set}


def citation(record: Record) -> dict[str, Any]:
    names = ("title", "authors", "year", "journal", "volume", "issue", "pages", "doi", "pmid")
    more = ("url", "keywords", "language", "registry_ids", "kind")
    return {"id": str(record.number)} | {name: getattr(record, name) for name in (*names, *more)}


def bibliographic(record: Record) -> dict[str, Any]:
    return citation(record) | {"abstract": record.abstract}
