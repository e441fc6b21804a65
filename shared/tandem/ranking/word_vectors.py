"""Records as means of word vectors: near each other when their words are, not only when equal.

The vectors (32,000 word pieces, 256 dimensions) are those of wordllama (Miller 2024), read from
inside its package: nothing is downloaded, and its own code is not run. Where there is no such
package for the platform, rankings go without.
"""

from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array

from tandem.progress import OnProgress, counted, no_progress

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MODEL = "wordllama-l2-supercat-256"

_PIECES = Path("tokenizers/l2_supercat_tokenizer_config.json")
_VECTORS = Path("weights/l2_supercat_256.safetensors")
_AT_ONCE = 256
"""Records cut into pieces at once; each piece is an object of a hundred bytes meanwhile."""


def is_installed() -> bool:
    """Return whether `build` can work here."""
    folder = _folder()
    return folder is not None and (folder / _PIECES).exists() and (folder / _VECTORS).exists()


def build(
    texts: Sequence[tuple[str, str]], on_progress: OnProgress = no_progress
) -> NDArray[np.float32]:
    """Return a vector of length 1 for each title and abstract, shape (n, 256).

    Each is the mean of its word pieces' vectors, weighted by (1 + ln f) · ln((1 + n) / (1 + d)),
    with f how often a piece is in the record and d how many of the n records have it; from all
    of them the mean of the records is taken off. A record without text has the zero vector.
    """
    tokenizer, n = _tokenizer(), len(texts)
    parts = [slice(row, row + _AT_ONCE) for row in range(0, n, _AT_ONCE)]
    pieces = [_counts(tokenizer, texts[part]) for part in counted(parts, on_progress)]
    having = np.zeros(len(_vectors()), np.int64)
    for counts in pieces:
        having += np.bincount(counts.indices, minlength=having.size)
    rarity = np.log((1 + n) / (1 + having)).astype(np.float32)
    means, worded = np.empty((n, _vectors().shape[1]), np.float32), np.empty((n, 1), bool)
    for part, counts in zip(parts, pieces, strict=True):
        counts.data = 1 + np.log(counts.data)
        means[part] = _lengths_one(counts @ diags_array(rarity) @ _vectors())
        worded[part, 0] = np.diff(counts.indptr) > 0
    middle = means.sum(axis=0) / max(1, int(worded.sum()))
    for part in parts:
        means[part] = _lengths_one(np.where(worded[part], means[part] - middle, 0))
    return means


def _counts(tokenizer: "Tokenizer", texts: Sequence[tuple[str, str]]) -> csr_matrix:
    merged = [" ".join(f"{title} {abstract}".split()) for title, abstract in texts]
    pieces = [np.array(found.ids, dtype=np.int32) for found in
              tokenizer.encode_batch(merged, add_special_tokens=False)]  # fmt: skip
    ends = np.cumsum([0, *(len(found) for found in pieces)])
    indices = np.concatenate([np.empty(0, np.int32), *pieces])
    shape = (len(texts), len(_vectors()))
    counts = csr_matrix((np.ones(indices.size, np.float32), indices, ends), shape=shape)
    counts.sum_duplicates()
    return counts


def _lengths_one(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32, copy=False)


def _tokenizer() -> "Tokenizer":
    from tokenizers import Tokenizer

    folder = _folder()
    assert folder is not None  # noqa: S101  # `is_installed` is asked first
    tokenizer = Tokenizer.from_file(str(folder / _PIECES))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


@cache
def _vectors() -> NDArray[np.float32]:
    from safetensors.numpy import load_file

    folder = _folder()
    assert folder is not None  # noqa: S101  # `is_installed` is asked first
    (vectors,) = load_file(folder / _VECTORS).values()
    return vectors.astype(np.float32)


@cache
def _folder() -> Path | None:
    # Only found, never imported: its import would set up the logging of the whole process.
    found = find_spec("wordllama")
    return None if found is None or found.origin is None else Path(found.origin).parent
