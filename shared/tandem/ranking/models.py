"""Finished rankings, and who is at work on the next one."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from tandem.db.base import Base, Json
from tandem.ids import RankingId, RecordNumber, ReviewId
from tandem.reviews.models import stored_enum
from tandem.reviews.policy import Stage
from tandem.work.attempts import Attempted


class Ranking(Base):
    """One finished training: one row, with the whole order in it.

    Attributes:
        kind: `model` (trained on labels), `text` (likeness to question and criteria, before
            there are labels of both kinds) or `random` (seeded, when there is no text either).
        labels_seq: It counts every change of the review up to this number.
        n_vectors: How many records had a sentence vector that it could use; 0 where there were
            too few (`vector_store.ENOUGH`), or the model uses none.
        numbers: Record numbers, best first: little-endian int32, packed. Of older rankings
            only the newest few keep theirs.
        scores: Aligned with `numbers`: little-endian float32, packed.
        terms: Those that pull a record up most (weight > 0) or down, the strongest first.
        reasons: The like for each record at the head of the order, by its number; kept as long
            as the order.
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
    n_vectors: Mapped[int] = mapped_column(default=0, server_default="0")
    seconds: Mapped[float]
    created_at: Mapped[datetime]
    terms: Mapped[list[tuple[str, float]]] = mapped_column(Json, default=list)
    reasons: Mapped[dict[str, list[tuple[str, float]]] | None] = mapped_column(Json, deferred=True)
    numbers: Mapped[bytes | None] = mapped_column(deferred=True)
    scores: Mapped[bytes | None] = mapped_column(deferred=True)


class Training(Attempted, Base):
    """The one claim on a review's next training.

    A training is due while the review's `labels_seq` is above `trained_seq`. Who raises
    `fence` holds it until `lease_until`; a holder whose fence is no longer the newest has
    lost it and its work is thrown away. One that is parked is due again when the records or the
    policy change, or when somebody asks for it.

    Attributes:
        parked_corpus_seq: The state of the review's texts when it was parked.
    """

    __tablename__ = "training"

    review_id: Mapped[ReviewId] = mapped_column(
        ForeignKey("review.id", ondelete="CASCADE"), primary_key=True
    )
    stage: Mapped[Stage] = mapped_column(stored_enum(Stage), primary_key=True)
    trained_seq: Mapped[int]
    parked_corpus_seq: Mapped[int] = mapped_column(default=0, server_default="0")


class SentenceVector(Base):
    """What a record's text is about, as numbers.

    Attributes:
        model: The encoder that made it.
        text_hash: SHA-256 of what it was made of; see `vector_store.text_hash`.
        vector: Of length 1, or all 0 for a record without text; little-endian float16, packed.
    """

    __tablename__ = "sentence_vector"
    __table_args__ = (
        ForeignKeyConstraint(
            ["review_id", "record_number"],
            ["record.review_id", "record.number"],
            ondelete="CASCADE",
        ),
    )

    review_id: Mapped[ReviewId] = mapped_column(primary_key=True)
    record_number: Mapped[RecordNumber] = mapped_column(primary_key=True, autoincrement=False)
    model: Mapped[str]
    text_hash: Mapped[bytes]
    vector: Mapped[bytes]


class Encoding(Attempted, Base):
    """How far the review's sentence vectors are, and who makes the next ones.

    Vectors are missing while the review's `corpus_seq` is above the one here. Who raises
    `fence` holds the work until `lease_until`; every turn of it raises the fence.

    Attributes:
        model: The encoder whose vectors are being made, or were.
        corpus_seq: Of this state of the review's texts all vectors are there.
        began_at: When the present run, or the last one, began.
        n_done: How many vectors that run has stored. With `fence` it numbers every change.
        parked_corpus_seq: As of a training; a parked one is due again when the texts change.
    """

    __tablename__ = "encoding"

    review_id: Mapped[ReviewId] = mapped_column(
        ForeignKey("review.id", ondelete="CASCADE"), primary_key=True
    )
    model: Mapped[str]
    corpus_seq: Mapped[int]
    began_at: Mapped[datetime | None]
    n_done: Mapped[int]
    parked_corpus_seq: Mapped[int] = mapped_column(default=0, server_default="0")


class SecondLook(Attempted, Base):
    """How much like an include each excluded record looks, and who works that out.

    It is computed again while `asked` is above `done`. Who raises `fence` holds the work until
    `lease_until`, and what is brought under an older fence is thrown away.

    Attributes:
        labels_seq: The scores count every change of the review up to this number.
        numbers: Records scored, ascending: little-endian int32, packed; empty where the labels
            are too few to learn from. None before the first time.
        scores: Aligned, in [0, 1]: little-endian float32, see `second_look_scores.likeness`.
    """

    __tablename__ = "second_look"

    review_id: Mapped[ReviewId] = mapped_column(
        ForeignKey("review.id", ondelete="CASCADE"), primary_key=True
    )
    stage: Mapped[Stage] = mapped_column(stored_enum(Stage), primary_key=True)
    asked: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    asked_at: Mapped[datetime | None]
    model: Mapped[str | None]
    labels_seq: Mapped[int | None]
    seconds: Mapped[float | None]
    made_at: Mapped[datetime | None]
    numbers: Mapped[bytes | None]
    scores: Mapped[bytes | None]
