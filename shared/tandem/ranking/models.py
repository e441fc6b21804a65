"""Finished rankings, and who is at work on the next one."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from tandem.db.base import Base
from tandem.ids import RankingId, ReviewId
from tandem.reviews.models import stored_enum
from tandem.reviews.policy import Stage


class Ranking(Base):
    """One finished training: one row, with the whole order in it.

    Attributes:
        kind: `model` (trained on labels), `text` (likeness to question and criteria, before
            there are labels of both kinds) or `random` (seeded, when there is no text either).
        labels_seq: It counts every change of the review up to this number.
        numbers: Record numbers, best first: little-endian int32, packed. Of older rankings
            only the newest few keep theirs.
        scores: Aligned with `numbers`: little-endian float32, packed.
        seconds: From reading the labels to the finished order.
    """

    __tablename__ = "ranking"
    __table_args__ = (
        Index(
            "uq_ranking_review_id_stage_labels_seq", "review_id", "stage", "labels_seq", unique=True
        ),
    )

    id: Mapped[RankingId] = mapped_column(primary_key=True)
    review_id: Mapped[ReviewId] = mapped_column(ForeignKey("review.id", ondelete="CASCADE"))
    stage: Mapped[Stage] = mapped_column(stored_enum(Stage))
    model: Mapped[str]
    preset: Mapped[dict[str, Any]]
    kind: Mapped[str]
    labels_seq: Mapped[int]
    corpus_seq: Mapped[int]
    n_labels: Mapped[int]
    n_relevant: Mapped[int]
    n_ranked: Mapped[int]
    seconds: Mapped[float]
    created_at: Mapped[datetime]
    numbers: Mapped[bytes | None] = mapped_column(deferred=True)
    scores: Mapped[bytes | None] = mapped_column(deferred=True)


class Training(Base):
    """The one claim on a review's next training.

    A training is due while the review's `labels_seq` is above `trained_seq`. Who raises
    `fence` holds it until `lease_until`; a holder whose fence is no longer the newest has
    lost it and its work is thrown away.
    """

    __tablename__ = "training"

    review_id: Mapped[ReviewId] = mapped_column(
        ForeignKey("review.id", ondelete="CASCADE"), primary_key=True
    )
    stage: Mapped[Stage] = mapped_column(stored_enum(Stage), primary_key=True)
    trained_seq: Mapped[int]
    fence: Mapped[int]
    lease_until: Mapped[datetime | None]
    not_before: Mapped[datetime | None]
