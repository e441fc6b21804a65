"""Runs, knees and the hypergeometric test, and the rules made of them."""

import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom

from tandem.stopping.certificate import bad_total, exact_target
from tandem.stopping.heuristics import Reading
from tandem.stopping.rules import UnknownRule, check_names, rule
from tandem.stopping.two_reviewers import sensitivity

VALUES = json.loads((Path(__file__).parent / "reference_values.json").read_text())
TARGET, CONFIDENCE = Fraction(9, 10), Fraction(19, 20)

readings = st.tuples(st.lists(st.booleans(), max_size=40), st.integers(0, 40))


@pytest.mark.parametrize("case", VALUES["hypergeometric_p"], ids=lambda case: case["labels"][:20])
def test_p_is_the_value_worked_out_before(case: dict[str, Any]) -> None:
    reading = Reading.of((c == "1" for c in case["labels"]), n_records=case["n_total"])
    p = reading.hypergeometric_p(exact_target(case["tau"]))
    assert p == pytest.approx(float(Fraction(case["exact_fraction"])), abs=1e-11)


@given(readings)
def test_p_is_that_of_the_distribution_itself(drawn: tuple[list[bool], int]) -> None:
    labels, left = drawn
    n, n_records = len(labels), len(labels) + left
    total = bad_total(sum(labels), TARGET)
    starts = [0, *(place for place, label in enumerate(labels, start=1) if label)]
    ps = []
    for before, start in enumerate(starts):
        fits = total - before <= n_records - start
        since = sum(labels) - before
        law = hypergeom(n_records - start, total - before, n - start) if fits else None
        ps.append(law.cdf(since) if law else 0.0)
    reading = Reading.of(labels, n_records=n_records)
    assert reading.hypergeometric_p(TARGET) == pytest.approx(min(ps), abs=1e-10)


@given(readings)
def test_the_supported_recall_is_the_largest_that_the_test_supports(
    drawn: tuple[list[bool], int],
) -> None:
    labels, left = drawn
    reading = Reading.of(labels, n_records=len(labels) + left)
    found = reading.n_found
    supported = reading.supported_recall()
    if not found:
        assert supported is None
        return
    refuted = [t for t in range(found + 1, found + left + 2) if reading._p(t) < 0.05]
    assert supported == found / (min(refuted) - 1)


@given(readings)
def test_the_knee_is_where_the_curve_is_highest_above_its_chord(
    drawn: tuple[list[bool], int],
) -> None:
    labels, left = drawn
    n, found = len(labels), sum(labels)
    knee = Reading.of(labels, n_records=n + left).knee()
    heights = [sum(labels[:i]) - Fraction(i * found, n) for i in range(1, n + 1)]
    if knee is None:
        assert not found or heights.index(max(heights)) == n - 1
        return
    assert heights[knee.at - 1] == max(heights)
    before = sum(labels[: knee.at])
    slope = (1 + found - before) / (n - knee.at)
    assert knee.ratio == pytest.approx(before / knee.at / slope)


@given(readings)
def test_record_by_record_is_the_same_as_all_at_once(drawn: tuple[list[bool], int]) -> None:
    labels, left = drawn
    reading = Reading(len(labels) + left)
    for label in labels:
        reading = reading.and_then(label)
    assert reading == Reading.of(labels, n_records=len(labels) + left)


@given(readings)
def test_the_hypergeometric_rule_stops_at_the_first_record_of_which_p_is_small(
    drawn: tuple[list[bool], int],
) -> None:
    labels, left = drawn
    n_records = len(labels) + left
    stops = rule("hypergeometric", n_records=n_records, target=TARGET, confidence=CONFIDENCE)
    reading = Reading(n_records)
    for label in labels:
        reading = reading.and_then(label)
        is_met = reading.hypergeometric_p(TARGET) < 0.05
        assert stops(reading) == is_met
        if is_met:
            return


@pytest.mark.parametrize(
    ("name", "length"), [("run-3", 3), ("share-5", 10), ("share-0.05", 10), ("share-2.6", 6)]
)
def test_runs_are_of_so_many_records_or_of_a_share_of_all(name: str, length: int) -> None:
    stops = rule(name, n_records=200, target=TARGET, confidence=CONFIDENCE)
    read = [True, False, True, *[False] * length]
    assert stops(Reading.of(read, n_records=200))
    assert not stops(Reading.of(read[:-1], n_records=200))


def test_the_knee_stops_at_a_ratio_of_six() -> None:
    stops = rule("knee", n_records=100, target=TARGET, confidence=CONFIDENCE)
    # 4 of 4, then none in n: 1 / (1 / n) = n.
    assert stops(Reading.of([True] * 4 + [False] * 6, n_records=100))
    assert not stops(Reading.of([True] * 4 + [False] * 5, n_records=100))
    assert not stops(Reading.of([False] * 9, n_records=100))


@pytest.mark.parametrize("name", ["run-0", "run-", "share-0", "share-100", "knees", "", "run-x"])
def test_an_unknown_rule_is_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(UnknownRule, match="certificate, run-N, share-P, knee, hypergeometric"):
        check_names(["certificate", name])


def test_two_reviewers_are_the_values_worked_out_before() -> None:
    for case in VALUES["two_reviewers"]:
        found = sensitivity(first=case["n1"], second=case["n2"], both=case["both"])
        assert found.total == Fraction(case["estimate_fraction"])
        assert found.variance == Fraction(case["variance_fraction"])
        assert float(found.missed) == pytest.approx(case["missed_by_both"])
        for ours, value in ((found.first, "s1"), (found.second, "s2"), (found.team, "team")):
            theirs = math.nan if case[value] is None else case[value]
            assert float("nan" if ours is None else ours) == pytest.approx(theirs, nan_ok=True)
