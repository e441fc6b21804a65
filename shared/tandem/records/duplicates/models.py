"""Groups of records that are, may be, or are not one and the same."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from tandem.db.base import Base
from tandem.ids import DuplicateGroupId, RecordNumber, ReviewId, UserId
from tandem.records.duplicates.relations import Relation
from tandem.reviews.models import stored_enum


class GroupState(StrEnum):
    """`proposed`: people are asked. `linked`: they are one. `kept`: they are not, says somebody."""

    PROPOSED = "proposed"
    LINKED = "linked"
    KEPT = "kept"


class DuplicateGroup(Base):
    """Records that were compared with each other, and what came of it.

    A record is in at most one linked group; `Record.duplicate_of` of all but one of its members
    names that one, the group's representative. A proposed group is a pair.
    """

    __tablename__ = "duplicate_group"
    __table_args__ = (Index(None, "review_id", "state", "created_at"),)

    id: Mapped[DuplicateGroupId] = mapped_column(primary_key=True)
    review_id: Mapped[ReviewId] = mapped_column(ForeignKey("review.id", ondelete="CASCADE"))
    state: Mapped[GroupState] = mapped_column(stored_enum(GroupState))
    score: Mapped[float]
    evidence: Mapped[list[str]]
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[UserId | None] = mapped_column(ForeignKey("user_account.id"))


class RecordRelation(Base):
    """Two records about one work that are not the same record: an article and its erratum."""

    __tablename__ = "record_relation"
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
    relation: Mapped[Relation] = mapped_column(stored_enum(Relation))


class DuplicateMember(Base):
    """A record's place in a group."""

    __tablename__ = "duplicate_member"
    __table_args__ = (
        ForeignKeyConstraint(
            ["review_id", "record_number"],
            ["record.review_id", "record.number"],
            ondelete="CASCADE",
        ),
        Index(None, "review_id", "record_number"),
    )

    group_id: Mapped[DuplicateGroupId] = mapped_column(
        ForeignKey("duplicate_group.id", ondelete="CASCADE"), primary_key=True
    )
    review_id: Mapped[ReviewId]
    record_number: Mapped[RecordNumber] = mapped_column(primary_key=True, autoincrement=False)
