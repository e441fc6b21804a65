"""Fits that have not seen some labels: what scores a record whose own label may not touch it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from tandem.ranking.features import Features
from tandem.ranking.learning import Case, Fitted, InReview, Labels, Rows
from tandem.ranking.presets import Preset
from tandem.ranking.recipes import BrokenPlugin, Recipe

_FOLDS = 5
"""Each model then still sees four fifths of the labels in question."""

_BESIDE = 50_000
"""Unread records beside which half-done ones are scored in a large review: their mean and spread
are those of all, to less than 1 % of the spread."""


def split(rows: Rows) -> list[Rows]:
    """Split rows into up to five folds, by position: their labels have no say in it."""
    n_folds = min(_FOLDS, rows.size)
    return [rows[number::n_folds] for number in range(n_folds)]


def unseen(
    rows: Rows, labels: Labels, draws: NDArray[np.float64], *, seed: int, number: int
) -> Case:
    """Return the case that has not seen the labels of these rows, nor presumes anything of them.

    Its random stream is that of its number, so none depends on how many cases there are.
    """
    stream = np.random.RandomState([seed, number])
    return Case(labels.without(rows), never(draws, rows), stream)


def never(draws: NDArray[np.float64], rows: Rows) -> NDArray[np.float64]:
    """Return draws by which nothing is presumed of these rows."""
    changed = draws.copy()
    changed[rows] = np.inf
    return changed


def fit_with_folds(
    recipe: Recipe, features: Features, main: Case, cases: Sequence[Case]
) -> Iterator[Fitted | None]:
    """Yield the main fit, on all labels, and that of each case that has not seen some of them.

    In a large review, most of it unread, the latter see what is labelled and a fixed part of the
    rest; all other rows have the score 0 then.
    """
    beside = _beside(recipe, main.labels, main.draws)
    if beside is None:
        return fit_all(recipe, features, [main, *cases])
    return chain(fit_all(recipe, features, [main]), _fit_all_of(beside, recipe, features, cases))


def fit_all(recipe: Recipe, features: Features, cases: Sequence[Case]) -> Iterator[Fitted | None]:
    """Yield what the recipe learns in each case.

    Raises:
        BrokenPlugin: It gives no finite score for every record.
    """
    fits = (
        recipe.fit_all(features, cases)
        if type(recipe) is Preset  # one derived from it may learn otherwise
        else (_fit(recipe, features, case) for case in cases)
    )
    n_records = features.similarity.size
    for fitted in fits:
        if fitted is not None and not (
            fitted.scores.shape == (n_records,) and np.all(np.isfinite(fitted.scores))
        ):
            raise BrokenPlugin(f"The model {recipe.name!r} gives no finite score for every record.")
        yield fitted


def _beside(recipe: Recipe, labels: Labels, draws: NDArray[np.float64]) -> Rows | None:
    """Return the rows, ascending, that models of folds are given; None for all of them.

    They are those that are labelled and, of the others, those with the lowest draws: among them
    are the ones that are presumed to be excludes, so that each model learns what it does of all.
    """
    # Another recipe is promised all records.
    if type(recipe) is not Preset or draws.size <= 2 * (labels.rows.size + _BESIDE):
        return None
    is_other = np.ones(draws.size, dtype=bool)
    is_other[labels.rows] = False
    others = np.flatnonzero(is_other)
    if others.size > _BESIDE:
        others = others[np.argpartition(draws[others], _BESIDE)[:_BESIDE]]
    return np.sort(np.concatenate([labels.rows, others]))


def _fit_all_of(
    rows: Rows, recipe: Recipe, features: Features, cases: Sequence[Case]
) -> Iterator[Fitted | None]:
    """Do what `fit_all` does, of some rows alone; all others have the score 0."""
    if not cases:
        return
    of_rows = [
        Case(
            Labels(np.searchsorted(rows, case.labels.rows), case.labels.values),
            case.draws[rows],
            case.random_state,
            InReview(case.n_records, features.prior_model, case.labels),
        )
        for case in cases
    ]
    for fitted in fit_all(recipe, _some(features, rows), of_rows):
        if fitted is None:
            yield None
            continue
        scores = np.zeros(features.similarity.size)
        scores[rows] = fitted.scores
        yield replace(fitted, scores=scores)


def _some(features: Features, rows: Rows) -> Features:
    return replace(
        features,
        matrix=features.matrix[rows],
        similarity=features.similarity[rows],
        word_vectors=None if features.word_vectors is None else features.word_vectors[rows],
        sentences=None if features.sentences is None else features.sentences[rows],
        prior_model=None if features.prior_model is None else features.prior_model[rows],
    )


def _fit(recipe: Recipe, features: Features, case: Case) -> Fitted | None:
    return recipe.fit(
        features, labels=case.labels, draws=case.draws, random_state=case.random_state
    )
