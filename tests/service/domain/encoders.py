"""Encoders for tests, and what is stored of their vectors."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import select, update

from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import ReviewId
from tandem.ranking import encoding, encoding_work, vector_store
from tandem.ranking.encoding import encode_some
from tandem.ranking.minilm import DIMENSIONS
from tandem.ranking.models import Encoding, SentenceVector
from tandem.records.models import Record
from tandem.reviews.models import Review
from tandem.tasks import TaskSignals

Texts = Sequence[tuple[str, str]]


class Killed(BaseException):
    """What no code expects, as little as a kill."""


class Encoder:
    """Points every text somewhere of its own, and notes which it was given."""

    def __init__(self) -> None:
        self.given: list[tuple[str, str]] = []
        self.before: Callable[[], object] = lambda: None

    def __call__(self, texts: Texts) -> NDArray[np.float32]:
        self.before()
        self.given += texts
        return np.array([direction(*text) for text in texts], dtype=np.float32)


def direction(title: str, abstract: str) -> NDArray[np.float32]:
    seed = int.from_bytes(vector_store.text_hash(title, abstract)[:4], "little")
    drawn = np.random.RandomState(seed).standard_normal(DIMENSIONS)
    return (drawn / np.linalg.norm(drawn)).astype(np.float32)


def short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a turn be one batch of four records."""
    monkeypatch.setattr(encoding, "BATCH", 4)
    monkeypatch.setattr(encoding, "TURN", timedelta(0))


def encode_all(database: Database, review_id: ReviewId, encoder: encoding.Encoder) -> int:
    """Take turns until nothing is left; return how many it took."""
    turns, fence = 1, encode_some(database, review_id, encoder)
    while fence is not None:
        turns, fence = turns + 1, encode_some(database, review_id, encoder, fence=fence)
    return turns


def stored(database: Database, review_id: ReviewId) -> dict[int, SentenceVector]:
    with database.read() as session:
        rows = session.scalars(select(SentenceVector).where(SentenceVector.review_id == review_id))
        return {row.record_number: row for row in rows}


def is_encoded(database: Database, review_id: ReviewId) -> bool:
    """Whether every record has the vector of its present text."""
    found = stored(database, review_id)
    with database.read() as session:
        records = session.scalars(select(Record).where(Record.review_id == review_id)).all()
    return all(
        np.allclose(
            np.frombuffer(found[record.number].vector, "<f2"),
            direction(record.title, record.abstract),
            atol=1e-3,
        )
        for record in records
        if record.duplicate_of is None
    )


def so_far(database: Database, review_id: ReviewId) -> encoding.Progress | None:
    with database.read() as session:
        return encoding.progress(session, review_id)


def unfinished(database: Database) -> Sequence[ReviewId]:
    with database.read() as session:
        return encoding_work.unfinished(session)


def labels_seq(database: Database, review_id: ReviewId) -> int:
    with database.read() as session:
        return session.get_one(Review, review_id).labels_seq


def let_the_lease_run_out(database: Database) -> None:
    past = now() - timedelta(seconds=1)
    with database.write.begin() as session:
        session.execute(update(Encoding).values(lease_until=past, not_before=past))


def change_text(database: Database, review_id: ReviewId, number: int, title: str) -> None:
    with database.write.begin() as session:
        session.get_one(Record, (review_id, number)).title = title
        session.get_one(Review, review_id).corpus_seq += 1


class Asked(TaskSignals):
    """Notes what is asked for, and sends nothing."""

    def __init__(self) -> None:
        self.rankings: list[ReviewId] = []
        self.turns: list[tuple[ReviewId, int | None]] = []

    def changed(self, review_id: ReviewId) -> None:
        self.rankings.append(review_id)

    def to_encode(self, review_id: ReviewId, fence: int | None = None) -> None:
        self.turns.append((review_id, fence))
