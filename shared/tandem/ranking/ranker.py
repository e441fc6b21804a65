"""In which order records are best read. The worker and `tandem simulate` both ask here."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tandem.ranking import estimator
from tandem.ranking.features import Features
from tandem.ranking.presets import Preset

Rows = NDArray[np.int64]
"""Row numbers in the feature matrix."""

_FOLDS = 5
"""Models that score half-done records: each then still sees four fifths of them."""


@dataclass(frozen=True)
class Labels:
    """What is known of some records.

    Attributes:
        rows: Labelled rows in the order in which they were labelled, without repeats.
        values: Aligned: how probable it is that the record is to be included, in [0, 1].
    """

    rows: Rows
    values: NDArray[np.float64]

    @property
    def both_classes(self) -> bool:
        return bool(np.any(self.values > 0) and np.any(self.values < 1))

    def without(self, rows: Rows) -> "Labels":
        kept = ~np.isin(self.rows, rows)
        return Labels(rows=self.rows[kept], values=self.values[kept])


@dataclass(frozen=True)
class Ranked:
    """An order of the pool.

    Attributes:
        order: Rows of the pool, best first.
        scores: Aligned with `order`, never increasing. Comparable within one ranking only.
        kind: What the order rests on: a trained model; likeness to the review's own text;
            or nothing at all.
    """

    order: Rows
    scores: NDArray[np.float32]
    kind: Literal["model", "text", "random"]


def rank(
    features: Features,
    *,
    labels: Labels,
    pool: Rows,
    preset: Preset,
    seed: int,
    random_state: np.random.RandomState | None = None,
) -> Ranked:
    """Order the pool, best first.

    With an include and an exclude among the labels a model decides; before that the
    likeness to the review's own text; failing that, chance. Equal scores keep the order of rows.

    A row of the pool that is labelled is **half done**: one reviewer has decided, another is
    still to read it unaware of that. Its own label therefore never touches its own score: the
    half-done rows are split into up to five folds by position (not by label), and each fold is
    scored by a model that has seen none of its labels. Where such a model lacks a class, the
    fold's rows keep the very places they had before there was any model. All other rows get the
    score of the one fit on all labels; without half-done rows the order is ASReview's.

    Args:
        features: Of all records.
        labels: What is decided, in the order of deciding.
        pool: Rows to order, ascending and without repeats.
        preset: The recipe.
        seed: In [0, 2**32). The same seed gives the same order.
        random_state: The stream that the main fit draws from, for a caller who trains again
            and again as ASReview does; a fresh one of `seed` if left out.

    Returns:
        Every row of `pool` once.
    """
    cold = _before_any_model(features, pool, seed)
    if not labels.both_classes:
        return cold
    stream = np.random.RandomState(seed) if random_state is None else random_state
    scores = _scores(features, labels, preset, stream)
    waiting: list[Rows] = []
    for number, fold in enumerate(_folds(np.intersect1d(pool, labels.rows))):
        others = labels.without(fold)
        if others.both_classes:
            # A stream of its own: the main one must not depend on how many folds there are.
            own_stream = np.random.RandomState([seed, number + 1])
            scores[fold] = _scores(features, others, preset, own_stream)[fold]
        else:
            waiting.append(fold)
    if waiting:
        return _keep_places(cold, np.concatenate(waiting), scores)
    return _best_first(pool, scores[pool], "model")


def _scores(
    features: Features, labels: Labels, preset: Preset, stream: np.random.RandomState
) -> NDArray[np.float64]:
    return estimator.scores(
        features.matrix,
        rows=labels.rows,
        labels=labels.values,
        preset=preset,
        random_state=stream,
    )


def _best_first(
    pool: Rows, scores: NDArray[np.float64], kind: Literal["model", "text", "random"]
) -> Ranked:
    by_score = np.argsort(-scores, kind="stable")
    return Ranked(pool[by_score], scores[by_score].astype(np.float32), kind)


def _before_any_model(features: Features, pool: Rows, seed: int) -> Ranked:
    if np.any(features.similarity):
        return _best_first(pool, features.similarity[pool], "text")
    # Each row has a number of its own, drawn in the order of rows, so that a row's place among
    # others stays when some have been read and when new records come in behind.
    lots = np.random.RandomState(seed).random_sample(features.similarity.size)[pool]
    shuffled = pool[np.argsort(lots, kind="stable")]
    return Ranked(shuffled, np.zeros(pool.size, dtype=np.float32), "random")


def _folds(half_done: Rows) -> list[Rows]:
    n_folds = min(_FOLDS, half_done.size)
    return [half_done[number::n_folds] for number in range(n_folds)]


def _keep_places(cold: Ranked, waiting: Rows, scores: NDArray[np.float64]) -> Ranked:
    """Leave `waiting` rows where `cold` has them; fill the other places by score.

    A waiting row shows the score of its neighbour above (the best one's, at the top), which is
    where it stands and says nothing about itself. If all are waiting, `cold` is the answer.
    """
    held = np.isin(cold.order, waiting)
    if np.all(held):
        return cold
    free = np.sort(cold.order[~held])
    filled = _best_first(free, scores[free], "model")
    order = cold.order.copy()
    order[~held] = filled.order
    above = np.maximum(np.cumsum(~held) - 1, 0)
    return Ranked(order, filled.scores[above], "model")
