"""Studies as groups of reports, what somebody thinks of a report, and near misses."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from tandem.db.base import Base
from tandem.ids import RecordNumber, ReviewId, StudyId, UserId


def _report() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["review_id", "record_number"],
        ["record.review_id", "record.number"],
        ondelete="CASCADE",
    )


class Study(Base):
    """Reports of one study. A report in no study is a study of its own.

    `sampled`: whether it is used in the synthesis; None: nobody has decided it, which counts as
    yes.
    """

    __tablename__ = "study"

    id: Mapped[StudyId] = mapped_column(primary_key=True)
    review_id: Mapped[ReviewId] = mapped_column(
        ForeignKey("review.id", ondelete="CASCADE"), index=True
    )
    label: Mapped[str | None]
    primary_number: Mapped[RecordNumber | None]
    fields: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    sampled: Mapped[bool | None]
    sampling_note: Mapped[str | None]
    created_by: Mapped[UserId] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime]


class StudyReport(Base):
    """A report's place in a study; it may have several. Kept under the number it was given by."""

    __tablename__ = "study_report"
    __table_args__ = (_report(), Index(None, "review_id", "record_number"))

    study_id: Mapped[StudyId] = mapped_column(
        ForeignKey("study.id", ondelete="CASCADE"), primary_key=True
    )
    review_id: Mapped[ReviewId]
    record_number: Mapped[RecordNumber] = mapped_column(primary_key=True, autoincrement=False)


class SeparateReports(Base):
    """That somebody said of two reports that they are not of one study: it is not proposed again.

    Kept under the numbers that were said, the smaller one first. There is no row once it is undone.
    """

    __tablename__ = "separate_reports"
    __table_args__ = (
        ForeignKeyConstraint(
            ["review_id", "first"], ["record.review_id", "record.number"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["review_id", "second"], ["record.review_id", "record.number"], ondelete="CASCADE"
        ),
        Index(None, "review_id", "second"),
    )

    review_id: Mapped[ReviewId] = mapped_column(primary_key=True)
    first: Mapped[RecordNumber] = mapped_column(primary_key=True, autoincrement=False)
    second: Mapped[RecordNumber] = mapped_column(primary_key=True, autoincrement=False)
    said_by: Mapped[UserId] = mapped_column(ForeignKey("user_account.id"))
    said_at: Mapped[datetime]


class Rating(Base):
    """What a reviewer thinks of a report, from 1 to 5. Append-only: the newest of each counts."""

    __tablename__ = "rating"
    __table_args__ = (_report(), Index(None, "review_id", "record_number", "created_at"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    review_id: Mapped[ReviewId]
    record_number: Mapped[RecordNumber]
    reviewer_id: Mapped[UserId] = mapped_column(ForeignKey("user_account.id"))
    richness: Mapped[int | None]
    relevance: Mapped[int | None]
    created_at: Mapped[datetime]


class NearMiss(Base):
    """That an owner lists an excluded report as a near miss, or strikes it from the list."""

    __tablename__ = "near_miss"
    __table_args__ = (_report(),)

    review_id: Mapped[ReviewId] = mapped_column(primary_key=True)
    record_number: Mapped[RecordNumber] = mapped_column(primary_key=True, autoincrement=False)
    listed: Mapped[bool]
    explanation: Mapped[str | None]
    marked_by: Mapped[UserId] = mapped_column(ForeignKey("user_account.id"))
    marked_at: Mapped[datetime]
