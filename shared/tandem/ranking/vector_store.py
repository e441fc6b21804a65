"""Sentence vectors in the database: packed one by one, read for a whole review at once."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.ids import ReviewId
from tandem.ranking.minilm import DIMENSIONS
from tandem.ranking.models import Encoding, SentenceVector
from tandem.reviews.models import Review

ENOUGH = 0.9
"""Share of the records that must have a vector before a ranking uses any: with fewer, those
without would stand where they do for that reason alone."""

_KEPT_BYTES = 256 << 20
"""Per worker process: the vectors of some thirty reviews of 5,000 records, or of one of 170,000."""


@dataclass(frozen=True)
class Vectors:
    """The vectors of a review's records.

    Attributes:
        matrix: Float32, shape (n_records, DIMENSIONS), not to be written to; 0 where a record
            has none.
        n_known: How many records have one.
    """

    matrix: NDArray[np.float32]
    n_known: int


def text_hash(title: str, abstract: str) -> bytes:
    """Return 32 bytes that are others where the text is another."""
    return hashlib.sha256(f"{title}\0{abstract}".encode()).digest()


def pack(vector: NDArray[np.float32]) -> bytes:
    return vector.astype("<f2").tobytes()


def load(
    session: Session, review: Review, numbers: NDArray[np.int32], *, model: str
) -> Vectors | None:
    """Return the stored vectors of the review's records, or None where there are not ENOUGH.

    What a process has read it keeps, for the next training a second later, until a vector or
    a text has changed.

    Args:
        session: Sees one state of the review throughout.
        review: As of that state.
        numbers: Of its records, ascending; row i of the matrix is numbers[i].
        model: Vectors of other encoders do not count.
    """
    encoding = session.get(Encoding, review.id)
    if encoding is None or numbers.size == 0:
        return None
    # While a file is read the features are of fewer records than the review has: which, too.
    state = (model, review.corpus_seq, encoding.fence, encoding.n_done, numbers.tobytes())
    known, found = _kept.get(review.id, state)
    if not known:
        found = _read(session, review.id, numbers, model)
        _kept.put(review.id, state, found)
    return found


def _read(
    session: Session, review_id: ReviewId, numbers: NDArray[np.int32], model: str
) -> Vectors | None:
    stored = (SentenceVector.review_id == review_id, SentenceVector.model == model)
    of_these = select(SentenceVector.record_number).where(*stored)
    n_known = int(np.isin(session.scalars(of_these).all(), numbers).sum())
    if n_known / numbers.size < ENOUGH:
        return None
    matrix = np.zeros((numbers.size, DIMENSIONS), dtype=np.float32)
    query = select(SentenceVector.record_number, SentenceVector.vector).where(*stored)
    for part in session.execute(query.execution_options(yield_per=5000)).partitions():
        vectors = np.frombuffer(b"".join(row.vector for row in part), dtype="<f2")
        mine = np.array([row.record_number for row in part], dtype=np.int32)
        shown = np.isin(mine, numbers)
        rows = np.searchsorted(numbers, mine[shown])
        matrix[rows] = vectors.reshape(-1, DIMENSIONS)[shown]
    matrix.flags.writeable = False
    return Vectors(matrix, n_known)


class _Kept:
    """What was read of each review last, those read lately; None counts as read, too."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._read: OrderedDict[ReviewId, tuple[Hashable, Vectors | None]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, review_id: ReviewId, state: Hashable) -> tuple[bool, Vectors | None]:
        with self._lock:
            known_state, found = self._read.get(review_id, (None, None))
            if known_state != state:
                return False, None
            self._read.move_to_end(review_id)
            return True, found

    def put(self, review_id: ReviewId, state: Hashable, found: Vectors | None) -> None:
        with self._lock:
            self._read[review_id] = (state, found)
            self._read.move_to_end(review_id)
            while len(self._read) > 1 and self._bytes() > self._size:
                self._read.popitem(last=False)

    def _bytes(self) -> int:
        return sum(found.matrix.nbytes for _, found in self._read.values() if found)


_kept = _Kept(_KEPT_BYTES)
