"""Linear support vector machines with squared hinge loss, by Newton's method on the examples.

Were it known which examples lie within the margin, the machine would be a ridge regression on
these; and each regression says which do (Keerthi and DeCoste 2005, doi:10.5555/1046920.1046931).
Conjugate gradients solve it, of which all that is seen of the examples is their products with
vectors: so it is all the same whether they are sparse or dense. For words seven products do,
which is half of LIBLINEAR's work, since most examples weigh little and hardly bend anything.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

_SETTLED = 1e-4
"""What may be left of the first residual. Scores then differ by 1/100 of their spread at most, and
mostly by a tenth of that, wherever an example costs less than 100; dearer ones may not settle."""

_HASTE = (200.0, 20.0)
"""How many times as much may be left in the first steps, if others are within the margin by then:
to settle a regression on examples that will not stay takes nearly twice the products."""

_MOST_STEPS = 20
"""One to five are usual; a set of examples that keeps swinging is as good as settled."""

_MOST_PRODUCTS = 100
"""In one step. Seven in all are usual for words, up to thirty for dense vectors."""

_Values = NDArray[Any]


def plane(
    examples: csr_matrix | _Values, *, sides: NDArray[np.float64], costs: NDArray[np.float64]
) -> tuple[_Values, float]:
    """Return the w and b that minimise w² + b² + Σ cost · max(0, 1 − side · (x · w + b))².

    Args:
        examples: Shape (n_examples, n_columns), float32 or float64, in which w is computed too.
            The nearer their lengths are to 1 or 0, the sooner it is found.
        sides: Of each example, 1 or −1.
        costs: Of each example, ≥ 0.
    """
    columns = examples.T
    sides = sides.astype(examples.dtype)
    roots = np.sqrt(costs).astype(examples.dtype)

    def product(pulls: _Values) -> _Values:
        distances: _Values = examples @ (columns @ pulls) + pulls.sum()
        return distances

    # w is the sum of root · pull · x over the examples, with the pull of those beyond the margin 0.
    pulls, distances = np.zeros_like(sides), np.zeros_like(sides)
    within = np.ones(sides.size, dtype=bool)
    for step in range(_MOST_STEPS):
        early_tolerance = _HASTE[step] if step < len(_HASTE) else 1.0
        pulls, distances = _ridge(product, within, roots, sides, pulls, distances, early_tolerance)
        now_within = sides * distances < 1
        if np.array_equal(now_within, within):
            break
        left = within & ~now_within
        if left.any():
            distances = distances - product(left * roots * pulls)
            pulls = np.where(left, 0, pulls)
        within = now_within
    shares = roots * pulls
    return columns @ shares, float(shares.sum())


def _ridge(
    product: Callable[[_Values], _Values],
    within: NDArray[np.bool_],
    all_roots: _Values,
    sides: _Values,
    pulls: _Values,
    distances: _Values,
    early_tolerance: float,
) -> tuple[_Values, _Values]:
    """Go on from these pulls and distances to those at which pull = root · (side − distance).

    The root of an example beyond the margin is 0.
    """
    pulls, distances = pulls.copy(), distances.copy()
    roots = within * all_roots
    evening = 1 / (1 + 2 * roots**2)  # undoes the diagonal: a length of 1, and 1 for the bias
    residual = roots * (sides - distances) - pulls
    direction = evened = evening * residual
    size, enough = residual @ evened, _SETTLED**2 * (evening @ roots**2)
    look = early_tolerance**2 * enough
    for _ in range(_MOST_PRODUCTS):
        if size <= look:
            if size <= enough or not np.array_equal(sides * distances < 1, within):
                break
            look = enough
        moved = product(roots * direction)
        change = direction + roots * moved
        step = size / (direction @ change)
        pulls += step * direction
        distances += step * moved
        residual -= step * change
        evened = evening * residual
        size, before = residual @ evened, size
        direction = evened + (size / before) * direction
    return pulls, distances
