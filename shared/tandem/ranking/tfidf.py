"""TF-IDF of words and runs of words: to the last bit what scikit-learn's `TfidfVectorizer` makes.

That one counts with a Python object for every term, and for every place where a term stands. Here
terms are numbers from the start, and are counted a thousand records at a time.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.preprocessing import normalize

from tandem.ranking.parameters import Words
from tandem.ranking.terms import Terms
from tandem.ranking.word_runs import Numbers, Texts

_AT_ONCE = 1000
"""Records that are counted together; they take some 30 MB meanwhile."""

_RUNS_AT_ONCE = 1_000_000
"""Runs that are sorted together; they take some 60 MB meanwhile."""

_MOST_PASSES = 64
"""Times that all words are looked through; above 64 million runs more are sorted together."""


class Tfidf:
    """The terms of some texts, and what they weigh.

    Attributes:
        texts: As words.
        n_terms: 0 where there are no words, or where all are too rare or too common.
        n_entries: In all rows together.
    """

    def __init__(self, texts: Texts, recipe: Words) -> None:
        if recipe.min_df < 1:
            raise ValueError(f"min_df is {recipe.min_df}: a term is in one record at least.")
        self.texts, self._sublinear = texts, recipe.sublinear_tf
        self._runs, having, first = self._distinct(recipe)
        self._rarity = np.log((1 + len(self.texts)) / (having + 1.0)) + 1.0
        self._appearing = np.argsort(first).astype(np.int32)
        self._appeared = np.empty_like(self._appearing)
        self._appeared[self._appearing] = np.arange(self._runs.size, dtype=np.int32)
        self.n_terms, self.n_entries = self._runs.size, int(having.sum())

    def terms(self) -> Terms:
        """Return the term of each column. They are in alphabetical order."""
        return Terms(*self.texts.spelled(self._runs))

    def parts(self) -> Iterator[csr_matrix]:
        """Yield the rows, some at a time, of length 1, or 0 where a record has no term.

        The entries of a row are in the order in which their terms first appear anywhere, as by
        scikit-learn: it decides the last bit of sums.
        """
        for rows in self._parts():
            yield self._weighed(self._counted(*self.texts.runs(rows), n_rows=len(rows)))

    def vector(self, text: str) -> NDArray[np.float64]:
        """Return what the terms of another text weigh, shape (n_terms,)."""
        runs = self.texts.runs_of(text)
        counts = self._counted(runs, np.zeros_like(runs), n_rows=1)
        counts.sort_indices()
        weights: NDArray[np.float64] = self._weighed(counts).toarray().ravel()
        return weights

    def _parts(self) -> Iterator[range]:
        for start in range(0, len(self.texts), _AT_ONCE):
            yield range(start, min(start + _AT_ONCE, len(self.texts)))

    def _distinct(self, recipe: Words) -> tuple[Numbers, Numbers, Numbers]:
        """Return the runs that count, ascending; in how many texts each is; where it first appears.

        Some words at a time, so that no more than what is left is in memory at once.
        """
        nothing = np.empty(0, np.int64)
        found, most = [(nothing, nothing, nothing)], recipe.max_df * len(self.texts)
        at_once = max(_RUNS_AT_ONCE, self.texts.n_runs // _MOST_PASSES)
        for words in self.texts.ranges(at_once):
            runs, texts, places = self.texts.runs_within(words)
            runs, order = _ascending(runs)  # among equal ones the earliest comes first
            texts = texts[order]
            is_new = np.diff(runs, prepend=-1) != 0
            starts = np.flatnonzero(is_new)
            if not starts.size:
                continue
            having = np.add.reduceat(is_new | (np.diff(texts, prepend=-1) != 0), starts, dtype=int)
            kept = (having >= recipe.min_df) & (having <= most)
            starts = starts[kept]
            found.append((runs[starts], having[kept], places[order[starts]]))
        runs, having, first = (np.concatenate(each) for each in zip(*found, strict=True))
        return runs, having, first

    def _counted(self, runs: Numbers, texts: Numbers, *, n_rows: int) -> csr_matrix:
        runs, order = _ascending(runs)
        is_new = np.diff(runs, prepend=-1) != 0
        distinct, which = runs[is_new], np.cumsum(is_new) - 1
        column = np.searchsorted(self._runs, distinct)
        known = np.take(self._runs, column, mode="clip") == distinct
        appeared = np.take(self._appeared, column, mode="clip")
        counts = known[which]
        texts, which = texts[order][counts], which[counts]
        entries, n_times = _tally(texts * self.n_terms + appeared[which])
        rows, appeared = np.divmod(entries, self.n_terms)
        ends = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n_rows))])
        data = n_times.astype(np.float64), self._appearing[appeared], ends
        return csr_matrix(data, shape=(n_rows, self.n_terms))

    def _weighed(self, counts: csr_matrix) -> csr_matrix:
        if self._sublinear:
            np.log(counts.data, out=counts.data)
            counts.data += 1.0
        counts.data *= self._rarity[counts.indices]
        return normalize(counts, copy=False)


def _ascending(numbers: Numbers) -> tuple[Numbers, Numbers]:
    """Return numbers, none below 0, ascending, and where each was; equal ones as they were.

    Where one number can hold both of these, sorting takes a fraction of the time.
    """
    places, bits = np.arange(numbers.size), int(numbers.size).bit_length()
    least, most = (int(numbers.min()), int(numbers.max())) if numbers.size else (0, 0)
    if most - least >= 2 ** (63 - bits):
        order = np.argsort(numbers, kind="stable")
        return numbers[order], order
    both = (numbers - least << bits) + places
    both.sort()
    return (both >> bits) + least, both & (2**bits - 1)


def _tally(numbers: Numbers) -> tuple[Numbers, Numbers]:
    """Return the different numbers, ascending, none below 0, and how often each is there.

    As `np.unique` would, which is several times as slow at it as sorting is.
    """
    ascending = np.sort(numbers)
    starts = np.flatnonzero(np.diff(ascending, prepend=-1))
    return ascending[starts], np.diff(starts, append=ascending.size)
