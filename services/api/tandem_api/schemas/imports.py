"""Imports, and the records that they rejected."""

from collections.abc import Mapping
from datetime import date, datetime

from pydantic import Field

from tandem.ids import UserId
from tandem.records.import_warnings import Warned
from tandem.records.models import Import, ImportState, ImportStep
from tandem.records.origin import FoundBy, StartsAt
from tandem_api.schemas.base import (
    Id,
    Out,
    PersonId,
    PersonName,
)
from tandem_api.schemas.words import ImportFormat


class RejectionOut(Out):
    """Something in the file that could not be read: where, why, and how it begins."""

    position: int = Field(description="Among the file's records, from 1.", examples=[77])
    reason: str = Field(examples=["neither title nor abstract"])
    excerpt: str = Field(examples=["TY  - JOUR"])


class ImportWarningOut(Out):
    """Something to look at though the file was read to its end. It changes nothing."""

    code: Warned = Field(examples=["breaks_off"])
    detail: str = Field(
        description="What may be wrong, and what to do then.",
        examples=[
            "The file ends inside its last record (“Sleep of nurses”): the download may have been "
            "broken off. Compare how many records the database has found. If some are missing, "
            "take this import back and export the file again."
        ],
    )


class ImportOut(Out):
    """A file's way into the review. `n_read = n_added + n_duplicates + n_rejected`, always."""

    id: Id
    state: ImportState = Field(examples=["done"])
    step: ImportStep | None = Field(description="What a running import is at.", examples=[None])
    percent: int | None = Field(description="How far that step is; null where nobody knows.")
    source: str | None = Field(examples=["Medline"])
    platform: str | None = Field(examples=["PubMed"])
    found_by: FoundBy = Field(description="How its records were found.", examples=["database"])
    screening: StartsAt = Field(
        description="Where its records start: only those of other methods at full text.",
        examples=["title_abstract"],
    )
    wave: int = Field(description="Of the review's searches; the first is 1.", examples=[1])
    searched_on: date | None = Field(examples=["2026-11-20"])
    strategy: str | None = Field(examples=["peer support*[tiab] AND qualitative[tiab]"])
    filename: str = Field(examples=["medline.ris"])
    format: ImportFormat | None
    n_total: int | None = Field(
        description="Records in the file; null until that is known.", examples=[1204]
    )
    n_read: int = Field(examples=[1204])
    n_added: int = Field(examples=[1180])
    n_duplicates: int = Field(examples=[23])
    n_rejected: int
    n_priors: int = Field(
        description="Records that carry decisions of an earlier screening. They count only once "
        "somebody takes them over.",
        examples=[0],
    )
    priors_taken_at: datetime | None
    rejected: list[RejectionOut]
    warnings: list[ImportWarningOut]
    error: str | None
    created_by: PersonId = Field(description="Who sent the file.")
    created_by_name: PersonName
    created_at: datetime
    finished_at: datetime | None = Field(examples=["2026-11-23T09:30:00Z"])
    taken_back_at: datetime | None = Field(
        description="Since then its records are gone; the counts say what it had brought."
    )

    @classmethod
    def of(cls, row: Import, names: Mapping[UserId, str]) -> "ImportOut":
        return cls(
            id=str(row.id),
            state=row.state,
            step=row.step,
            percent=row.percent,
            source=row.source,
            platform=row.platform,
            found_by=row.found_by,
            screening=row.starts_at,
            wave=row.wave,
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
            warnings=[ImportWarningOut.model_validate(item) for item in row.warnings],
            error=row.error,
            created_by=str(row.created_by),
            created_by_name=names[row.created_by],
            created_at=row.created_at,
            finished_at=row.finished_at,
            taken_back_at=row.taken_back_at,
        )
