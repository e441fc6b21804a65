import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from tandem.screening.agreement.intervals import exact_share, share_difference

unhurried = settings(deadline=None)
TAIL = 0.025


@unhurried
@given(st.integers(1, 200_000), st.floats(0, 1))
def test_exact_intervals_are_quantiles_of_the_beta_distribution(of: int, share: float) -> None:
    found = round(share * of)
    low, high = exact_share(found, of)

    assert low == pytest.approx(beta.ppf(TAIL, found, of - found + 1) if found else 0, rel=1e-8)
    expected = beta.ppf(1 - TAIL, found + 1, of - found) if found < of else 1
    assert high == pytest.approx(expected, rel=1e-8)


def test_the_rule_of_three() -> None:
    # None of 100: 1 - .025^(1/100) = .0362.
    assert exact_share(0, 100) == pytest.approx((0.0, 1 - TAIL**0.01))


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        # Newcombe 1998, table II, contrasts a, c, e and h, by method 10.
        ((56, 70, 48, 80), (0.0524, 0.3339)),
        ((9, 10, 3, 10), (0.1705, 0.8090)),
        ((5, 56, 0, 29), (-0.0381, 0.1926)),
        ((10, 10, 0, 10), (0.6075, 1.0000)),
    ],
)
def test_newcombes_examples(
    shares: tuple[int, int, int, int], expected: tuple[float, float]
) -> None:
    assert share_difference(*shares) == pytest.approx(expected, abs=5e-5)


@unhurried
@given(st.integers(1, 500), st.floats(0, 1), st.integers(1, 500), st.floats(0, 1))
@example(1, 0.0, 25, 1.0)
def test_turned_round_the_difference_is_the_opposite(
    of: int, share: float, of_before: int, before: float
) -> None:
    one, other = (round(of * share), of), (round(of_before * before), of_before)
    low, high = share_difference(*one, *other)

    assert -1 <= low <= high <= 1
    assert share_difference(*other, *one) == pytest.approx((-high, -low))
