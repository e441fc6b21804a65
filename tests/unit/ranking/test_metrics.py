import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.ranking.metrics import (
    last_relevant,
    loss,
    ndcg,
    read_until,
    recall_at,
    tnr,
    wss,
)

# Worked by hand: ten records, relevant ones read as numbers 1, 3 and 6.
PLACES, N = [1, 3, 6], 10


@st.composite
def readings(draw: st.DrawFn) -> tuple[list[int], int]:
    """Places of relevant records and N, with at least one of either kind."""
    order = draw(st.lists(st.booleans(), min_size=2, max_size=60).filter(any))
    places = [place for place, relevant in enumerate(order, start=1) if relevant]
    return places, len(order) + (len(places) == len(order))


def test_loss_by_hand() -> None:
    # c = 1 1 2 2 2 3 3 3 3 3, sum 23; best 3 * (10 - 1) = 27; (27 - 23) / (3 * 7)
    assert loss(PLACES, N) == pytest.approx(4 / 21)


def test_ndcg_by_hand() -> None:
    # 1/log2(2) + 1/log2(4) + 1/log2(7) over 1/log2(2) + 1/log2(3) + 1/log2(4)
    assert ndcg(PLACES) == pytest.approx((1 + 0.5 + 0.3562072) / (1 + 0.6309298 + 0.5))


def test_work_saved_by_hand() -> None:
    assert read_until(PLACES, 0.95) == 6
    assert wss(PLACES, N, 0.95) == pytest.approx(0.4 - 0.05)
    assert read_until(PLACES, 0.5) == 3  # half of three is two records
    assert wss(PLACES, N, 0.5) == pytest.approx(0.7 - 0.5)


def test_unread_share_by_hand() -> None:
    assert tnr(PLACES, N, 0.95) == pytest.approx(4 / 7)  # 3 of 7 irrelevant ones are read
    assert tnr(PLACES, N, 0.5) == pytest.approx(6 / 7)


@pytest.mark.parametrize(
    ("fraction", "found"), [(0, 0), (0.1, 1), (0.2, 1), (0.3, 2), (0.59, 2), (0.6, 3), (1, 3)]
)
def test_recall_by_hand(fraction: float, found: int) -> None:
    assert recall_at(PLACES, N, fraction) == pytest.approx(found / 3)


def test_the_last_relevant_record_by_hand() -> None:
    assert last_relevant(PLACES) == 6


def test_rounding_of_products_is_not_taken_for_one_record_more() -> None:
    assert 0.55 * 100 > 55
    assert read_until(range(1, 101), 0.55) == 55
    assert 0.29 * 100 < 29
    assert recall_at([29], 100, 0.29) == 1


@given(readings())
def test_loss_is_one_minus_the_area_under_the_roc_curve(reading: tuple[list[int], int]) -> None:
    places, n = reading
    irrelevant = sorted(set(range(1, n + 1)) - set(places))
    well_ordered = sum(place < other for place in places for other in irrelevant)
    assert loss(places, n) == pytest.approx(1 - well_ordered / (len(places) * len(irrelevant)))


@given(readings(), st.floats(0.01, 1), st.floats(0, 1))
def test_bounds(reading: tuple[list[int], int], level: float, fraction: float) -> None:
    places, n = reading
    assert 0 <= loss(places, n) <= 1
    assert 0 < ndcg(places) <= 1 + 1e-12
    assert 0 <= tnr(places, n, level) <= 1
    assert wss(places, n, level) <= level
    assert 0 <= recall_at(places, n, fraction) <= 1
    assert len(places) <= last_relevant(places) <= n


@given(st.integers(1, 40), st.integers(1, 40))
def test_the_perfect_and_the_worst_order(relevant: int, irrelevant: int) -> None:
    n = relevant + irrelevant
    perfect = range(1, relevant + 1)
    assert loss(perfect, n) == 0
    assert ndcg(perfect) == pytest.approx(1)
    assert tnr(perfect, n, 0.95) == 1
    assert recall_at(perfect, n, relevant / n) == 1

    worst = range(irrelevant + 1, n + 1)
    assert loss(worst, n) == 1
    assert tnr(worst, n, 1) == 0


@given(readings(), st.floats(0.01, 1))
def test_reading_until_a_recall_reaches_it_and_not_a_record_later(
    reading: tuple[list[int], int], level: float
) -> None:
    places, _ = reading
    read = read_until(places, level)
    found = np.searchsorted(places, read, side="right")
    assert found >= level * len(places) - 1e-9
    assert found - 1 < math.ceil(level * len(places))
