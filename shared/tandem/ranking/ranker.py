"""In which order records are best read. The worker and `tandem simulate` both ask here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tandem.ranking.explain import Term, pulling_terms, telling_terms
from tandem.ranking.features import Features
from tandem.ranking.learning import Fitted, Labels, Rows
from tandem.ranking.recipes import Recipe

_FOLDS = 5
"""Models that score half-done records: each then still sees four fifths of them."""


@dataclass(frozen=True)
class Ranked:
    """An order of the pool.

    Attributes:
        order: Rows of the pool, best first.
        scores: Aligned with `order`, never increasing. Comparable within one ranking only.
        kind: What the order rests on: a trained model; likeness to the review's own text;
            or nothing at all.
        terms: The terms that pull a record up most, and down, in the model as a whole.
        reasons: Why a row of the pool stands where it does, for those at its head.
    """

    order: Rows
    scores: NDArray[np.float32]
    kind: Literal["model", "text", "random"]
    terms: Sequence[Term] = ()
    reasons: Mapping[int, Sequence[Term]] = field(default_factory=dict)


def rank(
    features: Features,
    *,
    labels: Labels,
    pool: Rows,
    recipe: Recipe,
    seed: int,
    explained: int = 0,
    random_state: np.random.RandomState | None = None,
) -> Ranked:
    """Order the pool, best first.

    As soon as the recipe can learn from the labels a model decides; before that the
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
        recipe: How to learn from labels.
        explained: For how many rows at the head the reasons are wanted.
        seed: In [0, 2**32). The same seed gives the same order.
        random_state: The stream that the main fit draws from, for a caller who trains again
            and again as ASReview does; a fresh one of `seed` if left out.

    Returns:
        Every row of `pool` once.
    """
    lots = _lots(features, seed)
    cold = _before_any_model(features, pool, lots)
    stream = np.random.RandomState(seed) if random_state is None else random_state
    main = recipe.fit(features, labels=labels, lots=lots, random_state=stream)
    if main is None:
        return cold
    scores, weights_of = main.scores.copy(), dict.fromkeys(pool.tolist(), main.weights)
    waiting: list[Rows] = []
    for number, fold in enumerate(_folds(np.intersect1d(pool, labels.rows))):
        fitted = _fit_without(fold, features, labels, recipe, lots, [seed, number + 1])
        if fitted is None:
            waiting.append(fold)
        else:
            scores[fold] = fitted.scores[fold]
        weights_of.update(dict.fromkeys(fold.tolist(), fitted and fitted.weights))
    ranked = (
        _keep_places(cold, np.concatenate(waiting), scores)
        if waiting
        else _best_first(pool, scores[pool], "model")
    )
    if not explained:
        return ranked
    return replace(ranked, **_explanation(features, main, weights_of, ranked.order[:explained]))


def _fit_without(
    fold: Rows,
    features: Features,
    labels: Labels,
    recipe: Recipe,
    lots: NDArray[np.float64],
    seed: list[int],
) -> Fitted | None:
    """Learn without a fold's labels, and without presuming anything of its rows."""
    never = lots.copy()
    never[fold] = np.inf
    # A stream of its own: the main one must not depend on how many folds there are.
    return recipe.fit(
        features, labels=labels.without(fold), lots=never, random_state=np.random.RandomState(seed)
    )


def _explanation(
    features: Features,
    main: Fitted,
    weights_of: Mapping[int, NDArray[np.float64] | None],
    head: Rows,
) -> dict[str, Any]:
    if main.weights is None:
        return {}
    reasons = {
        row: pulling_terms(features, weights, row)
        for row in head.tolist()
        if (weights := weights_of[row]) is not None
    }
    return {"terms": telling_terms(features, main.weights), "reasons": reasons}


def _best_first(
    pool: Rows, scores: NDArray[np.float64], kind: Literal["model", "text", "random"]
) -> Ranked:
    by_score = np.argsort(-scores, kind="stable")
    return Ranked(pool[by_score], scores[by_score].astype(np.float32), kind)


def _lots(features: Features, seed: int) -> NDArray[np.float64]:
    """Draw a number for each row, which it keeps whatever is read and whatever comes in behind."""
    return np.random.RandomState(seed).random_sample(features.similarity.size)


def _before_any_model(features: Features, pool: Rows, lots: NDArray[np.float64]) -> Ranked:
    if np.any(features.similarity):
        return _best_first(pool, features.similarity[pool], "text")
    shuffled = pool[np.argsort(lots[pool], kind="stable")]
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
