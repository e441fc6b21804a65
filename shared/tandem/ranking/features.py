"""Texts as numbers, made once for an import and shared by every training after it."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from errno import EEXIST, ENOTEMPTY
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from tandem.ranking.presets import Preset

_REVISION = 1
"""To be raised when `build` changes what it makes of the same parameters."""

_NO_TERM_LEFT = ("empty vocabulary", "no terms remain", "max_df corresponds to")
"""How scikit-learn says it: it has no class of error for this, and a bad recipe must not pass."""


@dataclass(frozen=True)
class Features:
    """What the ranking knows of each record's text.

    Attributes:
        matrix: CSR, float64, shape (n_records, n_terms); rows have length 1, or 0 where a
            record has no known term. Indices within a row are not sorted and must stay so:
            sums in another order differ in the last bit, and then near-ties fall otherwise.
        similarity: float64, shape (n_records,), in [0, 1]: cosine of each record to the
            review's own text; all zero where there is no such text or it shares no term.
    """

    matrix: csr_matrix
    similarity: NDArray[np.float64]


def build(texts: Sequence[tuple[str, str]], preset: Preset, *, query: str = "") -> Features:
    """Turn records into TF-IDF vectors as ASReview 3.0.8 does (`TextMerger`, `Tfidf`).

    Args:
        texts: Title and abstract of each record; "" where there is none.
        preset: The recipe.
        query: The review's question and criteria. It is compared with the records, but has
            no say in which terms there are or what they weigh.

    Returns:
        Features in the order of `texts`. Where no term is left (no words at all, a single
        record, or the same text everywhere) the matrix has no columns.
    """
    vectorizer = TfidfVectorizer(
        ngram_range=preset.ngram_range,
        sublinear_tf=preset.sublinear_tf,
        min_df=preset.min_df,
        max_df=preset.max_df,
    )
    try:
        matrix = vectorizer.fit_transform([f"{title} {abstract}" for title, abstract in texts])
    except ValueError as error:
        if not any(words in str(error) for words in _NO_TERM_LEFT):
            raise
        nothing = csr_matrix((len(texts), 0), dtype=np.float64)
        return Features(matrix=nothing, similarity=np.zeros(len(texts)))
    asked: NDArray[np.float64] = vectorizer.transform([query]).toarray().ravel()
    return Features(matrix=matrix, similarity=matrix @ asked)


def feature_key(preset: Preset) -> str:
    """Return 16 hexadecimal digits: equal where `build` makes the same of the same texts."""
    recipe = [_REVISION, preset.ngram_range, preset.sublinear_tf, preset.min_df, preset.max_df]
    return hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:16]


def save(features: Features, folder: Path) -> None:
    """Write features for `load`: wholly or not at all, in the place of what was there.

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
        _put_in_place(fresh, folder)


def load(folder: Path) -> Features:
    """Map features from disk; nothing is copied, and processes share the memory.

    Raises:
        FileNotFoundError: They were never saved there, or somebody has removed them.
    """
    shape = np.load(folder / "shape.npy")
    data, indices, indptr, similarity = (
        np.load(folder / f"{name}.npy", mmap_mode="r")
        for name in ("data", "indices", "indptr", "similarity")
    )
    matrix = csr_matrix((data, indices, indptr), shape=tuple(shape.tolist()), copy=False)
    return Features(matrix=matrix, similarity=similarity)


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
