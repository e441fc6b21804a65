"""Making sentence vectors: in the background, a few seconds at a time, while people screen.

The database says which are missing, and whose turn it is. Whatever gets lost or killed costs a
minute, never a vector that was stored.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, and_, case, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute, Session

from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import RecordNumber, ReviewId
from tandem.log import logger
from tandem.ranking import serving, vector_store
from tandem.ranking.models import Encoding, SentenceVector
from tandem.ranking.sentences import MODEL
from tandem.records.models import Record
from tandem.reviews import service as reviews
from tandem.reviews.models import Review

BATCH = 64
"""Records per transaction: one to four seconds of work."""

TURN = timedelta(seconds=3)
"""After so long imports and rankings, which wait in the same queue, have their turn."""

LEASE = timedelta(seconds=60)
"""An encoder that stores no batch for this long is taken for dead. Loading the model for the
first batch takes less, and so does a message's way through the queue between two turns."""

AT_ONCE = 2
"""So many reviews the relay lets be encoded at a time. Where the extra comes to an installation
of many reviews, a ranking would wait behind a turn of each of them."""

Encoder = Callable[[Sequence[tuple[str, str]]], NDArray[np.float32]]
"""Makes of titles and abstracts what `sentences.encode` does."""

_log = logger(__name__)


class _Overtaken(Exception):
    """Another worker has taken the review over; what this one made is not stored."""


class _Text(NamedTuple):
    number: RecordNumber
    title: str
    abstract: str


@dataclass(frozen=True, slots=True)
class _Claim:
    review_id: ReviewId
    fence: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Of the `of` records that are screened, `encoded` have a vector of this model."""

    model: str
    encoded: int
    of: int


def encode_some(
    database: Database,
    review_id: ReviewId,
    encoder: Encoder,
    *,
    fence: int | None = None,
    finished: Callable[[], object] = lambda: None,
) -> int | None:
    """Encode the review's next records for the length of a turn.

    Safe to run twice, side by side, and to be killed anywhere: what is missing is looked up
    for each batch, and only the holder of the newest fence may store. No transaction is open
    while the encoder works. What fails keeps its lease, and so is tried again when that is over.

    Args:
        database: Where records and vectors are.
        review_id: The review.
        encoder: Makes the vectors, of the model `sentences.MODEL`.
        fence: What the turn before has returned; left out by whoever begins.
        finished: Called when all records have their vectors, and so a new ranking is due.

    Returns:
        Where more is left, the fence with which to take the next turn within LEASE. None where
        nothing is left, or another encoder holds the review.
    """
    held = _claim(database, review_id, fence)
    if held is None:
        return None
    if fence is None:
        with database.read() as session:
            so_far = progress(session, review_id)
        _log.info(
            "encoding sentences",
            review_id=str(review_id),
            n_encoded=so_far and so_far.encoded,
            n_records=so_far and so_far.of,
        )
    try:
        if not _take_turn(database, held, encoder):
            return held.fence
    except _Overtaken:
        _log.warning("encoding taken over by another worker", review_id=str(review_id))
        return None
    finished()
    return None


def unfinished(session: Session) -> Sequence[ReviewId]:
    """Return reviews that lack vectors and that nobody encodes, the newest first.

    No more than there is room for beside those that are being encoded; see AT_ONCE.
    """
    held = select(func.count()).select_from(Encoding).where(Encoding.lease_until >= now())
    room = max(0, AT_ONCE - (session.scalar(held) or 0))
    never = Encoding.review_id.is_(None)
    query = (
        select(Review.id)
        .outerjoin(Encoding, Encoding.review_id == Review.id)
        .where(Review.corpus_seq > 0, or_(never, and_(*_is_due(Review.corpus_seq))))
        .order_by(Review.created_at.desc(), Review.id)
        .limit(room)
    )
    return session.scalars(query).all()


def progress(session: Session, review_id: ReviewId) -> Progress | None:
    """Return how far the review is, or None where no encoder has ever begun."""
    encoding = session.get(Encoding, review_id)
    if encoding is None:
        return None
    query = (
        select(func.count(), func.count(SentenceVector.record_number))
        .select_from(Record)
        .outerjoin(SentenceVector, _vector_of(encoding.model))
        .where(Record.review_id == review_id, Record.duplicate_of.is_(None))
    )
    of, encoded = session.execute(query).one()
    return Progress(encoding.model, encoded, of)


def _take_turn(database: Database, held: _Claim, encoder: Encoder) -> bool:
    """Return whether all is done."""
    started, n_encoded = time.perf_counter(), 0
    turn_ends = time.monotonic() + TURN.total_seconds()
    while True:
        with database.snapshot() as session:
            corpus_seq = reviews.get_review(session, held.review_id).corpus_seq
            texts = _lacking(session, held.review_id) or _changed(session, held.review_id)
        if texts:
            vectors = encoder([(text.title, text.abstract) for text in texts])
            _store(database, held, texts, vectors)
            n_encoded += len(texts)
        elif _finish(database, held, corpus_seq):
            return True
        if time.monotonic() >= turn_ends:
            break
    _log.debug(
        "some sentences encoded",
        review_id=str(held.review_id),
        **_speed(n_encoded, time.perf_counter() - started),
    )
    return False


def _lacking(session: Session, review_id: ReviewId) -> list[_Text]:
    query = (
        select(Record.number, Record.title, Record.abstract)
        .outerjoin(SentenceVector, _vector_of(MODEL))
        .where(Record.review_id == review_id, Record.duplicate_of.is_(None))
        .where(SentenceVector.record_number.is_(None))
        .order_by(Record.number)
        .limit(BATCH)
    )
    return [_Text(*row) for row in session.execute(query)]


def _changed(session: Session, review_id: ReviewId) -> list[_Text]:
    """Find texts that are not what their vectors were made of. Reads all; so done at the end."""
    query = (
        select(Record.number, Record.title, Record.abstract, SentenceVector.text_hash)
        .join(SentenceVector, _vector_of(MODEL))
        .where(Record.review_id == review_id, Record.duplicate_of.is_(None))
        .order_by(Record.number)
        .execution_options(yield_per=1000)
    )
    stale = (
        _Text(number, title, abstract)
        for number, title, abstract, made_of in session.execute(query)
        if vector_store.text_hash(title, abstract) != made_of
    )
    return list(islice(stale, BATCH))


def _vector_of(model: str) -> ColumnElement[bool]:
    return and_(
        SentenceVector.review_id == Record.review_id,
        SentenceVector.record_number == Record.number,
        SentenceVector.model == model,
    )


def _store(
    database: Database, held: _Claim, texts: Sequence[_Text], vectors: NDArray[np.float32]
) -> None:
    rows = [
        {
            "review_id": held.review_id,
            "record_number": text.number,
            "model": MODEL,
            "text_hash": vector_store.text_hash(text.title, text.abstract),
            "vector": vector_store.pack(vector),
        }
        for text, vector in zip(texts, vectors, strict=True)
    ]
    with database.write.begin() as session:
        _hold(session, held).n_done += len(rows)
        session.execute(
            delete(SentenceVector).where(
                SentenceVector.review_id == held.review_id,
                SentenceVector.record_number.in_([text.number for text in texts]),
            )
        )
        session.execute(insert(SentenceVector), rows)


def _finish(database: Database, held: _Claim, corpus_seq: int) -> bool:
    """Note that all is done, and ask for a ranking. False where more texts have come meanwhile."""
    with database.write.begin() as session:
        review = reviews.lock(session, held.review_id)
        encoding = _hold(session, held)
        if review.corpus_seq != corpus_seq:
            return False
        encoding.corpus_seq, encoding.lease_until = corpus_seq, None
        serving.ask_for_training(review)
        began_at, n_done = encoding.began_at or now(), encoding.n_done
    _log.info(
        "sentences encoded",
        review_id=str(held.review_id),
        **_speed(n_done, (now() - began_at).total_seconds()),
    )
    return True


def _speed(n_records: int, seconds: float) -> dict[str, float]:
    per_second = n_records / seconds if seconds > 0 else 0.0
    return {
        "n_records": n_records,
        "seconds": round(seconds, 1),
        "records_per_second": round(per_second, 1),
    }


def _claim(database: Database, review_id: ReviewId, fence: int | None) -> _Claim | None:
    """Begin a run if vectors are missing and nobody makes them, or go on with that of `fence`."""
    beginning = {
        "began_at": now(),
        "n_done": 0,
        "model": MODEL,
        "corpus_seq": case((Encoding.model == MODEL, Encoding.corpus_seq), else_=0),
    }
    with database.write.begin() as session:
        if fence is None:
            _ensure_row(session, review_id)
            wanted = select(Review.corpus_seq).where(Review.id == review_id).scalar_subquery()
            mine, values = _is_due(wanted), beginning
        else:
            mine, values = (Encoding.fence == fence, Encoding.lease_until.is_not(None)), {}
        newest = session.execute(
            update(Encoding)
            .where(Encoding.review_id == review_id, *mine)
            .values(fence=Encoding.fence + 1, lease_until=now() + LEASE, **values)
            .returning(Encoding.fence)
            .execution_options(synchronize_session=False)
        ).scalar_one_or_none()
    return None if newest is None else _Claim(review_id, newest)


def _ensure_row(session: Session, review_id: ReviewId) -> None:
    upsert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = {"review_id": review_id, "model": MODEL, "corpus_seq": 0, "fence": 0, "n_done": 0}
    session.execute(upsert(Encoding).values(values).on_conflict_do_nothing())


def _is_due(
    wanted: ColumnElement[int] | InstrumentedAttribute[int],
) -> tuple[ColumnElement[bool], ...]:
    """Whether not all texts of the state `wanted` have their vectors, and nobody makes them."""
    return (
        or_(Encoding.corpus_seq < wanted, Encoding.model != MODEL),
        or_(Encoding.lease_until.is_(None), Encoding.lease_until < now()),
    )


def _hold(session: Session, held: _Claim) -> Encoding:
    """Return the review's row, locked, its lease renewed, if this encoder still holds it."""
    row = session.scalars(
        select(Encoding)
        .where(
            Encoding.review_id == held.review_id,
            Encoding.fence == held.fence,
            Encoding.lease_until.is_not(None),
        )
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise _Overtaken
    row.lease_until = now() + LEASE
    return row
