"""What is given to a recipe, and what it gives back."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
"""Row numbers in the feature matrix."""


@dataclass(frozen=True)
class Labels:
    """What is known of some records.

    Attributes:
        rows: Labelled rows in the order in which they were labelled, without repeats.
        values: Aligned: how probable it is that the record is to be included, in [0, 1].
    """

    rows: Rows
    values: NDArray[np.float64]

    def without(self, rows: Rows) -> "Labels":
        kept = ~np.isin(self.rows, rows)
        return Labels(rows=self.rows[kept], values=self.values[kept])


@dataclass(frozen=True)
class Case:
    """What one fit is given beside the features; see `Recipe.fit`.

    Attributes:
        in_review: What the case is in the whole review, where the features are of a part of it.
    """

    labels: Labels
    draws: NDArray[np.float64]
    random_state: np.random.RandomState
    in_review: "InReview | None" = None

    @property
    def n_records(self) -> int:
        return self.draws.size if self.in_review is None else self.in_review.n_records


class InReview(NamedTuple):
    """A case in the whole review: what a part of its records cannot tell.

    A part has nearly all that is read first, which is unlike the rest.

    Attributes:
        n_records: How many records there are.
        prior_model: Of all of them, as of `Features`.
        labels: As rows of all of them.
    """

    n_records: int
    prior_model: NDArray[np.float64] | None
    labels: Labels


@dataclass(frozen=True)
class Fitted:
    """What was learnt.

    Attributes:
        scores: Of every record, shape (n_records,), finite. They order the records of one fit;
            they are no probabilities.
        weights: Of each column of the matrix, shape (n_terms,): how far a term pulls a record
            up (> 0) or down. None where scores do not come about like that.
    """

    scores: NDArray[np.float64]
    weights: NDArray[np.floating[Any]] | None
