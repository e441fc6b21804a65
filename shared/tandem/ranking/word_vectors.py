"""Records as means of word vectors: near each other when their words are, not only when equal.

The vectors (32,000 word pieces, 256 dimensions) are those of wordllama (Miller 2024), read from
inside its package: nothing is downloaded, and its own code is not run. Where there is no such
package for the platform, rankings go without.
"""

from collections.abc import Collection
from functools import cache
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array

from tandem.progress import OnProgress, counted, no_progress, stretch
from tandem.ranking.word_pieces import WordPieces

MODEL = "wordllama-l2-supercat-256"

_PIECES = Path("tokenizers/l2_supercat_tokenizer_config.json")
_VECTORS = Path("weights/l2_supercat_256.safetensors")
_AT_ONCE = 256
"""Records that are cut into pieces at once."""

_COUNTED = 0.7
"""The share of the work that is done when it is known how many records have each piece."""


def is_installed() -> bool:
    """Return whether `build` can work here."""
    folder = _folder()
    return folder is not None and (folder / _PIECES).exists() and (folder / _VECTORS).exists()


def build(
    texts: Collection[tuple[str, str]],
    on_progress: OnProgress = no_progress,
    folder: Path | None = None,
) -> NDArray[np.float32]:
    """Return a vector of length 1 for each title and abstract, shape (n, 256).

    Each is the mean of its word pieces' vectors, weighted by (1 + ln f) · ln((1 + n) / (1 + d)),
    with f how often a piece is in the record and d how many of the n records have it; from all
    of them the mean of the records is taken off. A record without text has the zero vector. What is
    kept meanwhile, a kilobyte for each record, is in a file in `folder`, by default the system's.
    """
    vectors, n = _vectors(), len(texts)
    having = np.zeros(len(vectors), np.int64)
    means, worded = np.empty((n, vectors.shape[1]), np.float32), np.empty((n, 1), bool)
    parts = [slice(row, min(n, row + _AT_ONCE)) for row in range(0, n, _AT_ONCE)]
    with TemporaryFile(dir=folder) as kept:
        cutter = WordPieces(tokenizer_file())
        read = iter(counted(texts, stretch(on_progress, 0.0, _COUNTED)))
        for part in parts:
            some = islice(read, part.stop - part.start)
            counts = cutter.counts([f"{title} {abstract}" for title, abstract in some])
            having += np.bincount(counts.indices, minlength=having.size)
            _keep(counts, kept)
        del cutter
        kept.seek(0)
        rarity = np.log((1 + n) / (1 + having)).astype(np.float32)
        for part in counted(parts, stretch(on_progress, _COUNTED, 1.0)):
            counts = _kept(kept, (part.stop - part.start, len(vectors)))
            counts.data = 1 + np.log(counts.data)
            means[part] = _lengths_one(counts @ diags_array(rarity) @ vectors)
            worded[part, 0] = np.diff(counts.indptr) > 0
    middle = means.sum(axis=0) / max(1, int(worded.sum()))
    for part in parts:
        means[part] = _lengths_one(np.where(worded[part], means[part] - middle, 0))
    return means


def _keep(counts: csr_matrix, file: IO[bytes]) -> None:
    """Write to the end of a file: in memory all of them would be a third of what features take."""
    for numbers in (counts.indptr, counts.indices.astype(np.uint16), counts.data):
        np.save(file, numbers)


def _kept(file: IO[bytes], shape: tuple[int, int]) -> csr_matrix:
    """Read the next of those that were written."""
    ends, indices, data = (np.load(file) for _ in range(3))
    return csr_matrix((data, indices.astype(np.int32), ends), shape=shape)


def _lengths_one(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32, copy=False)


@cache
def _vectors() -> NDArray[np.float32]:
    from safetensors.numpy import load_file

    (vectors,) = load_file(_installed() / _VECTORS).values()
    return vectors.astype(np.float32)


def tokenizer_file() -> Path:
    """Return what texts are cut into pieces by; ask `is_installed` first."""
    return _installed() / _PIECES


def _installed() -> Path:
    folder = _folder()
    assert folder is not None  # noqa: S101  # `is_installed` is asked first
    return folder


@cache
def _folder() -> Path | None:
    # Only found, never imported: its import would set up the logging of the whole process.
    found = find_spec("wordllama")
    return None if found is None or found.origin is None else Path(found.origin).parent
