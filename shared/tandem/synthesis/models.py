"""Coded projects that came back from the tools of the synthesis, and their passages."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from tandem.db.base import Base
from tandem.ids import CodeBookId, CodeId, RecordNumber, ReviewId, SynthesisImportId, TextId, UserId
from tandem.reviews.models import stored_enum
from tandem.synthesis.placing import PassageState


class SynthesisImport(Base):
    """A coded project as it was read. `seq`: the event that tells of it.

    It counts unless it is taken back, or `replaced_by` another one that is not.
    `sources`: of each source of the file its name, the record that it is of, and how that was
    found. `n_other`: codings of what is no text.
    """

    __tablename__ = "synthesis_import"

    id: Mapped[SynthesisImportId] = mapped_column(primary_key=True)
    review_id: Mapped[ReviewId] = mapped_column(
        ForeignKey("review.id", ondelete="CASCADE"), index=True
    )
    code_book_id: Mapped[CodeBookId] = mapped_column(ForeignKey("code_book.id"), index=True)
    seq: Mapped[int]
    sha256: Mapped[str]
    filename: Mapped[str]
    project: Mapped[str]
    origin: Mapped[str]
    coders: Mapped[list[str]] = mapped_column(default=list)
    sources: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    n_kept: Mapped[int]
    n_moved: Mapped[int]
    n_lost: Mapped[int]
    n_other: Mapped[int]
    created_by: Mapped[UserId] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime]
    replaced_by: Mapped[SynthesisImportId | None] = mapped_column(
        ForeignKey("synthesis_import.id", ondelete="SET NULL"), index=True
    )
    taken_back_at: Mapped[datetime | None]


class CodedPassage(Base):
    """A passage of a report with a code. `quote` are its words in the text of the report.

    `start` and `end` are code points of the text `text_id`, or if that is None of title and
    abstract, or of a text that was removed since; without them it is of the whole text. One that
    is lost has the words of the file.
    """

    __tablename__ = "coded_passage"
    __table_args__ = (
        ForeignKeyConstraint(
            ["review_id", "record_number"],
            ["record.review_id", "record.number"],
            ondelete="CASCADE",
        ),
        Index(None, "review_id", "record_number"),
        Index(None, "code_id"),
        Index(None, "text_id"),
    )

    import_id: Mapped[SynthesisImportId] = mapped_column(
        ForeignKey("synthesis_import.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    review_id: Mapped[ReviewId]
    code_id: Mapped[CodeId] = mapped_column(ForeignKey("synthesis_code.id"))
    record_number: Mapped[RecordNumber | None]
    text_id: Mapped[TextId | None] = mapped_column(
        ForeignKey("report_text.id", ondelete="SET NULL")
    )
    start: Mapped[int | None]
    end: Mapped[int | None]
    quote: Mapped[str]
    state: Mapped[PassageState] = mapped_column(stored_enum(PassageState))
    coder: Mapped[str]
    source: Mapped[str]
