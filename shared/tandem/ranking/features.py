"""Texts as numbers, made once for an import and shared by every training after it."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from errno import EEXIST, ENOTEMPTY
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer

from tandem.ranking import word_vectors
from tandem.ranking.presets import Words

_REVISION = 3
"""To be raised when `build` changes what it makes of the same parameters."""

_NO_TERM_LEFT = ("empty vocabulary", "no terms remain", "max_df corresponds to")
"""How scikit-learn says it: it has no class of error for this, and a bad recipe must not pass."""


@dataclass(frozen=True)
class Terms:
    """The term of each column, in one piece of memory that processes can share.

    Attributes:
        text: All terms one after the other in UTF-8, uint8.
        ends: Where each ends, int64, shape (n_terms,).
    """

    text: NDArray[np.uint8]
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, terms: Iterable[str]) -> "Terms":
        encoded = [term.encode() for term in terms]
        text = np.frombuffer(b"".join(encoded), dtype=np.uint8)
        return cls(text, np.cumsum([len(term) for term in encoded], dtype=np.int64))

    def __getitem__(self, column: int) -> str:
        start = self.ends[column - 1] if column else 0
        return self.text[start : self.ends[column]].tobytes().decode()


@dataclass(frozen=True)
class Features:
    """What the ranking knows of each record's text.

    Attributes:
        matrix: CSR, float64, shape (n_records, n_terms); terms of title and abstract together
            have length 1 in each row, or 0 where a record has no known term; where the recipe
            wants it, weighted columns of the title's terms follow. Indices within a row are
            not sorted and must stay so: sums in another order differ in the last bit, and then
            near-ties fall otherwise.
        terms: Of the columns. A term that is in both blocks is there twice.
        similarity: float64, shape (n_records,), in [0, 1]: cosine of each record to the
            review's own text; all zero where there is no such text or it shares no term.
        word_vectors: Means of word vectors, float32, shape (n_records, n_dimensions), of length
            1, or 0 where a record has no text. None where the recipe wants none, or where they
            are not installed.
        sentences: Sentence vectors, float32, shape (n_records, n_dimensions), of length 1, or
            0 where a record has none yet. None where nothing computes any.
    """

    matrix: csr_matrix
    terms: Terms
    similarity: NDArray[np.float64]
    word_vectors: NDArray[np.float32] | None = None
    sentences: NDArray[np.float32] | None = None


def build(texts: Sequence[tuple[str, str]], words: Words, *, query: str = "") -> Features:
    """Turn records into TF-IDF vectors as ASReview 3.0.8 does (`TextMerger`, `Tfidf`).

    Args:
        texts: Title and abstract of each record; "" where there is none.
        words: The recipe.
        query: The review's question and criteria. It is compared with the records, but has
            no say in which terms there are or what they weigh.

    Returns:
        Features in the order of `texts`, without sentence vectors. Where no term is left (no
        words at all, a single record, or the same text everywhere) the matrix has no columns.
    """
    vectors = word_vectors.build(texts) if _vectors_of(words) else None
    vectorizer = _vectorizer(words)
    matrix = _fit(vectorizer, [f"{title} {abstract}" for title, abstract in texts])
    if matrix is None:
        nothing = csr_matrix((len(texts), 0), dtype=np.float64)
        return Features(nothing, Terms.of(()), np.zeros(len(texts)), vectors)
    asked: NDArray[np.float64] = vectorizer.transform([query]).toarray().ravel()
    terms, similarity = vectorizer.get_feature_names_out().tolist(), matrix @ asked
    if words.title:
        of_titles = _vectorizer(words)
        titles = _fit(of_titles, [title for title, _ in texts])
        if titles is not None:
            matrix = hstack([matrix, words.title * titles], format="csr")
            terms += of_titles.get_feature_names_out().tolist()
    return Features(matrix, Terms.of(terms), similarity, vectors)


def _vectors_of(words: Words) -> str | None:
    known = words.vectors == word_vectors.MODEL and word_vectors.is_installed()
    return word_vectors.MODEL if known else None


def _vectorizer(words: Words) -> TfidfVectorizer:
    return TfidfVectorizer(
        ngram_range=words.ngram_range,
        sublinear_tf=words.sublinear_tf,
        min_df=words.min_df,
        max_df=words.max_df,
    )


def _fit(vectorizer: TfidfVectorizer, texts: Sequence[str]) -> csr_matrix | None:
    try:
        return vectorizer.fit_transform(texts)
    except ValueError as error:
        if not any(words in str(error) for words in _NO_TERM_LEFT):
            raise
        return None


def feature_key(words: Words) -> str:
    """Return 16 hexadecimal digits: equal where `build` makes the same of the same texts."""
    recipe = [_REVISION, asdict(words) | {"vectors": _vectors_of(words)}]
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:16]


def save(features: Features, folder: Path) -> None:
    """Write features for `load`: wholly or not at all, in the place of what was there.

    Sentence vectors are not among it: they come later, and from elsewhere.

    Readers of the former folder keep what they have mapped. Between the two a reader may find
    no folder for an instant; so name folders by what is in them, and they never change.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    matrix = features.matrix
    with tempfile.TemporaryDirectory(
        dir=folder.parent, prefix=f".{folder.name}-", ignore_cleanup_errors=True
    ) as made:
        fresh = Path(made) / "fresh"
        fresh.mkdir()
        np.save(fresh / "data.npy", matrix.data)
        np.save(fresh / "indices.npy", matrix.indices)
        np.save(fresh / "indptr.npy", matrix.indptr)
        np.save(fresh / "shape.npy", np.array(matrix.shape, dtype=np.int64))
        np.save(fresh / "similarity.npy", features.similarity)
        np.save(fresh / "word_vectors.npy", _or_none_at_all(features.word_vectors))
        np.save(fresh / "terms.npy", features.terms.text)
        np.save(fresh / "term_ends.npy", features.terms.ends)
        _put_in_place(fresh, folder)


def load(folder: Path) -> Features:
    """Map features from disk; nothing is copied, and processes share the memory.

    Raises:
        FileNotFoundError: They were never saved there, or somebody has removed them.
        EOFError, ValueError: A file is cut off, or is something else.
    """
    shape = np.load(folder / "shape.npy")
    data, indices, indptr, similarity, text, ends = (
        np.load(folder / f"{name}.npy", mmap_mode="r")
        for name in ("data", "indices", "indptr", "similarity", "terms", "term_ends")
    )
    matrix = csr_matrix((data, indices, indptr), shape=tuple(shape.tolist()), copy=False)
    vectors = np.load(folder / "word_vectors.npy", mmap_mode="r")
    return Features(matrix, Terms(text, ends), similarity, vectors if vectors.shape[1] else None)


def _or_none_at_all(vectors: NDArray[np.float32] | None) -> NDArray[np.float32]:
    # A file that says so: one that is missing must not be taken for it.
    return np.empty((0, 0), np.float32) if vectors is None else vectors


def _put_in_place(fresh: Path, folder: Path) -> None:
    for attempt in range(100):
        try:
            os.replace(fresh, folder)
        except OSError as error:
            if error.errno not in (EEXIST, ENOTEMPTY):
                raise
        else:
            return
        # A folder cannot be replaced while it holds files, so the old one steps aside first;
        # where another saver was faster it has gone already.
        aside = fresh.parent / f"aside-{attempt}"
        with suppress(FileNotFoundError):
            os.replace(folder, aside)
        shutil.rmtree(aside, ignore_errors=True)
    raise OSError(f"Other processes keep writing to {folder}.")
