"""What the classifiers are shown, and the planes that they find between includes and excludes."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.svm import LinearSVC

from tandem.ranking import newton
from tandem.ranking.learning import Case, Labels, Rows
from tandem.ranking.parameters import Parameters, Presumed

_MANY = 4
"""So many planes score all records together in less time than one after the other."""

_ROWS_AT_ONCE = 2000
"""Records that are scored by all planes together; their entries take some 5 MB meanwhile."""


class Examples:
    """What the classifiers are shown: rows, their classes (1, 0) and their weights (mean 1)."""

    def __init__(self, rows: Rows, classes: NDArray[np.int8], weights: NDArray[np.float64]) -> None:
        self.rows, self._classes, self._weights = rows, classes, weights

    @classmethod
    def of(cls, case: Case, preset: Parameters) -> "Examples | None":
        """Return what the case teaches; None where it is not enough."""
        labels = case.labels
        if not np.any(labels.values > 0):
            return None
        likely, doubtful = labels.values > 0, (labels.values > 0) & (labels.values < 1)
        rows = np.concatenate([labels.rows, labels.rows[doubtful]])
        classes = np.concatenate([likely, np.zeros(int(doubtful.sum()), dtype=bool)])
        shares = np.concatenate([np.where(likely, labels.values, 1.0), 1 - labels.values[doubtful]])
        strength = _strength(preset.presumed, labels, case.n_records)
        ratio = preset.ratio
        if preset.presumed:
            ratio += strength * (preset.presumed.ratio - preset.ratio)
        weights = _weights(classes, shares, ratio)
        if preset.presumed and strength:
            added = _presumed(preset.presumed, case)
            together = strength * preset.presumed.weight * weights[classes].sum() / ratio
            rows = np.concatenate([rows, added])
            classes = np.concatenate([classes, np.zeros(added.size, dtype=bool)])
            weights = np.concatenate([weights, np.full(added.size, together / max(1, added.size))])
        if np.all(classes) or not np.any(classes):
            return None
        return cls(rows, classes.astype(np.int8), weights)

    def learn(
        self, vectors: NDArray[np.float32], C: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Return the weights of the columns, and every record's distance to the plane."""
        weights, bias = self.plane(vectors[self.rows], C)
        return weights, (vectors @ weights).astype(np.float64, copy=False) + bias

    def plane(
        self, examples: "csr_matrix | NDArray[np.float32]", C: float
    ) -> tuple[NDArray[Any], float]:
        """Return the plane between the classes: weights of the columns, and the bias."""
        sides = np.where(self._classes == 1, 1.0, -1.0)
        return newton.plane(examples, sides=sides, costs=2 * C * self._weights)

    def learn_as_asreview(
        self, matrix: csr_matrix, C: float, tolerance: float, random_state: np.random.RandomState
    ) -> "Learnt":
        """Learn of words, with what LIBLINEAR leaves undone when it stops."""
        model = LinearSVC(loss="squared_hinge", C=C, tol=tolerance, random_state=random_state)
        model.fit(matrix[self.rows], self._classes, sample_weight=self._weights)
        weights: NDArray[np.float64] = model.coef_.ravel()
        # What `decision_function` computes, row for row and bit for bit, without its checks of
        # the whole matrix at every call.
        distances = matrix @ weights + model.intercept_
        return Learnt(self, weights, np.arange(weights.size), distances)


class Learnt(NamedTuple):
    """The plane that is learnt of words: weights of some columns, and each record's distance."""

    examples: Examples
    weights: NDArray[np.floating[Any]]
    columns: NDArray[np.int64]
    distances: NDArray[np.float64]


def learn_together(matrix: csr_matrix, cases: Sequence[Examples], C: float) -> list[Learnt]:
    """Find the plane of each case.

    Examples have entries in a small part of the columns. Without the others each product takes a
    third of the time, and with all planes at once so does scoring. Neither changes the order of
    any sum, so that results are the same to the last bit.
    """
    rows = np.unique(np.concatenate([one.rows for one in cases]))
    some = matrix[rows]
    has_entries = np.zeros(matrix.shape[1], bool)
    has_entries[some.indices] = True
    columns = np.flatnonzero(has_entries)
    # From 1: place 0 is of all other columns, and weighs nothing.
    places = np.cumsum(has_entries, dtype=np.int32)
    places *= has_entries
    compact = (some.data, places[some.indices] - 1, some.indptr)
    some = csr_matrix(compact, shape=(rows.size, columns.size))
    weights = np.zeros((columns.size + 1, len(cases)), matrix.dtype)
    biases = np.zeros(len(cases))
    for number, one in enumerate(cases):
        plane = one.plane(some[np.searchsorted(rows, one.rows)], C)
        weights[1:, number], biases[number] = plane
    score = _distances if len(cases) >= _MANY else _distances_one_by_one
    distances = score(matrix, places, weights) + biases[:, np.newaxis]
    return [
        Learnt(one, weights[1:, number], columns, distances[number])
        for number, one in enumerate(cases)
    ]


def _distances(
    matrix: csr_matrix, places: NDArray[np.int32], weights: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    """Return each record's product with each plane's weights, shape (n_planes, n_records)."""
    distances = np.empty((weights.shape[1], matrix.shape[0]))
    for start in range(0, matrix.shape[0], _ROWS_AT_ONCE):
        ends = matrix.indptr[start : start + _ROWS_AT_ONCE + 1]
        entries = slice(ends[0], ends[-1])
        compact = (matrix.data[entries], places[matrix.indices[entries]], ends - ends[0])
        part = csr_matrix(compact, shape=(ends.size - 1, weights.shape[0]))
        distances[:, start : start + ends.size - 1] = (part @ weights).T
    return distances


def _distances_one_by_one(
    matrix: csr_matrix, places: NDArray[np.int32], weights: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    distances = np.empty((weights.shape[1], matrix.shape[0]))
    for number, of_plane in enumerate(weights.T):
        distances[number] = matrix @ of_plane[places]
    return distances


def unread(labels: Labels, n_records: int) -> NDArray[np.bool_]:
    """Return which records have no label, shape (n_records,)."""
    unread = np.ones(n_records, dtype=bool)
    unread[labels.rows] = False
    return unread


def _weights(
    classes: NDArray[np.bool_], shares: NDArray[np.float64], ratio: float
) -> NDArray[np.float64]:
    """Let all includes together weigh `ratio` times all excludes; mean weight 1.

    ASReview 3.0.8, `asreview/models/balancers.py`, with its order of operations (`sum` of the
    list, not NumPy's pairwise sum): another order changes the last bit of every weight.
    """
    include, exclude = shares[classes].sum(), shares[~classes].sum()
    lighter = include / (ratio * exclude) if exclude else 1.0
    weights = np.where(classes, shares, shares * lighter)
    normalised: NDArray[np.float64] = weights * (len(classes) / sum(weights))
    return normalised


def _strength(presumed: Presumed | None, labels: Labels, n_records: int) -> float:
    if presumed is None:
        return 0.0
    return max(0.0, 1.0 - float(labels.values.sum()) / (presumed.until * n_records))


def _presumed(presumed: Presumed, case: Case) -> Rows:
    draws = case.draws
    rows = np.flatnonzero(unread(case.labels, draws.size) & np.isfinite(draws))
    most = min(presumed.most, int(presumed.share * case.n_records))
    if 0 < most < rows.size:
        rows = rows[draws[rows] <= np.partition(draws[rows], most - 1)[most - 1]]
    return rows[np.argsort(draws[rows], kind="stable")][:most]
