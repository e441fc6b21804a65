"""Figures against published examples, worked by hand in the comments."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from tandem.screening.agreement.statistics import (
    PAIR,
    Figures,
    figures,
    figures_of_table,
    kinds_of_records,
)

unhurried = settings(deadline=None)
cells = st.integers(0, 60)
tables = st.tuples(cells, cells, cells, cells)
NAMES = (
    "prevalence",
    "percent",
    "kappa",
    "pabak",
    "ac1",
    "alpha",
    "positive_agreement",
    "negative_agreement",
)
about: Callable[[float], object] = partial(pytest.approx, abs=5e-4)


def of_readers(*readers: str) -> Figures:
    """Return the figures of readers who said 1, 0 or nothing (.) of each record."""
    verdicts = np.array([[".01".index(said) - 1 for said in reader] for reader in readers], np.int8)
    kinds, which = kinds_of_records(verdicts)
    return figures(kinds, np.bincount(which, minlength=len(kinds.readers)))


def test_the_paradox_of_feinstein_and_cicchetti() -> None:
    # Feinstein & Cicchetti 1990, tables 1 and 2: of 100 cases 85 agree in both, kappa is .70
    # and .32. pe = (.49·.46 + .51·.54) = .5008 and (.90·.85 + .10·.15) = .78.
    balanced, skewed = figures_of_table(40, 9, 6, 45), figures_of_table(80, 10, 5, 5)

    assert balanced.percent.value == skewed.percent.value == 0.85
    assert balanced.kappa.value == about((0.85 - 0.5008) / (1 - 0.5008))
    assert balanced.kappa.value == pytest.approx(0.70, abs=0.005)
    assert skewed.kappa.value == about((0.85 - 0.78) / (1 - 0.78))
    assert skewed.kappa.value == pytest.approx(0.32, abs=0.005)
    # PABAK = 2·.85 - 1 in both.
    assert balanced.pabak.value == skewed.pabak.value == pytest.approx(0.70)
    # Cicchetti & Feinstein 1990: 80/95 and 90/105; 160/175 and 10/25.
    assert balanced.positive_agreement.value == about(0.842)
    assert balanced.negative_agreement.value == about(0.857)
    assert skewed.positive_agreement.value == about(0.914)
    assert skewed.negative_agreement.value == about(0.400)
    # AC1: π = 95/200 = .475, e = .49875; π = 175/200 = .875, e = .21875.
    assert balanced.ac1.value == about((0.85 - 0.49875) / (1 - 0.49875))
    assert skewed.ac1.value == about((0.85 - 0.21875) / (1 - 0.21875))
    assert skewed.prevalence.value == 0.875


def test_gwets_example() -> None:
    # Gwet 2008: 118, 5, 2, 0 of 125. po = .944, π = 243/250 = .972, e = 2·.972·.028 = .054432;
    # AC1 = .889568/.945568 = .9408, while kappa is -.0234.
    found = figures_of_table(118, 5, 2, 0)

    assert found.ac1.value == pytest.approx(0.9408, abs=5e-5)
    assert found.kappa.value == pytest.approx(-0.0234, abs=5e-5)
    assert found.negative_agreement.value == 0


def test_krippendorffs_example() -> None:
    # Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", A: binary data, two
    # observers, ten units. 4 units differ: Do = 8/20; n1 = 6, n0 = 14: De = 2·6·14/(20·19);
    # alpha = 1 - 19·8/(2·6·14) = .095.
    found = of_readers("0100000010", "1110010000")

    assert found.alpha.value == pytest.approx(0.095, abs=5e-4)
    assert found.n == found.n_records == 10


def test_alpha_of_three_readers_with_missing_ones() -> None:
    # Read by 3, 2, 3 and 1: N = 8 paired values, n1 = 3 + 0 + 2, n0 = 3. Only the third differs:
    # 2·2·1/(3 - 1) = 2. alpha = 1 - 7·2/(2·5·3) = 16/30. The fourth is paired with nothing.
    found = of_readers("1010", "100.", "1.1.")

    assert found.alpha.value == pytest.approx(16 / 30)
    # Pairs: record 1 three times a; 2 once d; 3: 1|0 b, 1|1 a, 0|1 c.
    assert (found.a, found.b, found.c, found.d) == (4, 1, 1, 1)
    assert (found.n, found.n_records) == (7, 3)
    assert found.percent.value == pytest.approx(5 / 7)


def test_kappa_falls_with_prevalence_though_nobody_reads_worse() -> None:
    def expected(prevalence: float) -> Figures:
        sensitivity, specificity, n = 0.87, 0.97, 1_000_000
        yes, no = prevalence, 1 - prevalence
        a = yes * sensitivity**2 + no * (1 - specificity) ** 2
        b = yes * sensitivity * (1 - sensitivity) + no * specificity * (1 - specificity)
        return figures_of_table(*(round(n * cell) for cell in (a, b, b, 1 - a - 2 * b)))

    assert expected(0.02).kappa.value == pytest.approx(0.31, abs=0.01)
    assert expected(0.50).kappa.value == pytest.approx(0.71, abs=0.01)


@unhurried
@given(tables)
def test_kappa_is_scikit_learns(table: tuple[int, int, int, int]) -> None:
    a, b, c, d = table
    assume(sum(table) > 0 and a < sum(table) and d < sum(table))
    first, second = [1] * (a + b) + [0] * (c + d), [1] * a + [0] * b + [1] * c + [0] * d

    assert figures_of_table(*table).kappa.value == pytest.approx(cohen_kappa_score(first, second))


@unhurried
@given(tables)
def test_ranges_and_no_figure_that_is_no_number(table: tuple[int, int, int, int]) -> None:
    found = figures_of_table(*table)

    for name in NAMES:
        figure = getattr(found, name)
        least = 0.0 if name.endswith("agreement") or name in ("prevalence", "percent") else -1.0
        said = [n for n in (figure.low, figure.value, figure.high) if n is not None]
        assert all(least - 1e-9 <= n <= 1 + 1e-9 for n in said), name
        assert (figure.low is None) == (figure.high is None)
        assert figure.low is None or figure.low <= figure.value + 1e-9 <= figure.high + 2e-9, name
        assert figure.value is not None or figure.low is None
    assert (found.percent.value is None) == (found.n == 0)


@unhurried
@given(tables)
def test_who_is_first_matters_only_to_b_and_c(table: tuple[int, int, int, int]) -> None:
    a, b, c, d = table
    one, other = figures_of_table(a, b, c, d), figures_of_table(a, c, b, d)

    assert (one.b, one.c) == (other.c, other.b)
    for name in NAMES:
        assert getattr(one, name).value == pytest.approx(getattr(other, name).value, nan_ok=False)


@unhurried
@given(cells, cells)
def test_to_agree_on_everything_is_1_or_undefined(a: int, d: int) -> None:
    found = figures_of_table(a, 0, 0, d)
    both = bool(a and d)

    assert found.kappa.value == found.alpha.value == (1 if both else None)
    assert found.positive_agreement.value == (1 if a else None)
    assert found.negative_agreement.value == (1 if d else None)
    # Not certainty: resampling such a sample shows the same again and again.
    assert found.kappa.low is found.ac1.low is found.alpha.low is None
    if a + d:
        assert found.percent.value == found.ac1.value == 1
        assert found.percent.low is not None
        assert 0 < found.percent.low < 1
        assert "no interval" in (found.note or "")


@unhurried
@given(st.lists(st.text("01.", min_size=3, max_size=3), min_size=1, max_size=25))
def test_pooled_figures_are_those_of_pairs_added_up(records: list[str]) -> None:
    readers = ["".join(record[place] for record in records) for place in range(3)]
    pooled = of_readers(*readers)
    pairs = [of_readers(readers[i], readers[j]) for i, j in ((0, 1), (0, 2), (1, 2))]

    for cell in "abcd":
        assert getattr(pooled, cell) == sum(getattr(pair, cell) for pair in pairs)
    assert pooled.n_records == sum(sum(said != "." for said in record) >= 2 for record in records)


@unhurried
@given(tables)
def test_two_readers_are_a_pair(table: tuple[int, int, int, int]) -> None:
    a, b, c, d = table
    first, second = "1" * (a + b) + "0" * (c + d), "1" * a + "0" * b + "1" * c + "0" * d

    direct, counted = figures_of_table(*table), of_readers(first, second)
    for name in NAMES:
        assert getattr(direct, name).value == pytest.approx(getattr(counted, name).value)


def test_the_same_data_give_the_same_numbers() -> None:
    assert figures_of_table(41, 12, 9, 609) == figures_of_table(41, 12, 9, 609)


def test_nothing_and_little_are_said_to_be_so() -> None:
    assert figures_of_table(0, 0, 0, 0).note == "No record has been read by two."
    assert figures_of_table(0, 0, 0, 0).kappa.value is None
    assert "Only 9 compared" in (figures_of_table(4, 1, 1, 3).note or "")
    assert figures_of_table(40, 10, 10, 30).note is None


def test_a_figure_that_most_samples_would_not_have_gets_no_interval() -> None:
    # One include in 100: without it, as in more than a third of all resamples, nothing is defined.
    found = figures_of_table(0, 1, 0, 99)

    assert found.kappa.value == 0
    assert found.kappa.low is None


PREVALENCE, SENSITIVITY, SPECIFICITY = 0.15, 0.87, 0.95
_YES, _NO = PREVALENCE, 1 - PREVALENCE
_A = _YES * SENSITIVITY**2 + _NO * (1 - SPECIFICITY) ** 2
_B = _YES * SENSITIVITY * (1 - SENSITIVITY) + _NO * SPECIFICITY * (1 - SPECIFICITY)
TRUE = np.array([_A, _B, _B, 1 - _A - 2 * _B])


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """600 reviews of 300 records by two readers who err at random, always by the same chance."""
    n_reviews, n_records = 600, 300
    truth = figures_of_table(*(round(cell) for cell in TRUE * 10_000_000))
    held = dict.fromkeys(NAMES, 0)
    drawn = np.random.default_rng(7).multinomial(n_records, TRUE, size=n_reviews)
    for table in drawn:
        found = figures(PAIR, table)
        for name in NAMES:
            low, high = getattr(found, name).low, getattr(found, name).high
            held[name] += low <= getattr(truth, name).value <= high

    coverage = {name: n / n_reviews for name, n in held.items()}
    # 3 standard errors of .95 in 600 are .027; exact intervals cover at least 95 %, often more.
    exact = ("percent", "pabak", "positive_agreement", "negative_agreement")
    for name in NAMES:
        assert coverage[name] >= 0.95 - 0.027, coverage
        assert coverage[name] <= (1 if name in exact else 0.95 + 0.027), coverage
