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
from sqlalchemy import ColumnElement, and_, delete, func, insert, select
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import RecordNumber, ReviewId
from tandem.log import logger
from tandem.ranking import encoding_work, serving, vector_store
from tandem.ranking.models import Encoding, SentenceVector
from tandem.ranking.sentences import MODEL
from tandem.records.models import Record
from tandem.reviews import service as reviews
from tandem.work.lease import Held, Overtaken

BATCH = 64
"""Records per transaction: one to four seconds of work."""

TURN = timedelta(seconds=3)
"""After so long imports, which wait in the same queue, have their turn."""

Encoder = Callable[[Sequence[tuple[str, str]]], NDArray[np.float32]]
"""Makes of titles and abstracts what `sentences.encode` does."""

_log = logger(__name__)


class _Text(NamedTuple):
    number: RecordNumber
    title: str
    abstract: str


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
    while the encoder works. What fails is tried again after a while; where all tries failed
    without a single new vector it is parked until the review's texts change.

    Args:
        database: Where records and vectors are.
        review_id: The review.
        encoder: Makes the vectors, of the model `sentences.MODEL`.
        fence: The return value of the turn before; left out for the first turn.
        finished: Called when all records have their vectors, and so a new ranking is due.

    Returns:
        Where more is left, the fence with which to take the next turn. None where nothing is
        left, or another encoder holds the review.
    """
    held = encoding_work.claim(database, review_id, fence)
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
            return encoding_work.rest(database, held)
    except Overtaken:
        _log.warning("encoding taken over by another worker", review_id=str(review_id))
        return None
    except Exception as error:
        encoding_work.fail(database, held, error)
        raise
    finished()
    return None


def progress(session: Session, review_id: ReviewId) -> Progress | None:
    """Return how far the review is, or None where no encoder has ever begun."""
    encoding = session.get(Encoding, review_id)
    if encoding is None:
        return None
    query = (
        select(func.count(), func.count(SentenceVector.record_number))
        .select_from(Record)
        .outerjoin(SentenceVector, _vector_of(encoding.model))
        .where(Record.review_id == review_id, Record.is_shown)
    )
    of, encoded = session.execute(query).one()
    return Progress(encoding.model, encoded, of)


def _take_turn(database: Database, held: Held[Encoding], encoder: Encoder) -> bool:
    """Return whether all is done."""
    started, n_encoded = time.perf_counter(), 0
    turn_ends = time.monotonic() + TURN.total_seconds()
    while True:
        with database.read() as session:
            corpus_seq = reviews.get_review(session, held.row.review_id).corpus_seq
            texts = _lacking(session, held.row.review_id) or _changed(session, held.row.review_id)
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
        review_id=str(held.row.review_id),
        **_speed(n_encoded, time.perf_counter() - started),
    )
    return False


def _lacking(session: Session, review_id: ReviewId) -> list[_Text]:
    query = (
        select(Record.number, Record.title, Record.abstract)
        .outerjoin(SentenceVector, _vector_of(MODEL))
        .where(Record.review_id == review_id, Record.is_shown)
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
        .where(Record.review_id == review_id, Record.is_shown)
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
    database: Database, held: Held[Encoding], texts: Sequence[_Text], vectors: NDArray[np.float32]
) -> None:
    rows = [
        {
            "review_id": held.row.review_id,
            "record_number": text.number,
            "model": MODEL,
            "text_hash": vector_store.text_hash(text.title, text.abstract),
            "vector": vector_store.pack(vector),
        }
        for text, vector in zip(texts, vectors, strict=True)
    ]
    with database.write.begin() as session:
        encoding = encoding_work.hold(session, held)
        encoding.n_done += len(rows)
        encoding.got_further()
        session.execute(
            delete(SentenceVector).where(
                SentenceVector.review_id == held.row.review_id,
                SentenceVector.record_number.in_([text.number for text in texts]),
            )
        )
        session.execute(insert(SentenceVector), rows)


def _finish(database: Database, held: Held[Encoding], corpus_seq: int) -> bool:
    """Note that all is done, and ask for a ranking. False where more texts have come meanwhile."""
    with database.write.begin() as session:
        review = reviews.lock(session, held.row.review_id, also_archived=True)
        encoding = encoding_work.hold(session, held)
        if review.corpus_seq != corpus_seq:
            return False
        encoding.corpus_seq = corpus_seq
        encoding.succeed()
        serving.ask_for_training(review)
        began_at, n_done = encoding.began_at or now(), encoding.n_done
    _log.info(
        "sentences encoded",
        review_id=str(held.row.review_id),
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
