"""Why a record stands where it does, in the words of its own text."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tandem.ranking.features import Features

_OF_A_RECORD = 6
_OF_A_RANKING = 20


class Term(NamedTuple):
    """A word or two, and how far they pull: > 0 up, < 0 down."""

    term: str
    weight: float


def pulling_terms(
    features: Features, weights: NDArray[np.floating[Any]], row: int
) -> Sequence[Term]:
    """Return the terms that moved a record's score most, the strongest first.

    A term's pull is its weight in the model times its TF-IDF value in the record; that in the
    title and that in the whole text are added up. Terms that pull neither way are left out.
    """
    of_row = slice(*features.matrix.indptr[row : row + 2])
    columns = features.matrix.indices[of_row]
    pulls = features.matrix.data[of_row] * weights[columns]
    strongest = _largest(pulls, 2 * _OF_A_RECORD)
    return _strongest(features, columns[strongest], pulls[strongest], _OF_A_RECORD)


def telling_terms(features: Features, weights: NDArray[np.floating[Any]]) -> Sequence[Term]:
    """Return the terms of largest weight in the model as a whole, the strongest first."""
    heaviest = _largest(weights, 2 * _OF_A_RANKING)
    return _strongest(features, heaviest, weights[heaviest], _OF_A_RANKING)


def _largest(values: NDArray[np.floating[Any]], most: int) -> NDArray[np.int64]:
    """Return the places of the values farthest from 0, in no order."""
    if values.size <= most:
        return np.arange(values.size)
    return np.argpartition(-np.abs(values), most)[:most].astype(np.int64)


def _strongest(
    features: Features,
    columns: NDArray[np.int32] | NDArray[np.int64],
    values: NDArray[np.floating[Any]],
    most: int,
) -> Sequence[Term]:
    """Add up by term, since one may stand in two columns; leave out what is 0."""
    pulls: dict[str, float] = {}
    for column, value in zip(columns.tolist(), values.tolist(), strict=True):
        term = features.terms[column]
        pulls[term] = pulls.get(term, 0.0) + value
    by_strength = sorted(pulls.items(), key=lambda item: (-abs(item[1]), item[0]))
    return [Term(term, pull) for term, pull in by_strength[:most] if pull]
