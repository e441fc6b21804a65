"""Code books of a review's synthesis, each as somebody gave it, and what an owner marks."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from tandem.db.base import Base
from tandem.ids import CodeBookId, CodeId, ReviewId, UserId
from tandem.reviews.models import stored_enum


class CodeKind(StrEnum):
    """What a code is in the synthesis, as an owner says: Tandem never says it."""

    THEME = "theme"
    CONSTRUCT = "construct"


class SynthesisCode(Base):
    """A code, whatever books it is in. What it is called stands in these."""

    __tablename__ = "synthesis_code"

    id: Mapped[CodeId] = mapped_column(primary_key=True)
    review_id: Mapped[ReviewId] = mapped_column(
        ForeignKey("review.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[CodeKind | None] = mapped_column(stored_enum(CodeKind))
    marked_by: Mapped[UserId | None] = mapped_column(ForeignKey("user_account.id"))
    marked_at: Mapped[datetime | None]


class CodeBook(Base):
    """Codes that came together: given by an owner, or with a coded project.

    `counts`: the project is not replaced or taken back, or no owner gave another one since.
    `seq`: the event that tells of it.
    """

    __tablename__ = "code_book"

    id: Mapped[CodeBookId] = mapped_column(primary_key=True)
    review_id: Mapped[ReviewId] = mapped_column(
        ForeignKey("review.id", ondelete="CASCADE"), index=True
    )
    seq: Mapped[int]
    is_given: Mapped[bool]
    counts: Mapped[bool]
    codes: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    created_by: Mapped[UserId] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime]
