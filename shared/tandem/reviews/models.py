"""A systematic review, its people and its policies."""

import secrets
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

from sqlalchemy import ColumnElement, Enum, ForeignKey, Index, and_
from sqlalchemy.orm import Mapped, mapped_column, validates

from tandem.db.base import Base, Json, now
from tandem.ids import InvitationId, ReviewId, UserId
from tandem.reviews.policy import Stage


def stored_enum(of: type[StrEnum], length: int = 20) -> Enum:
    """Store an enumeration by its values, as text, on either engine."""
    return Enum(
        of,
        native_enum=False,
        create_constraint=False,
        length=length,
        values_callable=lambda kind: [member.value for member in kind],
    )


class Role(StrEnum):
    """Each role has the rights of those after it, and some more."""

    OWNER = "owner"
    ADJUDICATOR = "adjudicator"
    REVIEWER = "reviewer"
    OBSERVER = "observer"

    def reaches(self, other: "Role") -> bool:
        """Whether this role has the rights of the other: it is the same or a higher one."""
        highest_first = list(Role)
        return highest_first.index(self) <= highest_first.index(other)


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

    exclusion_reasons: Mapped[list[str]] = mapped_column(server_default="[]")
    """In a fixed order: of several reasons for an exclusion the first here is the one reported."""
    criteria_version: Mapped[int] = mapped_column(default=1, server_default="1")
    pilot_size: Mapped[int] = mapped_column(default=0, server_default="0")
    """So many records are read by everybody before the others are served; 0 for no pilot round."""
    pilot_ended_at: Mapped[datetime | None]
    pilot_records: Mapped[list[int]] = mapped_column(Json, default=list, server_default="[]")
    """Their numbers, in the order in which they are read: later imports change nothing here."""

    highlights_for: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    """Words that a page marks in a record as speaking for an inclusion; `*` may end one."""
    highlights_against: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    archived_at: Mapped[datetime | None]
    """Since then nothing in the review can be changed; see `service.lock`."""
    deleted_at: Mapped[datetime | None]
    """Since then the review exists for nobody; a worker removes what is left of it."""
    n_audits: Mapped[int] = mapped_column(default=0, server_default="0")
    """Audits that are not over, so that the queue of all other reviews need not look for one."""
    n_taken_back: Mapped[int] = mapped_column(default=0, server_default="0")
    """Records that were removed with their import. Their numbers are never used again."""
    n_full: Mapped[int] = mapped_column(default=0, server_default="0")
    """Records of title and abstract that need no more decisions; see `screening.ledger.counts`."""
    n_half_done: Mapped[int] = mapped_column(default=0, server_default="0")
    """Those that have some of their decisions and lack others."""

    last_seq: Mapped[int] = mapped_column(default=0)
    last_open_seq: Mapped[int] = mapped_column(default=0)
    last_hash: Mapped[str] = mapped_column(default="", server_default="")
    last_record_number: Mapped[int] = mapped_column(default=0)
    labels_seq: Mapped[int] = mapped_column(default=0)
    """Counts what a ranking depends on: decisions, resolutions, new records, the question,
    the seed studies.
    A ranking made at `labels_seq` n counts every change that was given a number up to n."""
    taught_seq: Mapped[int] = mapped_column(default=0, server_default="0")
    """The newest of these numbers that a ranking learns from: those of full texts teach none."""
    n_closed: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many of these numbers are closed to the blinded; see `screening.blinding.numbers`."""
    last_closed_seq: Mapped[int] = mapped_column(default=0, server_default="0")
    """The newest of those, 0 before the first."""
    corpus_seq: Mapped[int] = mapped_column(default=0)
    """Counts changes of the texts. Features computed at another number are stale."""
    corpus_state: Mapped[str] = mapped_column(default="", server_default="")
    """Drawn with each of these numbers: a database that was restored counts on from an earlier one,
    and gives it to other texts than those that features may be left of."""
    stale_since: Mapped[datetime | None]
    """When the first change came that the newest ranking does not count."""

    @classmethod
    def is_active(cls) -> ColumnElement[bool]:
        """Whether work is done for the review: it is neither archived nor deleted."""
        return and_(cls.archived_at.is_(None), cls.deleted_at.is_(None))

    @validates("labels_seq")
    def _stale_from_now_on(self, _: str, value: int) -> int:
        self.taught_seq = value
        if value and self.stale_since is None:
            self.stale_since = now()
        return value

    def count_change(self, stage: Stage) -> None:
        """Give the next number to a change in a stage; of a full text it makes no training due."""
        before = self.taught_seq, self.stale_since
        self.labels_seq += 1
        if stage is Stage.FULL_TEXT:
            self.taught_seq, self.stale_since = before

    @validates("corpus_seq")
    def _in_another_state(self, _: str, value: int) -> int:
        if value != self.corpus_seq:
            self.corpus_state = secrets.token_hex(4)
        return value


LockedReview = NewType("LockedReview", Review)
"""A review whose row this transaction has locked: nobody else changes anything in it meanwhile."""


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
    paused_at: Mapped[datetime | None]
    share: Mapped[float | None]
    """Of a stage's decisions, in (0, 1]: more are not served to them. None: without limit."""
    names_compared_to: Mapped[int] = mapped_column(default=0, server_default="0")
    """Up to this record number their name was looked for among the authors."""


class MemberSight(Base):
    """Up to where a role or a policy once showed somebody what others decided in a stage.

    Written when they lose it; while they have it, their role and the policy say so. Each is a
    number of the review, the larger one where they lost it several times: `names_labels_seq` of
    the last change whose verdicts they saw by name, `settled_seq` and `conflicts_seq` of the last
    event when they saw the verdicts on settled records, and in conflicts.
    """

    __tablename__ = "member_sight"

    review_id: Mapped[ReviewId] = mapped_column(
        ForeignKey("review.id", ondelete="CASCADE"), primary_key=True
    )
    stage: Mapped[Stage] = mapped_column(stored_enum(Stage), primary_key=True)
    user_id: Mapped[UserId] = mapped_column(ForeignKey("user_account.id"), primary_key=True)
    names_labels_seq: Mapped[int | None]
    settled_seq: Mapped[int | None]
    conflicts_seq: Mapped[int | None]


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


class CriteriaVersion(Base):
    """The criteria as they were from some moment on; the newest are the review's own."""

    __tablename__ = "criteria_version"

    review_id: Mapped[ReviewId] = mapped_column(
        ForeignKey("review.id", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    include: Mapped[list[str]]
    exclude: Mapped[list[str]]
    note: Mapped[str | None]
    created_by: Mapped[UserId] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime]


class Invitation(Base):
    """An invitation to a review: a person with its secret may join, once."""

    __tablename__ = "invitation"
    __table_args__ = (Index(None, "review_id", "created_at"),)

    id: Mapped[InvitationId] = mapped_column(primary_key=True)
    review_id: Mapped[ReviewId] = mapped_column(ForeignKey("review.id", ondelete="CASCADE"))
    role: Mapped[Role] = mapped_column(stored_enum(Role))
    email: Mapped[str | None]
    secret_sha256: Mapped[str] = mapped_column(unique=True)
    created_by: Mapped[UserId] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    accepted_by: Mapped[UserId | None] = mapped_column(ForeignKey("user_account.id"))
    accepted_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
