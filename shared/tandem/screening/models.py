"""The ledger of decisions, and what is derived from it for quick answers."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Enum, ForeignKey, ForeignKeyConstraint, Index, false
from sqlalchemy.orm import Mapped, mapped_column

from tandem.db.base import Base
from tandem.ids import ConflictId, DecisionId, MessageId, RankingId, RecordNumber, ReviewId, UserId
from tandem.reviews.models import stored_enum
from tandem.reviews.policy import Stage
from tandem.screening.rules import Classification, ConflictKind, Status, Verdict


def record_key() -> ForeignKeyConstraint:
    """Return the key of the record that a row is about.

    Each table has an index that begins with both columns: where a record goes, the database looks
    in every table for what refers to it, and would read all of the review's rows.
    """
    return ForeignKeyConstraint(
        ["review_id", "record_number"], ["record.review_id", "record.number"], ondelete="CASCADE"
    )


def classified() -> Enum:
    return stored_enum(Classification, length=30)


class Decision(Base):
    """One entry of the ledger: a verdict, or (without one) the withdrawal of the one before.

    Never changed and never removed. `labels_seq` orders the entries of a review. `carried_from`
    is set where nobody decided again: the entry came with another record, when the two turned
    out to be one or two. `second_in` names the conflict that the entry is the reviewer's second
    vote in. `entered_by` is who entered it where the reviewer did not: an owner who voided the
    decisions of somebody who left. `created_at` is the server's time, `made_at` what the client
    sent; it decides nothing.
    """

    __tablename__ = "decision"
    __table_args__ = (
        record_key(),
        Index(None, "review_id", "record_number", "stage", "labels_seq"),
        Index(None, "review_id", "reviewer_id", "labels_seq"),
        Index("uq_decision_review_id_labels_seq", "review_id", "labels_seq", unique=True),
    )

    id: Mapped[DecisionId] = mapped_column(primary_key=True)
    review_id: Mapped[ReviewId]
    record_number: Mapped[RecordNumber]
    stage: Mapped[Stage] = mapped_column(stored_enum(Stage))
    reviewer_id: Mapped[UserId] = mapped_column(ForeignKey("user_account.id"))
    labels_seq: Mapped[int]
    verdict: Mapped[Verdict | None] = mapped_column(stored_enum(Verdict))
    reasons: Mapped[list[str]]
    classification: Mapped[Classification | None] = mapped_column(classified())
    labels: Mapped[list[str]]
    note: Mapped[str | None]
    seconds: Mapped[float | None]
    informed: Mapped[bool]
    rank: Mapped[int | None]
    ranking_id: Mapped[RankingId | None]
    carried_from: Mapped[RecordNumber | None]
    criteria_version: Mapped[int] = mapped_column(default=1, server_default="1")
    second_in: Mapped[ConflictId | None]
    entered_by: Mapped[UserId | None]
    created_at: Mapped[datetime]
    made_at: Mapped[datetime | None]


class PresentDecision(Base):
    """Which entry of the ledger is a reviewer's present decision on a record. Derived."""

    __tablename__ = "present_decision"
    __table_args__ = (
        record_key(),
        Index(None, "review_id", "record_number"),
        Index(None, "review_id", "stage", "reviewer_id"),
    )

    review_id: Mapped[ReviewId] = mapped_column(primary_key=True)
    stage: Mapped[Stage] = mapped_column(stored_enum(Stage), primary_key=True)
    record_number: Mapped[RecordNumber] = mapped_column(primary_key=True)
    reviewer_id: Mapped[UserId] = mapped_column(primary_key=True)
    decision_id: Mapped[DecisionId] = mapped_column(ForeignKey("decision.id"), unique=True)


class ScreenedRecord(Base):
    """A record's status in a stage, once anybody has decided it. Derived by `rules.outcome`.

    A record without a row here is unscreened.
    """

    __tablename__ = "screened_record"
    __table_args__ = (
        record_key(),
        Index(None, "review_id", "record_number"),
        Index(None, "review_id", "stage", "status"),
        Index(None, "review_id", "stage", "n_decisions"),
    )

    review_id: Mapped[ReviewId] = mapped_column(primary_key=True)
    stage: Mapped[Stage] = mapped_column(stored_enum(Stage), primary_key=True)
    record_number: Mapped[RecordNumber] = mapped_column(primary_key=True)
    status: Mapped[Status] = mapped_column(stored_enum(Status))
    n_decisions: Mapped[int]
    resolution_id: Mapped[DecisionId | None]
    """The resolution that stands, if one does."""
    classification: Mapped[Classification | None] = mapped_column(classified())
    """Of an included report."""
    has_advanced: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Of title and abstract: the record has been at full text, which everybody could know."""


class ReviewerCount(Base):
    """How many records of title and abstract a reviewer has decided. Derived by `ledger.counts`."""

    __tablename__ = "reviewer_count"

    review_id: Mapped[ReviewId] = mapped_column(
        ForeignKey("review.id", ondelete="CASCADE"), primary_key=True
    )
    reviewer_id: Mapped[UserId] = mapped_column(ForeignKey("user_account.id"), primary_key=True)
    n_decided: Mapped[int]
    n_half_done: Mapped[int]
    """How many of these lack further decisions."""


class Exposure(Base):
    """That others' verdicts on a record were open to one of its voters, and are no longer so.

    Written when that ends, and kept for good. While they are open the record's state says so; who
    sees them by role or policy needs no vote, see `reviews.models.MemberSight`.
    """

    __tablename__ = "exposure"
    __table_args__ = (record_key(), Index(None, "review_id", "record_number"))

    review_id: Mapped[ReviewId] = mapped_column(primary_key=True)
    stage: Mapped[Stage] = mapped_column(stored_enum(Stage), primary_key=True)
    record_number: Mapped[RecordNumber] = mapped_column(primary_key=True)
    user_id: Mapped[UserId] = mapped_column(ForeignKey("user_account.id"), primary_key=True)


class ConflictState(StrEnum):
    OPEN = "open"
    RESOLVED = "resolved"


class ResolvedBy(StrEnum):
    """What ended a conflict.

    `resolution`: somebody settled it. `duplicate`: it goes on at the record that its own is linked
    to. The others: a changed vote or rule ended the difference.
    """

    RESOLUTION = "resolution"
    AGREEMENT = "agreement"
    WITHDRAWAL = "withdrawal"
    POLICY = "policy"
    DUPLICATE = "duplicate"


class Conflict(Base):
    """Differing decisions on one record in one stage: at most one row for both, reopened."""

    __tablename__ = "conflict"
    __table_args__ = (
        record_key(),
        Index(
            "uq_conflict_review_id_record_number_stage",
            *("review_id", "record_number", "stage"),
            unique=True,
        ),
        Index(None, "review_id", "stage", "state", "opened_at"),
    )

    id: Mapped[ConflictId] = mapped_column(primary_key=True)
    review_id: Mapped[ReviewId]
    record_number: Mapped[RecordNumber]
    stage: Mapped[Stage] = mapped_column(stored_enum(Stage))
    state: Mapped[ConflictState] = mapped_column(stored_enum(ConflictState))
    kind: Mapped[ConflictKind] = mapped_column(stored_enum(ConflictKind))
    opened_at: Mapped[datetime]
    opened_seq: Mapped[int] = mapped_column(default=0, server_default="0")
    """The review's `labels_seq` when it was opened, or opened again."""
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[ResolvedBy | None] = mapped_column(stored_enum(ResolvedBy))


class Cause(StrEnum):
    """Why two careful people differed: shows which criterion makes trouble."""

    MISREAD = "misread"
    AMBIGUOUS_CRITERION = "ambiguous_criterion"
    MISSING_INFORMATION = "missing_information"
    ERROR = "error"
    SCOPE = "scope"


class Resolution(Base):
    """The decision that settled a conflict. It overrides the votes and never changes them.

    `is_set_aside`: votes that it never saw came with another record, and do not agree with it.
    `taken_back_at`: the conflict was opened again.
    """

    __tablename__ = "resolution"
    __table_args__ = (
        record_key(),
        Index(None, "conflict_id"),
        Index(None, "review_id", "record_number", "stage"),
    )

    id: Mapped[DecisionId] = mapped_column(primary_key=True)
    conflict_id: Mapped[ConflictId] = mapped_column(ForeignKey("conflict.id"))
    review_id: Mapped[ReviewId]
    record_number: Mapped[RecordNumber]
    stage: Mapped[Stage] = mapped_column(stored_enum(Stage))
    labels_seq: Mapped[int]
    verdict: Mapped[Verdict] = mapped_column(stored_enum(Verdict))
    reasons: Mapped[list[str]]
    classification: Mapped[Classification | None] = mapped_column(classified())
    note: Mapped[str | None]
    cause: Mapped[Cause | None] = mapped_column(stored_enum(Cause))
    resolver_id: Mapped[UserId] = mapped_column(ForeignKey("user_account.id"))
    criterion: Mapped[str | None]
    is_set_aside: Mapped[bool] = mapped_column(default=False)
    carried_from: Mapped[RecordNumber | None]
    taken_back_at: Mapped[datetime | None]
    taken_back_by: Mapped[UserId | None]
    taken_back_note: Mapped[str | None]
    created_at: Mapped[datetime]

    @property
    def is_active(self) -> bool:
        """Whether it counts now."""
        return not self.is_set_aside and self.taken_back_at is None


class ClosedChange(Base):
    """A `labels_seq` that was given to what the blinded do not hear of. See `blinding.numbers`."""

    __tablename__ = "closed_change"

    review_id: Mapped[ReviewId] = mapped_column(
        ForeignKey("review.id", ondelete="CASCADE"), primary_key=True
    )
    labels_seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class Message(Base):
    """A comment in the discussion of a conflict."""

    __tablename__ = "conflict_message"
    __table_args__ = (Index(None, "conflict_id", "created_at"),)

    id: Mapped[MessageId] = mapped_column(primary_key=True)
    conflict_id: Mapped[ConflictId] = mapped_column(ForeignKey("conflict.id", ondelete="CASCADE"))
    author_id: Mapped[UserId] = mapped_column(ForeignKey("user_account.id"))
    text: Mapped[str]
    created_at: Mapped[datetime]
