"""Texts of reports: files by their content, whose they are, and batches that came together."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tandem.db.base import Base, Json
from tandem.ids import (
    RecordNumber,
    ReviewId,
    TextBatchId,
    TextFileId,
    TextId,
    UserId,
)
from tandem.reviews.models import stored_enum
from tandem.texts.kinds import MediaType
from tandem.texts.reading import TextProblem
from tandem.work.attempts import Attempted


class TextKind(StrEnum):
    """What a file is beside its report. A report counts as retrieved with `main`, `translation`."""

    MAIN = "main"
    SUPPLEMENT = "supplement"
    ERRATUM = "erratum"
    TRANSLATION = "translation"


class TextState(StrEnum):
    """How far a file is read.

    `no_text`: it is a scan, or empty. `failed`: `problem` says why; the file itself is there.
    `quarantined`: the installation's scanner refused it, and nobody gets it.
    """

    QUEUED = "queued"
    READY = "ready"
    NO_TEXT = "no_text"
    FAILED = "failed"
    QUARANTINED = "quarantined"


class TextFile(Attempted, Base):
    """One file of a review, however often it was sent. Its bytes lie under its digest.

    `plain` is the text taken out of it, which is never changed: positions of passages rest on it.
    `page_starts` are the positions in it where pages begin.
    """

    __tablename__ = "text_file"
    __table_args__ = (UniqueConstraint("review_id", "sha256"), Index(None, "state"))

    id: Mapped[TextFileId] = mapped_column(primary_key=True)
    review_id: Mapped[ReviewId] = mapped_column(ForeignKey("review.id", ondelete="CASCADE"))
    sha256: Mapped[str]
    media_type: Mapped[MediaType] = mapped_column(stored_enum(MediaType, length=100))
    n_bytes: Mapped[int]
    created_at: Mapped[datetime]
    state: Mapped[TextState] = mapped_column(stored_enum(TextState))
    problem: Mapped[TextProblem | None] = mapped_column(stored_enum(TextProblem))
    n_pages: Mapped[int | None]
    page_starts: Mapped[list[int]] = mapped_column(Json, default=list)
    title: Mapped[str] = mapped_column(default="")
    dois: Mapped[list[str]] = mapped_column(default=list)
    plain_sha256: Mapped[str | None]
    plain: Mapped[str | None] = mapped_column(deferred=True)

    @property
    def artifact(self) -> str:
        return artifact_key(self.review_id, self.sha256)

    @property
    def is_served(self) -> bool:
        """Whether anybody may have it: it was read, and with that scanned, and not refused."""
        return self.state not in (TextState.QUEUED, TextState.QUARANTINED) and (
            self.problem is not TextProblem.NOT_READ
        )

    def try_again(self) -> None:
        """Queue a file again whose reading failed too often."""
        super().try_again()
        self.state, self.problem, self.cause = TextState.QUEUED, None, None


class ReportText(Base):
    """A file as the text of a report."""

    __tablename__ = "report_text"
    __table_args__ = (
        ForeignKeyConstraint(
            ["review_id", "record_number"],
            ["record.review_id", "record.number"],
            ondelete="CASCADE",
        ),
        UniqueConstraint("review_id", "record_number", "file_id"),
    )

    id: Mapped[TextId] = mapped_column(primary_key=True)
    review_id: Mapped[ReviewId]
    record_number: Mapped[RecordNumber]
    file_id: Mapped[TextFileId] = mapped_column(ForeignKey("text_file.id"), index=True)
    kind: Mapped[TextKind] = mapped_column(stored_enum(TextKind))
    filename: Mapped[str]
    added_by: Mapped[UserId] = mapped_column(ForeignKey("user_account.id"))
    added_at: Mapped[datetime]


class TextBatch(Base):
    """Files that somebody sent at once, to be placed at their reports."""

    __tablename__ = "text_batch"
    __table_args__ = (Index(None, "review_id", "created_at"),)

    id: Mapped[TextBatchId] = mapped_column(primary_key=True)
    review_id: Mapped[ReviewId] = mapped_column(ForeignKey("review.id", ondelete="CASCADE"))
    created_by: Mapped[UserId] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime]


class TextItemState(StrEnum):
    """Where a file of a batch is.

    `matched`: it is the text of a report. `proposed`: somebody chooses among `candidates`.
    `unmatched`: nothing speaks for a report. `known`: the report had this very file. `failed`:
    `problem` says why. `set_aside`: somebody marked it as belonging to none.
    """

    READING = "reading"
    MATCHED = "matched"
    PROPOSED = "proposed"
    UNMATCHED = "unmatched"
    KNOWN = "known"
    FAILED = "failed"
    SET_ASIDE = "set_aside"


WAITING = (TextItemState.READING, TextItemState.PROPOSED, TextItemState.UNMATCHED)
"""An item in one of these still needs its file."""


class TextBatchItem(Base):
    """One file of a batch. `mapped`: the records that the map gives it."""

    __tablename__ = "text_batch_item"
    __table_args__ = (Index(None, "file_id"), Index(None, "text_id"))

    batch_id: Mapped[TextBatchId] = mapped_column(
        ForeignKey("text_batch.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    filename: Mapped[str]
    path: Mapped[str]
    file_id: Mapped[TextFileId | None] = mapped_column(
        ForeignKey("text_file.id", ondelete="SET NULL")
    )
    text_id: Mapped[TextId | None] = mapped_column(
        ForeignKey("report_text.id", ondelete="SET NULL")
    )
    state: Mapped[TextItemState] = mapped_column(stored_enum(TextItemState))
    problem: Mapped[TextProblem | None] = mapped_column(stored_enum(TextProblem))
    record_number: Mapped[RecordNumber | None]
    mapped: Mapped[list[int]] = mapped_column(Json, default=list)
    candidates: Mapped[list[dict[str, Any]]] = mapped_column(default=list)


def artifact_key(review_id: ReviewId, sha256: str) -> str:
    return f"texts/{review_id}/{sha256}"
