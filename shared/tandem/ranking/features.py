"""Texts as numbers, made once for an import and shared by every training after it."""

import hashlib
import json
import mmap
import os
import shutil
import tempfile
from array import array
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from errno import EEXIST, ENOTEMPTY
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, get_index_dtype, hstack

from tandem.progress import OnProgress, counted, no_progress, stretch
from tandem.ranking import prior_model, word_vectors
from tandem.ranking.parameters import Words
from tandem.ranking.terms import Terms
from tandem.ranking.tfidf import Tfidf
from tandem.ranking.word_runs import Texts, n_words

_REVISION = 4
"""To be raised when `build` changes what it makes of the same parameters."""

_PRIOR_MODEL = "precedent"
"""What the prior model is called in keys and folders: as the releases that made them called it."""


@dataclass(frozen=True)
class Features:
    """What the ranking knows of each record's text.

    Attributes:
        matrix: CSR, float64 or float32 as the recipe wants, shape (n_records, n_terms); terms of
            title and abstract together have length 1 in each row, or 0 where a record has no
            known term; where the recipe wants it, weighted columns of the title's terms follow.
            Indices within a row are not sorted and must stay so: sums in another order differ in
            the last bit, and then near-ties fall otherwise.
        terms: Of the columns. A term that is in both blocks is there twice.
        similarity: float64, shape (n_records,), in [0, 1]: cosine of each record to the
            review's own text; all zero where there is no such text or it shares no term.
        word_vectors: Means of word vectors, float32, shape (n_records, n_dimensions), of length
            1, or 0 where a record has no text. None where the recipe wants none, or where they
            are not installed.
        sentences: Sentence vectors, float32, shape (n_records, n_dimensions), of length 1, or
            0 where a record has none yet. None where nothing computes any.
        prior_model: How much speaks for each record by what reviews usually include, float64,
            shape (n_records,), 0 where nothing is known. None where the recipe does not ask.
    """

    matrix: csr_matrix
    terms: Terms
    similarity: NDArray[np.float64]
    word_vectors: NDArray[np.float32] | None = None
    sentences: NDArray[np.float32] | None = None
    prior_model: NDArray[np.float64] | None = None


_READ, _WEIGHED = 0.1, 0.4
"""The share of the work that is done when the words of all texts are read, and when the terms are
weighed. Word vectors take the rest, where there are any."""


def build(
    texts: Collection[tuple[str, str]],
    words: Words,
    *,
    query: str = "",
    on_progress: OnProgress = no_progress,
    folder: Path | None = None,
) -> Features:
    """Turn records into TF-IDF vectors as ASReview 3.0.8 does (`TextMerger`, `Tfidf`).

    Args:
        texts: Title and abstract of each record; "" where there is none. They are read twice,
            one after the other, so they need not be in memory.
        words: The recipe.
        query: The review's question and criteria. It is compared with the records, but has
            no say in which terms there are or what they weigh.
        on_progress: Called with the share that is done.
        folder: Where what is largest is made, in files that processes can share; None for memory.

    Returns:
        Features in the order of `texts`, without sentence vectors. Where no term is left (no
        words at all, a single record, or the same text everywhere) the matrix has no columns.
    """
    whole, titles, reports = _read(texts, words, stretch(on_progress, 0.0, _READ))
    usual = None
    if words.prior_model:
        usual = prior_model.of_words(whole, reports, prior_model.packaged(words.prior_model))
    of_matrix = stretch(on_progress, _READ, _WEIGHED)
    matrix, terms, similarity = _terms_of(whole, titles, words, query, of_matrix, folder)
    del whole, titles
    of_vectors = stretch(on_progress, _WEIGHED, 1.0)
    vectors = word_vectors.build(texts, of_vectors, folder) if _vectors_of(words) else None
    on_progress(1.0)
    return Features(matrix, terms, similarity, vectors, prior_model=usual)


def _read(
    texts: Collection[tuple[str, str]], words: Words, on_progress: OnProgress
) -> tuple[Texts, Texts, NDArray[np.bool_]]:
    """Return titles and abstracts together, titles alone, and which records have an abstract."""
    reports, of_title = bytearray(), array("q")

    def whole_texts() -> Iterator[str]:
        for title, abstract in counted(texts, on_progress):
            reports.append(prior_model.has_text(abstract))
            of_title.append(n_words(title))
            yield f"{title} {abstract}"

    whole = Texts(whole_texts(), words.ngram_range)
    return whole, whole.beginnings(np.array(of_title)), np.frombuffer(reports, bool)


def _terms_of(
    whole: Texts,
    titles: Texts,
    words: Words,
    query: str,
    on_progress: OnProgress,
    folder: Path | None,
) -> tuple[csr_matrix, Terms, NDArray[np.float64]]:
    floats = np.float64 if words.double else np.float32
    blocks = [(1.0, Tfidf(whole, words))]
    if words.title and blocks[0][1].n_terms:
        blocks.append((words.title, Tfidf(titles, words)))
    blocks = [(weight, block) for weight, block in blocks if block.n_terms]
    if not blocks:
        nothing = csr_matrix((len(whole), 0), dtype=floats)
        return nothing, Terms.of(()), np.zeros(len(whole))
    matrix, similarity = _side_by_side(blocks, len(whole), floats, query, on_progress, folder)
    return matrix, Terms.joined([block.terms() for _, block in blocks]), similarity


def _side_by_side(
    blocks: Sequence[tuple[float, Tfidf]],
    n_records: int,
    floats: type[np.floating[Any]],
    query: str,
    on_progress: OnProgress,
    folder: Path | None,
) -> tuple[csr_matrix, NDArray[np.float64]]:
    """Fill one matrix part by part, so that nothing of its size is needed beside it.

    Returns it, and what its rows have in common with the query, which is asked of the first block.
    """
    n_entries = sum(block.n_entries for _, block in blocks)
    n_terms = sum(block.n_terms for _, block in blocks)
    asked = np.zeros(n_terms)
    asked[: blocks[0][1].n_terms] = blocks[0][1].vector(query)
    data = _room("data", n_entries, np.dtype(floats), folder)
    columns = _room("indices", n_entries, get_index_dtype(maxval=n_entries), folder)
    ends = np.zeros(n_records + 1, columns.dtype)
    similarity = np.zeros(n_records)
    row = entry = 0
    for parts in zip(*(_weighed(*block) for block in blocks), strict=True):
        part = hstack(parts, format="csr") if len(parts) > 1 else parts[0]
        after, last = row + part.shape[0], entry + part.nnz
        data[entry:last], columns[entry:last] = part.data, part.indices
        ends[row + 1 : after + 1] = entry + part.indptr[1:]
        if asked.any():
            rounded = csr_matrix((data[entry:last], part.indices, part.indptr), part.shape)
            similarity[row:after] = rounded @ asked
        row, entry = after, last
        _let_go(data, columns)
        on_progress(row / n_records)
    matrix = csr_matrix((data, columns, ends), shape=(n_records, n_terms), copy=False)
    return matrix, similarity


def _room(name: str, n: int, of: np.dtype[Any], folder: Path | None) -> NDArray[Any]:
    """Return an array to be filled: in memory, or in the file that `save` would write."""
    if folder is None or not n:  # an empty file cannot be mapped
        return np.empty(n, of)
    file = folder / f"{name}.npy"
    made = np.lib.format.open_memmap(str(file), "w+", of, (n,))
    if hasattr(os, "posix_fallocate"):
        # Else the file is a hole, and a disk that is full when it is filled ends the process.
        with file.open("r+b") as there:
            os.posix_fallocate(there.fileno(), 0, made.offset + made.nbytes)
    return made


def _let_go(*arrays: NDArray[Any]) -> None:
    """Leave what was written to the system: in the memory of the process it is not needed yet."""
    for made in arrays:
        if isinstance(made, np.memmap) and hasattr(mmap, "MADV_DONTNEED"):
            made._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]  # numpy's own map


def _weighed(weight: float, block: Tfidf) -> Iterator[csr_matrix]:
    for part in block.parts():
        yield part if weight == 1 else weight * part


def _vectors_of(words: Words) -> str | None:
    known = words.vectors == word_vectors.MODEL and word_vectors.is_installed()
    return word_vectors.MODEL if known else None


def feature_key(words: Words) -> str:
    """Return 16 hexadecimal digits: equal where `build` makes the same of the same texts."""
    named = asdict(words) | {"vectors": _vectors_of(words)}
    named[_PRIOR_MODEL] = named.pop("prior_model")
    recipe = [_REVISION, named]
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:16]


def save(features: Features, folder: Path, made_in: Path | None = None) -> None:
    """Write features for `load`: wholly or not at all, in the place of what was there.

    What `build` has made in the folder `made_in`, on the same disk, is moved.

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
        for name, array in {
            "data": matrix.data,
            "indices": matrix.indices,
            "indptr": matrix.indptr,
            "shape": np.array(matrix.shape, dtype=np.int64),
            "similarity": features.similarity,
            "word_vectors": _or_none_at_all(features.word_vectors),
            _PRIOR_MODEL: _or_none_at_all(features.prior_model),
            "terms": features.terms.text,
            "term_ends": features.terms.ends,
        }.items():
            if made_in is not None and (file := made_in / f"{name}.npy").exists():
                os.replace(file, fresh / file.name)
            else:
                np.save(fresh / f"{name}.npy", array)
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
    vectors = np.asarray(np.load(folder / "word_vectors.npy", mmap_mode="r"))
    usual = np.asarray(np.load(folder / f"{_PRIOR_MODEL}.npy", mmap_mode="r"))
    return Features(
        matrix,
        Terms(text, ends),
        similarity,
        vectors if vectors.shape[1] else None,
        prior_model=usual if usual.ndim == 1 else None,
    )


def _or_none_at_all(numbers: NDArray[Any] | None) -> NDArray[Any]:
    # A file that says so: one that is missing must not be taken for it.
    return np.empty((0, 0), np.float32) if numbers is None else numbers


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
