import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, random_array
from sklearn.svm import LinearSVC

from tandem.ranking.newton import plane

N = 80


def noisy(seed: int, n_columns: int = 20) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """So noisy that examples leave the margin on the way, and some come back."""
    random = np.random.RandomState(seed)
    rows = random.standard_normal((N, n_columns))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows, np.where(rows[:, 0] + random.standard_normal(N) / 2 > 0.2, 1.0, -1.0)


def costs_of(sides: NDArray[np.float64], C: float) -> NDArray[np.float64]:
    return 2 * C * np.where(sides > 0, 20.0, 0.7)


@pytest.mark.parametrize("C", [0.05, 0.5, 5])
def test_it_is_the_plane_of_liblinear(C: float) -> None:
    rows, sides = noisy(3)
    model = LinearSVC(loss="squared_hinge", C=C, tol=1e-8, max_iter=100_000, random_state=1)
    model.fit(rows, sides, sample_weight=costs_of(sides, 1) / 2)
    theirs = model.decision_function(rows)
    weights, bias = plane(rows, sides=sides, costs=costs_of(sides, C))
    np.testing.assert_allclose(rows @ weights + bias, theirs, atol=0.005 * theirs.std())
    assert np.any(sides * theirs > 1), "some lie beyond the margin"


@pytest.mark.parametrize("seed", range(10))
def test_what_the_examples_pull_makes_the_plane(seed: int) -> None:
    rows, sides = noisy(seed)
    costs = costs_of(sides, 0.5)
    weights, bias = plane(rows, sides=sides, costs=costs)
    pulls = costs * sides * np.maximum(0, 1 - sides * (rows @ weights + bias))
    np.testing.assert_allclose(weights, rows.T @ pulls, atol=0.01 * np.abs(weights).max())
    assert bias == pytest.approx(pulls.sum(), abs=0.01)


def test_sparse_and_dense_rows_give_the_same_and_so_nearly_do_single_floats() -> None:
    drawn = random_array((N, 300), density=0.05, rng=np.random.default_rng(1), format="csr")
    rows, sides = csr_matrix(drawn), noisy(1)[1]
    sparse, dense = (
        plane(x, sides=sides, costs=costs_of(sides, 1)) for x in (rows, rows.toarray())
    )
    np.testing.assert_allclose(sparse[0], dense[0], atol=1e-9)
    single = plane(rows.toarray().astype(np.float32), sides=sides, costs=costs_of(sides, 1))
    assert single[0].dtype == np.float32
    np.testing.assert_allclose(single[0], dense[0], atol=2e-3 * np.abs(dense[0]).max())


def test_examples_that_cost_nothing_have_no_say() -> None:
    rows, sides = noisy(2)
    costs = costs_of(sides, 1)
    costs[:30] = 0
    all_of_them = plane(rows, sides=sides, costs=costs)
    the_others = plane(rows[30:], sides=sides[30:], costs=costs[30:])
    np.testing.assert_allclose(all_of_them[0], the_others[0], atol=1e-3)


def test_empty_rows_are_scored_by_the_bias_alone() -> None:
    sides = np.array([1.0, 1.0, -1.0])
    weights, bias = plane(csr_matrix((3, 4)), sides=sides, costs=np.full(3, 2.0))
    assert weights.tolist() == [0, 0, 0, 0]
    assert bias == pytest.approx(2 / 7, rel=1e-3)  # least b² + 2 (2 (1 − b)² + (1 + b)²)
