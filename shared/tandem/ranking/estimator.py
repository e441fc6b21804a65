"""The classifiers: linear support vector machines, weighted as by ASReview."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.svm import LinearSVC
from threadpoolctl import ThreadpoolController

from tandem.ranking import newton
from tandem.ranking.features import Features
from tandem.ranking.learning import Fitted, Labels, Rows
from tandem.ranking.parameters import Parameters, Presumed


def fit(
    features: Features,
    *,
    preset: Parameters,
    labels: Labels,
    draws: NDArray[np.float64],
    random_state: np.random.RandomState,
) -> Fitted | None:
    """Learn from the labels and score every record by how likely it is to be included.

    With vectors the score is that of the words, standardised over the unread records (over all
    where hardly any is left), plus what the preset gives of the opinions on vectors, standardised
    likewise over those that have one. A record without a vector has 0, the mean, of these.
    Precedent is added likewise, where it says something of 30 records or more.

    Args:
        features: Of all records.
        preset: The recipe.
        labels: LIBLINEAR starts from their order, so it is part of its result. A doubtful
            record is learnt twice: as an include of weight q and as an exclude of weight 1 − q.
        draws: Shape (n_records,): the unlabelled records with the lowest are those that are
            presumed to be excludes; never one with an infinite lot.
        random_state: LIBLINEAR draws one number from it, exactly as by ASReview from NumPy's
            global generator.

    Returns:
        Scores, and the weights of the words. All scores are zero where no record has any term.
        None where there is no include among the labels; or no exclude, and none is presumed.
    """
    if not np.any(labels.values > 0):
        return None
    with _blas().limit(limits=1, user_api="blas"):
        return _fit(features, preset, labels, draws, random_state)


def _fit(
    features: Features,
    preset: Parameters,
    labels: Labels,
    draws: NDArray[np.float64],
    random_state: np.random.RandomState,
) -> Fitted | None:
    n_records = features.matrix.shape[0]
    unread = np.ones(n_records, dtype=bool)
    unread[labels.rows] = False
    examples = _Examples.of(labels, preset, draws, unread)
    if not examples.are_of_both_classes:
        return None
    if features.matrix.shape[1] == 0:
        weights, scores = np.zeros(0), np.zeros(n_records)
    elif preset.tolerance is None:
        weights, scores = examples.learn(features.matrix, preset.C)
    else:
        weights, scores = examples.learn_as_asreview(
            features.matrix, preset.C, preset.tolerance, random_state
        )
    opinions = [
        (opinion, vectors)
        for opinion, vectors in (
            (preset.word_vectors, features.word_vectors),
            (preset.sentences, features.sentences),
        )
        if opinion is not None and vectors is not None
    ]
    precedent, usual = preset.precedent, features.precedent
    if not opinions and (precedent is None or usual is None):
        return Fitted(scores, weights)
    others = unread & np.isfinite(draws)
    scores = _standardised(scores, _to_go_by(others, np.ones(n_records, dtype=bool)))
    n_includes = float(labels.values.sum())
    has_sentence = np.zeros(n_records, dtype=bool)
    if preset.sentences is not None and features.sentences is not None:
        has_sentence = _known(features.sentences)
    for opinion, vectors in opinions:
        known = _known(vectors)
        _, distances = examples.learn(vectors, opinion.C)
        second = _standardised(distances, _to_go_by(others, known))
        counts = opinion.weight * n_includes / (n_includes + opinion.settling)
        share = np.where(has_sentence, opinion.beside, 1.0)
        scores += counts * np.where(known, share * second, 0.0)
    if usual is not None and (counts := precedent_weight(preset, usual, labels)):
        known = usual != 0
        third = _standardised(usual, _to_go_by(others, known))
        scores += counts * np.where(known, third, 0.0)
    return Fitted(scores, weights)


def precedent_weight(preset: Parameters, usual: NDArray[np.float64], labels: Labels) -> float:
    """Return how much precedent counts beside the words' 1; 0 where hardly any record has one."""
    precedent, known = preset.precedent, usual != 0
    if precedent is None or np.count_nonzero(known) < _FEW:
        return 0.0
    n_includes = float(labels.values.sum())
    weight = precedent.weight * precedent.fading / (n_includes + precedent.fading)
    if precedent.trust is None:
        return weight
    return weight * _followed(usual, known, labels, precedent.trust)


def _followed(
    usual: NDArray[np.float64], known: NDArray[np.bool_], labels: Labels, trust: float
) -> float:
    """Return how far the includes follow precedent, in [0, 1].

    By the share of records that it puts below an include, in the mean: .5 is chance. Its usual
    success counts as `trust` includes do, since a first one or two tell little.
    """
    of = (labels.values > 0) & known[labels.rows]
    values, includes = usual[labels.rows[of]], labels.values[of]
    ordered = np.sort(usual[known])
    below = np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")
    found = float(below @ includes) / (2 * ordered.size)
    success = (_USUAL_SUCCESS * trust + found) / (trust + float(includes.sum()))
    return float(np.clip((success - _CONTRADICTED) / (_FOLLOWED - _CONTRADICTED), 0.0, 1.0))


class _Examples:
    """What the classifiers are shown: rows, their classes (1, 0) and their weights (mean 1)."""

    def __init__(self, rows: Rows, classes: NDArray[np.int8], weights: NDArray[np.float64]) -> None:
        self._rows, self._classes, self._weights = rows, classes, weights

    @property
    def are_of_both_classes(self) -> bool:
        return bool(np.any(self._classes == 1) and np.any(self._classes == 0))

    @classmethod
    def of(
        cls,
        labels: Labels,
        preset: Parameters,
        draws: NDArray[np.float64],
        unread: NDArray[np.bool_],
    ) -> "_Examples":
        likely, doubtful = labels.values > 0, (labels.values > 0) & (labels.values < 1)
        rows = np.concatenate([labels.rows, labels.rows[doubtful]])
        classes = np.concatenate([likely, np.zeros(int(doubtful.sum()), dtype=bool)])
        shares = np.concatenate([np.where(likely, labels.values, 1.0), 1 - labels.values[doubtful]])
        strength = _strength(preset.presumed, labels, draws.size)
        ratio = preset.ratio
        if preset.presumed:
            ratio += strength * (preset.presumed.ratio - preset.ratio)
        weights = _weights(classes, shares, ratio)
        if preset.presumed and strength:
            added = _presumed(preset.presumed, draws, unread)
            together = strength * preset.presumed.weight * weights[classes].sum() / ratio
            rows = np.concatenate([rows, added])
            classes = np.concatenate([classes, np.zeros(added.size, dtype=bool)])
            weights = np.concatenate([weights, np.full(added.size, together / max(1, added.size))])
        return cls(rows, classes.astype(np.int8), weights)

    def learn(
        self, matrix: "csr_matrix | NDArray[np.float32]", C: float
    ) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """Return the weights of the columns, and every record's distance to the plane."""
        weights, bias = newton.plane(
            matrix[self._rows],
            sides=np.where(self._classes == 1, 1.0, -1.0),
            costs=2 * C * self._weights,
        )
        return weights, (matrix @ weights).astype(np.float64, copy=False) + bias

    def learn_as_asreview(
        self, matrix: csr_matrix, C: float, tolerance: float, random_state: np.random.RandomState
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the same, with what LIBLINEAR leaves undone when it stops."""
        model = LinearSVC(loss="squared_hinge", C=C, tol=tolerance, random_state=random_state)
        model.fit(matrix[self._rows], self._classes, sample_weight=self._weights)
        weights: NDArray[np.float64] = model.coef_.ravel()
        # What `decision_function` computes, row for row and bit for bit, without its checks of
        # the whole matrix at every call.
        return weights, matrix @ weights + model.intercept_


_USUAL_SUCCESS = 0.75
"""In the mean of the 15 reviews of table 2, each by a table that was learnt without it."""

_CONTRADICTED, _FOLLOWED = 0.4, 0.6

_FEW = 30
"""Fewer scores than this give no mean and spread to go by."""

_ROUNDING = 1e-6
"""A spread of no more than this share of the scores is none: single floats end there."""


@cache
def _blas() -> ThreadpoolController:
    """Return what holds linear algebra to one thread.

    More would wait for each other at matrices as small as these, and for other processes.
    """
    return ThreadpoolController()


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


def _presumed(presumed: Presumed, draws: NDArray[np.float64], unread: NDArray[np.bool_]) -> Rows:
    rows = np.flatnonzero(unread & np.isfinite(draws))
    most = min(presumed.most, int(presumed.share * draws.size))
    if 0 < most < rows.size:
        rows = rows[draws[rows] <= np.partition(draws[rows], most - 1)[most - 1]]
    return rows[np.argsort(draws[rows], kind="stable")][:most]


def _known(vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which rows are not all 0. Nearly always the first number tells."""
    known: NDArray[np.bool_] = vectors[:, 0] != 0
    unclear = np.flatnonzero(~known)
    known[unclear] = vectors[unclear].any(axis=1)
    return known


def _to_go_by(others: NDArray[np.bool_], known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which of the known records give mean and spread: the others, if they are enough."""
    among = others & known
    return among if among.sum() >= _FEW else known


def _standardised(scores: NDArray[np.float64], among: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Shift and scale so that those `among` have mean 0 and standard deviation 1."""
    of = scores[among]
    if of.size == 0:
        return np.zeros_like(scores)
    spread = float(of.std())
    if spread <= _ROUNDING * np.abs(of).max():
        spread = 1.0
    standardised: NDArray[np.float64] = (scores - of.mean()) / spread
    return standardised
