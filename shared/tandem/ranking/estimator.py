"""The classifiers: linear support vector machines, weighted as by ASReview."""

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from tandem.ranking.examples import Examples, Learnt, learn_together, unread
from tandem.ranking.features import Features
from tandem.ranking.learning import Case, Fitted, InReview, Labels
from tandem.ranking.parameters import EnsembleMember, Parameters


def fit_all(
    features: Features, *, preset: Parameters, cases: Sequence[Case]
) -> Iterator[Fitted | None]:
    """Learn from the labels of each case and score every record by how likely its inclusion is.

    With vectors the score is that of the words, standardised over the unread records (over all
    where hardly any is left), plus what the preset gives of its ensemble members, standardised
    likewise over those that have one. A record without a vector has 0, the mean, of these.
    The prior model is added likewise, where it says something of 30 records or more.

    Cases do not touch each other: each has to the last bit what it has alone. Together they read
    the matrix once instead of once each.

    Args:
        features: Of all records.
        preset: The recipe.
        cases: Of each, `labels`: LIBLINEAR starts from their order, so it is part of its result.
            A doubtful record is learnt twice: as an include of weight q and as an exclude of
            weight 1 − q. `draws`, shape (n_records,): the unlabelled records with the lowest are
            those that are presumed to be excludes; never one with an infinite draw.
            `random_state`: LIBLINEAR draws one number from it, exactly as by ASReview from NumPy's
            global generator.

    Returns:
        For each case scores, and the weights of the words. All scores are zero where no record has
        any term. None where there is no include among the labels; or no exclude, and none is
        presumed.
    """
    with _blas().limit(limits=1, user_api="blas"):
        learnt = _by_words(features, preset, cases)
    for case, of_words in zip(cases, learnt, strict=True):
        with _blas().limit(limits=1, user_api="blas"):
            fitted = None if of_words is None else _fit(features, preset, case, of_words)
        yield fitted


def _by_words(features: Features, preset: Parameters, cases: Sequence[Case]) -> list[Learnt | None]:
    """Return what each case learns of words; None where its labels are not enough."""
    matrix = features.matrix
    examples = [Examples.of(case, preset) for case in cases]
    enough = [one for one in examples if one is not None]
    if matrix.shape[1] == 0:
        nothing = (np.zeros(0), np.zeros(0, np.int64), np.zeros(matrix.shape[0]))
        found = [Learnt(one, *nothing) for one in enough]
    elif preset.tolerance is None:
        found = learn_together(matrix, enough, preset.C) if enough else []
    else:
        found = [
            one.learn_as_asreview(matrix, preset.C, preset.tolerance, case.random_state)
            for one, case in zip(examples, cases, strict=True)
            if one is not None
        ]
    learnt = iter(found)
    return [None if one is None else next(learnt) for one in examples]


def _fit(features: Features, preset: Parameters, case: Case, learnt: Learnt) -> Fitted:
    examples, scores = learnt.examples, learnt.distances
    weights = np.zeros(features.matrix.shape[1], learnt.weights.dtype)
    weights[learnt.columns] = learnt.weights
    labels, draws = case.labels, case.draws
    members = [
        (member, vectors)
        for member, vectors in (
            (preset.word_vectors, features.word_vectors),
            (preset.sentences, features.sentences),
        )
        if member is not None and vectors is not None
    ]
    prior_model, usual = preset.prior_model, features.prior_model
    if not members and (prior_model is None or usual is None):
        return Fitted(scores, weights)
    n_records = draws.size
    others = unread(labels, n_records) & np.isfinite(draws)
    scores = _standardised(scores, _to_go_by(others, np.ones(n_records, dtype=bool)))
    whole = case.in_review or InReview(n_records, usual, labels)
    n_includes, familiar = float(labels.values.sum()), familiarity(whole.prior_model)
    has_sentence = np.zeros(n_records, dtype=bool)
    if preset.sentences is not None and features.sentences is not None:
        has_sentence = _known(features.sentences)
    for member, vectors in members:
        known = _known(vectors)
        _, distances = examples.learn(vectors, member.C)
        second = _standardised(distances, _to_go_by(others, known))
        weight = _weight_here(member, familiar)
        counts = weight * n_includes / (n_includes + member.settling)
        share = np.where(has_sentence, member.beside, 1.0)
        scores += counts * np.where(known, share * second, 0.0)
    counts = 0.0
    if whole.prior_model is not None:
        counts = prior_weight(preset, whole.prior_model, whole.labels)
    if usual is not None and counts:
        known = usual != 0
        third = _standardised(usual, _to_go_by(others, known))
        scores += counts * np.where(known, third, 0.0)
    return Fitted(scores, weights)


def prior_weight(preset: Parameters, usual: NDArray[np.float64], labels: Labels) -> float:
    """Return how much the prior model counts beside the words' 1; 0 where it knows few records."""
    prior_model, known = preset.prior_model, usual != 0
    if prior_model is None or np.count_nonzero(known) < _FEW:
        return 0.0
    n_includes = float(labels.values.sum())
    weight = prior_model.weight * prior_model.fading / (n_includes + prior_model.fading)
    if prior_model.trust is None:
        return weight
    return weight * _followed(usual, known, labels, prior_model.trust)


def familiarity(usual: NDArray[np.float64] | None) -> float:
    """Return how far a review is like those that the prior model was learnt from, in [0, 1].

    By the share of its records that the prior model speaks for. It was learnt from health care:
    there it speaks for more than half of a search's records, in other fields for fewer: for 4 to
    36 % in seven of software and environment (docs/ranking.md). 1 where it knows too few records
    to tell.
    """
    if usual is None:
        return 1.0
    n_known = np.count_nonzero(usual)
    if n_known < _FEW:
        return 1.0
    share = np.count_nonzero(usual > 0) / n_known
    return float(np.clip((share - _UNFAMILIAR) / (_FAMILIAR - _UNFAMILIAR), 0.0, 1.0))


def _weight_here(member: EnsembleMember, familiar: float) -> float:
    if member.unfamiliar_weight is None:
        return member.weight
    return familiar * member.weight + (1 - familiar) * member.unfamiliar_weight


def _followed(
    usual: NDArray[np.float64], known: NDArray[np.bool_], labels: Labels, trust: float
) -> float:
    """Return how far the includes follow the prior model, in [0, 1].

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


_USUAL_SUCCESS = 0.75
"""In the mean of the 15 reviews of table 2, each by a table that was learnt without it."""

_CONTRADICTED, _FOLLOWED = 0.4, 0.6

_UNFAMILIAR, _FAMILIAR = 0.3, 0.5

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
