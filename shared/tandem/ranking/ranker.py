"""In which order records are best read. The worker and `tandem simulate` both ask here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tandem.ranking import folds
from tandem.ranking.explain import Term, pulling_terms, telling_terms
from tandem.ranking.features import Features
from tandem.ranking.learning import Case, Labels, Rows
from tandem.ranking.recipes import Recipe


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
    hidden: Rows | None = None,
    relevant: Rows | None = None,
    random_state: np.random.RandomState | None = None,
) -> Ranked:
    """Order the pool, best first.

    As soon as the recipe can learn from the labels a model decides; before that the
    likeness to the review's own text; failing that, chance. Equal scores keep the order of rows.

    A row of the pool that is labelled is **half done**: one reviewer has decided, another is
    still to read it unaware of that. Its own label therefore never touches its own score: the
    half-done rows are split into up to five folds by position (not by label), and each fold is
    scored by a model that has seen none of its labels. Where such a model cannot be had, the
    fold's rows keep the very places they had before there was any model. All other rows get the
    score of the one fit on all labels; without half-done rows the order is ASReview's. In a large
    review, most of it unread, models of folds see what is labelled and a fixed part of the rest.

    Reasons come from a model that has seen none of the `hidden` labels, for every row: what a
    term weighs would else tell how the one record that has it was decided. Without such a model
    nobody is given reasons.

    Args:
        features: Of all records.
        labels: What is decided, in the order of deciding.
        pool: Rows to order, ascending and without repeats.
        recipe: How to learn from labels.
        explained: For how many rows at the head the reasons are wanted.
        hidden: Rows whose labels reasons must not reveal; by default those with too few decisions.
        relevant: Rows of which nothing is presumed, since they are known to be relevant: reports
            of an earlier version, whatever their labels.
        seed: In [0, 2**32). The same seed gives the same order.
        random_state: The stream that the main fit draws from, for a caller who trains again
            and again as ASReview does; a fresh one of `seed` if left out.

    Returns:
        Every row of `pool` once.
    """
    draws = _draws(features, seed)
    cold = _before_any_model(features, pool, draws)
    if relevant is not None:
        draws = folds.never(draws, relevant)
    stream = np.random.RandomState(seed) if random_state is None else random_state
    half_done = pool[np.isin(pool, labels.rows)]
    parts, secret = folds.split(half_done), half_done if hidden is None else hidden
    cases = [
        folds.unseen(part, labels, draws, seed=seed, number=number)
        for number, part in enumerate(parts, start=1)
    ]
    if explained and secret.size:
        cases.append(folds.unseen(secret, labels, draws, seed=seed, number=0))
    fits = folds.fit_with_folds(recipe, features, Case(labels, draws, stream), cases)
    main = next(fits)
    if main is None:
        return cold
    scores, waiting = main.scores.copy(), list[Rows]()
    for part, fitted in zip(parts, fits, strict=False):
        if fitted is None:
            waiting.append(part)
        else:
            scores[part] = fitted.scores[part]
    ranked = (
        _keep_places(cold, np.concatenate(waiting), scores)
        if waiting
        else _best_first(pool, scores[pool], "model")
    )
    if not explained or main.weights is None:
        return ranked
    telling = replace(ranked, terms=telling_terms(features, main.weights))
    explaining = next(fits) if secret.size else main
    if explaining is None or explaining.weights is None:
        return telling
    head, weights = ranked.order[:explained].tolist(), explaining.weights
    return replace(telling, reasons={row: pulling_terms(features, weights, row) for row in head})


def _best_first(
    pool: Rows, scores: NDArray[np.float64], kind: Literal["model", "text", "random"]
) -> Ranked:
    by_score = np.argsort(-scores, kind="stable")
    return Ranked(pool[by_score], scores[by_score].astype(np.float32), kind)


def _draws(features: Features, seed: int) -> NDArray[np.float64]:
    """Draw a number for each row, which it keeps whatever is read and whatever comes in behind."""
    return np.random.RandomState(seed).random_sample(features.similarity.size)


def _before_any_model(features: Features, pool: Rows, draws: NDArray[np.float64]) -> Ranked:
    if np.any(features.similarity):
        return _best_first(pool, features.similarity[pool], "text")
    shuffled = pool[np.argsort(draws[pool], kind="stable")]
    return Ranked(shuffled, np.zeros(pool.size, dtype=np.float32), "random")


def _keep_places(cold: Ranked, waiting: Rows, scores: NDArray[np.float64]) -> Ranked:
    """Leave `waiting` rows where `cold` has them; fill the other places by score.

    Scores then fall evenly from place to place: a waiting row has none of its own, and must not
    be revealed by that. If all are waiting, `cold` is the answer.
    """
    held = np.isin(cold.order, waiting)
    if np.all(held):
        return cold
    free = np.sort(cold.order[~held])
    filled = _best_first(free, scores[free], "model")
    order = cold.order.copy()
    order[~held] = filled.order
    even = np.linspace(filled.scores[0], filled.scores[-1], order.size)
    return Ranked(order, even.astype(np.float32), "model")
