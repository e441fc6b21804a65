"""Bibliographic records, where they came from, and the imports that brought them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    and_,
    false,
    func,
    text,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from tandem.db.base import Base, now
from tandem.ids import ImportId, RecordNumber, ReviewId, UserId
from tandem.records.formats.entry import Kind
from tandem.records.origin import FoundBy, NotScreened, RemovalKind, StartsAt
from tandem.reviews.models import stored_enum
from tandem.work.attempts import Attempted


class ImportState(StrEnum):
    """`taken_back`: it was undone, and its records are gone."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    TAKEN_BACK = "taken_back"


class ImportStep(StrEnum):
    """What a running import is at: reading the file, or linking duplicates."""

    READING = "reading"
    LINKING = "linking"


class Import(Attempted, Base):
    """One uploaded file on its way into the review.

    `n_read = n_added + n_duplicates + n_rejected` holds at every moment: a batch of records
    and the counts that include it are committed together, so a worker that takes over after
    another's death goes on exactly behind `n_read`. `percent` is how far the present step is.
    """

    __tablename__ = "import"
    __table_args__ = (Index(None, "review_id", "created_at"), Index(None, "state"))

    id: Mapped[ImportId] = mapped_column(primary_key=True)
    review_id: Mapped[ReviewId] = mapped_column(ForeignKey("review.id", ondelete="CASCADE"))
    created_by: Mapped[UserId] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    state: Mapped[ImportState] = mapped_column(stored_enum(ImportState))
    source: Mapped[str | None]
    filename: Mapped[str]
    requested_format: Mapped[str | None]
    format: Mapped[str | None]
    artifact: Mapped[str]
    n_total: Mapped[int | None]
    n_read: Mapped[int]
    n_added: Mapped[int]
    n_duplicates: Mapped[int]
    n_rejected: Mapped[int]
    rejected: Mapped[list[dict[str, Any]]]
    sha256: Mapped[str | None]
    """Of the file as it was sent; None of files that came before it was kept."""
    warnings: Mapped[list[dict[str, Any]]] = mapped_column(default=list, server_default="[]")
    """What is to be looked at though all was read, each with `code` and `detail`."""
    error: Mapped[str | None]
    platform: Mapped[str | None]
    searched_on: Mapped[date | None]
    strategy: Mapped[str | None]
    n_priors: Mapped[int] = mapped_column(default=0)
    priors_taken_at: Mapped[datetime | None]
    step: Mapped[ImportStep | None] = mapped_column(stored_enum(ImportStep))
    percent: Mapped[int | None]
    taken_back_at: Mapped[datetime | None]
    texts_digest: Mapped[str] = mapped_column(default="", server_default="")
    """Of the texts of its records as they came; see `judged_text.roll`."""

    found_by: Mapped[FoundBy] = mapped_column(
        stored_enum(FoundBy), default=FoundBy.DATABASE, server_default=FoundBy.DATABASE.value
    )
    starts_at: Mapped[StartsAt] = mapped_column(
        stored_enum(StartsAt),
        default=StartsAt.TITLE_ABSTRACT,
        server_default=StartsAt.TITLE_ABSTRACT.value,
    )
    wave: Mapped[int] = mapped_column(default=1, server_default="1")
    """Of the searches of the review; the first one is 1."""

    def try_again(self) -> None:
        """Queue a failed import again; it goes on behind what it has read."""
        super().try_again()
        self.state, self.error, self.cause = ImportState.QUEUED, None, None
        self.claimed_at = now()  # it waits from now on
        self.finished_at, self.lease_until = None, None


class Record(Base):
    """One bibliographic record. A linked duplicate keeps its row and points to the one shown."""

    __tablename__ = "record"
    __table_args__ = (
        ForeignKeyConstraint(["review_id", "duplicate_of"], ["record.review_id", "record.number"]),
        Index(None, "review_id", "doi"),
        Index(None, "review_id", "pmid"),
        *(
            # Few have one: with all in it, it would be taken to find those that have none.
            Index(None, "review_id", name, sqlite_where=there, postgresql_where=there)
            for name in ("duplicate_of", "not_screened_because")
            for there in [text(f"{name} IS NOT NULL")]
        ),
    )

    review_id: Mapped[ReviewId] = mapped_column(
        ForeignKey("review.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[RecordNumber] = mapped_column(primary_key=True, autoincrement=False)
    duplicate_of: Mapped[RecordNumber | None]
    import_id: Mapped[ImportId] = mapped_column(ForeignKey("import.id"), index=True)
    source: Mapped[str | None]
    ref: Mapped[str | None]
    title: Mapped[str]
    abstract: Mapped[str]
    authors: Mapped[list[str]]
    year: Mapped[int | None]
    journal: Mapped[str | None]
    volume: Mapped[str | None]
    issue: Mapped[str | None]
    pages: Mapped[str | None]
    doi: Mapped[str | None]
    pmid: Mapped[str | None]
    url: Mapped[str | None]
    keywords: Mapped[list[str]]
    language: Mapped[str | None]
    registry_ids: Mapped[list[str]] = mapped_column(default=list)
    kind: Mapped[Kind | None] = mapped_column(stored_enum(Kind))
    priors: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """Decisions of an earlier screening that its file carries."""
    priors_taken: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether they were weighed when decisions were taken over: they never are again."""
    raw: Mapped[str]
    created_at: Mapped[datetime]
    text_digest: Mapped[bytes | None]
    """Of its text as it came; no correction changes it. See `judged_text.digest`."""
    not_screened_because: Mapped[NotScreened | None] = mapped_column(stored_enum(NotScreened))
    """Follows from its occurrences and its removal, see `screened_records.refresh`; of a linked
    record it says nothing."""

    # What follows says of a row, and as a condition over rows, where a record belongs. Nobody else
    # compares these two columns: tests/unit/test_names_of_places.py.

    @hybrid_property
    def is_shown(self) -> bool:
        """Whether it is linked to no other record that is screened in its place."""
        return self.duplicate_of is None

    @is_shown.inplace.expression
    @classmethod
    def _is_shown(cls) -> ColumnElement[bool]:
        return cls.duplicate_of.is_(None)

    @hybrid_property
    def shown_as(self) -> RecordNumber:
        """The record that is screened in its place: itself where it is shown."""
        return self.duplicate_of or self.number

    @shown_as.inplace.expression
    @classmethod
    def _shown_as(cls) -> ColumnElement[RecordNumber]:
        return func.coalesce(cls.duplicate_of, cls.number)

    @hybrid_property
    def is_left_out(self) -> bool:
        """Whether nobody screens its title and abstract; of a record that is shown."""
        return self.not_screened_because is not None

    @is_left_out.inplace.expression
    @classmethod
    def _is_left_out(cls) -> ColumnElement[bool]:
        return cls.not_screened_because.is_not(None)

    @hybrid_property
    def is_in_screening(self) -> bool:
        """Whether title and abstract are to be screened: it is shown, and not left out."""
        return self.is_shown and not self.is_left_out

    @is_in_screening.inplace.expression
    @classmethod
    def _is_in_screening(cls) -> ColumnElement[bool]:
        return and_(cls.is_shown, ~cls.is_left_out)

    @hybrid_property
    def is_previous(self) -> bool:
        """Whether it is an included report of the previous version; of a record that is shown."""
        return self.not_screened_because is NotScreened.PREVIOUS

    @is_previous.inplace.expression
    @classmethod
    def _is_previous(cls) -> ColumnElement[bool]:
        return cls.not_screened_because == NotScreened.PREVIOUS

    @hybrid_property
    def starts_at_full_text(self) -> bool:
        """Whether only its full text is assessed; of a record that is shown."""
        return self.not_screened_because is NotScreened.FULL_TEXT

    @starts_at_full_text.inplace.expression
    @classmethod
    def _starts_at_full_text(cls) -> ColumnElement[bool]:
        return cls.not_screened_because == NotScreened.FULL_TEXT


class Removal(Base):
    """That a record was removed before screening, and why. There is no row once it is back."""

    __tablename__ = "removal"
    __table_args__ = (
        ForeignKeyConstraint(
            ["review_id", "record_number"],
            ["record.review_id", "record.number"],
            ondelete="CASCADE",
        ),
    )

    review_id: Mapped[ReviewId] = mapped_column(primary_key=True)
    record_number: Mapped[RecordNumber] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[RemovalKind] = mapped_column(stored_enum(RemovalKind))
    reason: Mapped[str]
    tool: Mapped[str | None]
    removed_by: Mapped[UserId] = mapped_column(ForeignKey("user_account.id"))
    removed_at: Mapped[datetime]


class WaveKind(StrEnum):
    """`update`: the search is run again later. `iterative`: one search led to the next."""

    UPDATE = "update"
    ITERATIVE = "iterative"


class Wave(Base):
    """A later search of a review. The first search is wave 1 and has no row."""

    __tablename__ = "wave"

    review_id: Mapped[ReviewId] = mapped_column(
        ForeignKey("review.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    label: Mapped[str]
    kind: Mapped[WaveKind] = mapped_column(stored_enum(WaveKind))
    opened_by: Mapped[UserId] = mapped_column(ForeignKey("user_account.id"))
    opened_at: Mapped[datetime]
