"""The classifier: a linear support vector machine, weighted and fitted as ASReview does."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.svm import LinearSVC

from tandem.errors import TandemError
from tandem.ranking.presets import Preset


class TooFewLabels(TandemError):
    """A classifier needs at least one include and one exclude."""

    code = "too_few_labels"


def scores(
    matrix: csr_matrix,
    *,
    rows: NDArray[np.int64],
    labels: NDArray[np.float64],
    preset: Preset,
    random_state: np.random.RandomState,
) -> NDArray[np.float64]:
    """Fit on the labelled rows and score every record by how likely it is to be included.

    Args:
        matrix: Shape (n_records, n_terms), see `tandem.ranking.features.Features`.
        rows: Labelled rows in the order in which they were labelled; the solver starts from
            that order, so it is part of the result.
        labels: Probability of inclusion in [0, 1]; same shape as `rows`. A doubtful record is
            learnt twice: as an include of weight q and as an exclude of weight 1 - q.
        preset: The recipe.
        random_state: One number is drawn from it, exactly as by ASReview from NumPy's global
            generator.

    Returns:
        Signed distances to the separating plane, shape (n_records,). They order the records of
        one call; they are no probabilities. All zero where the matrix has no columns.

    Raises:
        TooFewLabels: `labels` do not contain both an include and an exclude.
    """
    if not (np.any(labels > 0) and np.any(labels < 1)):
        raise TooFewLabels("A model needs at least one include and one exclude.")
    if matrix.shape[1] == 0:
        return np.zeros(matrix.shape[0])
    doubtful = (labels > 0) & (labels < 1)
    learnt = np.concatenate([rows, rows[doubtful]])
    classes = np.concatenate([labels > 0, np.zeros(int(np.sum(doubtful)), dtype=bool)]).astype(
        np.int8
    )
    shares = np.concatenate([np.where(labels > 0, labels, 1.0), 1 - labels[doubtful]])
    model = LinearSVC(loss="squared_hinge", C=preset.C, random_state=random_state)
    model.fit(matrix[learnt], classes, sample_weight=_weights(classes, shares, preset.ratio))
    # What `decision_function` computes, row for row and bit for bit, without its checks of the
    # whole matrix at every call.
    distances: NDArray[np.float64] = matrix @ model.coef_.ravel() + model.intercept_
    return distances


def _weights(
    classes: NDArray[np.int8], shares: NDArray[np.float64], ratio: float
) -> NDArray[np.float64]:
    """Let all includes together weigh `ratio` times all excludes; mean weight 1.

    ASReview 3.0.8, `asreview/models/balancers.py`, with its order of operations (`sum` of the
    list, not NumPy's pairwise sum): another order changes the last bit of every weight.
    """
    includes, excludes = shares[classes == 1], shares[classes == 0]
    weights = np.where(classes == 1, shares, shares * (includes.sum() / (ratio * excludes.sum())))
    normalised: NDArray[np.float64] = weights * (len(classes) / sum(weights))
    return normalised
