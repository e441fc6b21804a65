"""A systematic review, its people and its policies."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Enum, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from tandem.db.base import Base
from tandem.ids import ReviewId, UserId
from tandem.reviews.policy import Stage


def stored_enum(of: type[StrEnum]) -> Enum:
    """Store an enumeration by its values, as text, on either engine."""
    return Enum(
        of,
        native_enum=False,
        create_constraint=False,
        length=20,
        values_callable=lambda kind: [member.value for member in kind],
    )


class Role(StrEnum):
    """Each role has the rights of those after it, and some more."""

    OWNER = "owner"
    ADJUDICATOR = "adjudicator"
    REVIEWER = "reviewer"
    OBSERVER = "observer"


class Review(Base):
    """One review. Its row is the lock that orders everything that happens in it."""

    __tablename__ = "review"

    id: Mapped[ReviewId] = mapped_column(primary_key=True)
    title: Mapped[str]
    question: Mapped[str | None]
    criteria_include: Mapped[list[str]]
    criteria_exclude: Mapped[list[str]]
    seed_studies: Mapped[list[str]] = mapped_column(server_default="[]")
    """Studies that the team knows to belong in, each by DOI, PMID or title; see `records.seeds`."""
    seed: Mapped[int]
    created_by: Mapped[UserId] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime]

    last_seq: Mapped[int] = mapped_column(default=0)
    last_open_seq: Mapped[int] = mapped_column(default=0)
    last_record_number: Mapped[int] = mapped_column(default=0)
    labels_seq: Mapped[int] = mapped_column(default=0)
    """Counts what a ranking depends on: decisions, resolutions, new records, the question,
    the seed studies.
    A ranking made at `labels_seq` n counts every change that was given a number up to n."""
    corpus_seq: Mapped[int] = mapped_column(default=0)
    """Counts changes of the texts. Features computed at another number are stale."""


class Member(Base):
    """A person's role in a review."""

    __tablename__ = "member"
    __table_args__ = (Index(None, "user_id"),)

    review_id: Mapped[ReviewId] = mapped_column(
        ForeignKey("review.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[UserId] = mapped_column(
        ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[Role] = mapped_column(stored_enum(Role))
    added_at: Mapped[datetime]


class PolicyVersion(Base):
    """A policy as it was from some moment on. The newest version of a stage is in force."""

    __tablename__ = "policy_version"

    review_id: Mapped[ReviewId] = mapped_column(
        ForeignKey("review.id", ondelete="CASCADE"), primary_key=True
    )
    stage: Mapped[Stage] = mapped_column(stored_enum(Stage), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    value: Mapped[dict[str, Any]]
    created_by: Mapped[UserId] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime]
