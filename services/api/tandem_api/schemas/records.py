"""Records and imports."""

from datetime import date, datetime
from typing import Any, Literal, get_args

from pydantic import Field

from tandem.records.duplicates.relations import Relation
from tandem.records.formats.entry import Kind
from tandem.records.models import Import, ImportState, ImportStep, Record
from tandem.reviews.policy import Stage
from tandem.screening.catalogue import ShownRecord
from tandem_api.schemas.base import Out
from tandem_api.schemas.decisions import DecisionOut

ShownStatus = Literal["unscreened", "awaiting", "conflict", "included", "excluded", "done"]
_SHOWN: dict[str, ShownStatus] = {status: status for status in get_args(ShownStatus)}


class SourceOut(Out):
    """Where one occurrence of the record came from, and its id there."""

    source: str | None
    import_id: str
    ref: str | None

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
    """Another record about the same work: it was corrected, retracted or published anew."""

    id: str
    title: str
    relation: Relation


class BibliographicOut(Out):
    """A record as its source describes it."""

    id: str
    title: str
    abstract: str
    authors: list[str]
    year: int | None
    journal: str | None
    volume: str | None
    issue: str | None
    pages: str | None
    doi: str | None
    pmid: str | None
    url: str | None
    keywords: list[str]
    language: str | None
    kind: Kind | None = Field(description="What was published, where the source says so.")

    @classmethod
    def of(cls, record: Record) -> "BibliographicOut":
        return cls(**bibliographic(record))


class RecordOut(BibliographicOut):
    """A record in the review. `status` is as you may see it: `done` hides what is open."""

    sources: list[SourceOut]
    duplicates: list[DuplicateOut]
    duplicate_of: str | None
    related: list[RelatedOut]
    stage: Stage
    status: ShownStatus
    my_decision: DecisionOut | None
    added_at: datetime

    @classmethod
    def shown(cls, item: ShownRecord, stage: Stage) -> "RecordOut":
        record = item.record
        return cls(
            **bibliographic(record),
            sources=[SourceOut.of(occurrence) for occurrence in item.occurrences],
            duplicates=[DuplicateOut.of(occurrence) for occurrence in item.occurrences[1:]],
            duplicate_of=None if record.duplicate_of is None else str(record.duplicate_of),
            related=[
                RelatedOut(id=str(other.number), title=other.title, relation=relation)
                for other, relation in item.related
            ],
            stage=stage,
            status=_SHOWN[item.status],
            my_decision=DecisionOut.of(item.my_decision) if item.my_decision else None,
            added_at=record.created_at,
        )


def bibliographic(record: Record) -> dict[str, Any]:
    names = ("title", "abstract", "authors", "year", "journal", "volume", "issue", "pages")
    more = ("doi", "pmid", "url", "keywords", "language", "kind")
    return {"id": str(record.number)} | {name: getattr(record, name) for name in (*names, *more)}


class RejectionOut(Out):
    """Something in the file that could not be read: where, why, and how it begins."""

    position: int = Field(description="Among the file's records, from 1.")
    reason: str
    excerpt: str


class ImportOut(Out):
    """A file's way into the review. `n_read = n_added + n_duplicates + n_rejected`, always."""

    id: str
    state: ImportState
    step: ImportStep | None = Field(description="What a running import is at.")
    source: str | None
    platform: str | None
    searched_on: date | None
    strategy: str | None
    filename: str
    format: str | None
    n_total: int | None = Field(description="Records in the file; null until that is known.")
    n_read: int
    n_added: int
    n_duplicates: int
    n_rejected: int
    n_priors: int = Field(
        description="Records that carry decisions of an earlier screening. They count only once "
        "somebody takes them over."
    )
    priors_taken_at: datetime | None
    rejected: list[RejectionOut]
    error: str | None
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, row: Import) -> "ImportOut":
        return cls(
            id=str(row.id),
            state=row.state,
            step=row.step,
            source=row.source,
            platform=row.platform,
            searched_on=row.searched_on,
            strategy=row.strategy,
            filename=row.filename,
            format=row.format or row.requested_format,
            n_total=row.n_total,
            n_read=row.n_read,
            n_added=row.n_added,
            n_duplicates=row.n_duplicates,
            n_rejected=row.n_rejected,
            n_priors=row.n_priors,
            priors_taken_at=row.priors_taken_at,
            rejected=[RejectionOut.model_validate(item) for item in row.rejected],
            error=row.error,
            created_at=row.created_at,
            finished_at=row.finished_at,
        )
