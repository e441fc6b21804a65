"""Audits of a stage: what was registered, and which records were drawn."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from tandem.db.base import Base, Json
from tandem.ids import AuditId, RecordNumber, ReviewId, UserId
from tandem.reviews.models import stored_enum
from tandem.reviews.policy import Stage


class Serving(StrEnum):
    """`mixed`: ranked records, one in twenty drawn. `draws_only`: the audit is open."""

    MIXED = "mixed"
    DRAWS_ONLY = "draws_only"


class Audit(Base):
    """A recall that a team wants to show, and the random order that it is shown by.

    The frame is every shown record with a number up to `last_number` that no draw has missed.
    `pointer` counts the places of the random order that were drawn or passed over. `target` and
    `confidence` are decimal numbers as texts. `changes` lists what changed after the registration,
    `{seq, what}` each. `carried` is the natural logarithm of the evidence that an audit before this
    one had then; what it has by the labels in force now is worked out from its draws.
    """

    __tablename__ = "audit"
    __table_args__ = (Index(None, "review_id", "stage", "registered_at"),)

    id: Mapped[AuditId] = mapped_column(primary_key=True)
    review_id: Mapped[ReviewId] = mapped_column(ForeignKey("review.id", ondelete="CASCADE"))
    stage: Mapped[Stage] = mapped_column(stored_enum(Stage))
    target: Mapped[str]
    confidence: Mapped[str]
    note: Mapped[str | None]
    registered_at: Mapped[datetime]
    registered_by: Mapped[UserId] = mapped_column(ForeignKey("user_account.id"))
    registered_seq: Mapped[int]
    """The review's `labels_seq` then."""
    last_number: Mapped[int]
    n_frame: Mapped[int]
    seal: Mapped[str]
    seed: Mapped[bytes]
    serving: Mapped[Serving] = mapped_column(stored_enum(Serving))
    opened_at: Mapped[datetime | None]
    pointer: Mapped[int]
    carried: Mapped[float] = mapped_column(default=0.0, server_default="0")
    changes: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    certificates: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    """As they were given, the newest last. One that does not hold any more is marked withdrawn."""
    missed: Mapped[bytes | None] = mapped_column(deferred=True)
    """Records that a draw has missed: little-endian numbers of 32 bits, ascending. See `frame`."""
    ended_at: Mapped[datetime | None]
    """When it was abandoned, or another one with a new frame took over."""
    followed_by: Mapped[AuditId | None]


class AuditDraw(Base):
    """One record of the random order that was drawn, or passed over. Never changed.

    Attributes:
        place: 1, 2, 3, … within the audit.
        pool: Records that nobody had decided, drawn or passed over before it, itself among them.
        seq: The review's `labels_seq` then: decisions up to it came before.
        target: The recall aimed at then, a decimal number.
    """

    __tablename__ = "audit_draw"

    audit_id: Mapped[AuditId] = mapped_column(
        ForeignKey("audit.id", ondelete="CASCADE"), primary_key=True
    )
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    record_number: Mapped[RecordNumber]
    pool: Mapped[int]
    seq: Mapped[int]
    target: Mapped[str]
    drawn_at: Mapped[datetime]
