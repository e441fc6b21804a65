"""The running certificate: the values that it must give, and the promise that it must keep."""

import json
import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.stopping.certificate import (
    INTERVAL_TARGETS,
    Draw,
    Evidence,
    RunningEvidence,
    bad_total,
    exact_target,
    is_certain,
    is_certified,
    largest_total,
    still_bad,
)

VALUES = json.loads((Path(__file__).parent / "reference_values.json").read_text())
BARS = {"5": Fraction(5), "10": Fraction(10)}
NINETY = Fraction(9, 10)


def named(case: dict[str, Any]) -> str:
    return str(case["case"])


@pytest.mark.parametrize("case", VALUES["certificate"], ids=named)
def test_e_and_what_it_certifies_are_the_values_worked_out_before(case: dict[str, Any]) -> None:
    target = exact_target(case["tau"])
    draws = [Draw(pool, found, bool(hit), target) for pool, found, hit in case["draws"]]
    found, pool = case["found_now"], case["pool_now"]
    total = bad_total(found, target)
    evidence = Evidence(draws)

    assert total == case["bad_total"]
    assert evidence.fraction_at(total) == Fraction(case["e_fraction"])
    assert evidence.log_at(total) == pytest.approx(case["log_e"], abs=1e-12)
    for confidence, certified in ((NINETY, "certified_90"), (Fraction(19, 20), "certified_95")):
        assert case[certified] == is_certified(
            draws, found=found, pool=pool, target=target, confidence=confidence
        )
    upper = largest_total(draws, found=found, pool=pool, target=target, confidence=NINETY)
    assert upper == case["upper_total_90"]
    assert found / upper == pytest.approx(case["recall_low_90"])


def test_a_pool_full_of_includes_is_never_certified() -> None:
    """The formula at the one total that would just be bad certified this in 200 runs of 200."""
    (case,) = VALUES["must_not_certify"]
    target = exact_target(case["tau"])
    gap = case["n"] // case["k"]
    draws, found = [], case["r0"]
    for place in range(case["n"]):
        hit = place % gap == gap - 1 and found < case["r0"] + case["k"]
        draws.append(Draw(case["pool"] - place, found, hit, target))
        found += hit

    assert found == case["r0"] + case["k"]
    assert Evidence(draws).log_at(bad_total(found, target)) < 0


def worlds(case: dict[str, Any]) -> Iterator[tuple[list[Draw], bool]]:
    """Yield, for each order of the stream, all draws and whether a wrong certificate was given."""
    target, labels = exact_target(case["tau"]), case["labels_in_ranked_order"]
    for stream in permutations(range(case["N"])):
        unread = list(range(case["N"]))
        draws, found = list[Draw](), 0
        yield draws, any(_steps(case["plan"], labels, target, stream, unread, draws, found))


def _steps(
    plan: str,
    labels: Sequence[int],
    target: Fraction,
    stream: Sequence[int],
    unread: list[int],
    draws: list[Draw],
    found: int,
) -> list[bool]:
    ever = []
    for step in plan:
        row = next(row for row in (stream if step == "s" else unread) if row in unread)
        if step == "s":
            draws.append(Draw(len(unread), found, bool(labels[row]), target))
        unread.remove(row)
        found += labels[row]
        ever.append(found < target * sum(labels) and _reaches_five(draws, found, target))
    return ever


def _reaches_five(draws: Sequence[Draw], found: int, target: Fraction) -> bool:
    return Evidence(draws).fraction_at(bad_total(found, target)) >= BARS["5"]


@pytest.mark.parametrize("case", VALUES["validity_by_enumeration"], ids=lambda case: case["plan"])
def test_over_all_orders_of_the_stream_e_has_a_mean_of_one_and_is_rarely_wrong(
    case: dict[str, Any],
) -> None:
    total = sum(case["labels_in_ranked_order"])
    es, wrong = [], []
    for draws, was_wrong in worlds(case):
        es.append(Evidence(draws).fraction_at(total))
        wrong.append(was_wrong)

    assert sum(es) / len(es) == Fraction(case["mean_e"])
    assert sum(wrong) / len(wrong) == pytest.approx(case["p_wrong_at_5"])


@st.composite
def audits(draw: st.DrawFn) -> tuple[list[Draw], int, int, Fraction]:
    """Some draws at one target, and the includes and the pool after them."""
    target = draw(st.sampled_from(INTERVAL_TARGETS))
    pool, found = draw(st.integers(1, 60)), draw(st.integers(0, 30))
    draws = []
    for hit, reads, finds in draw(
        st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.integers(0, 2)), max_size=20)
    ):
        if pool == 0:
            break
        draws.append(Draw(pool, found, hit, target))
        pool, found = pool - 1, found + hit
        read = min(reads, pool)
        pool, found = pool - read, found + min(finds, read)
    return draws, found, pool, target


@given(audits())
def test_draw_by_draw_and_all_at_once_is_the_same(
    audit: tuple[list[Draw], int, int, Fraction],
) -> None:
    draws, found, pool, target = audit
    running = RunningEvidence(target, NINETY)
    for one in draws:
        running.draw(pool=one.pool, found=one.found, is_include=one.is_include)

    assert running.is_certified(found=found, pool=pool) == is_certified(
        draws, found=found, pool=pool, target=target, confidence=NINETY
    )


@given(audits())
def test_no_total_that_is_too_large_has_less_evidence_against_it_than_the_smallest(
    audit: tuple[list[Draw], int, int, Fraction],
) -> None:
    draws, found, pool, target = audit
    total = bad_total(found, target)
    evidence = Evidence(draws)
    least = min(evidence.log_at(t) for t in range(total, found + pool + total + 1))
    assert evidence.log_at(total) == pytest.approx(least)
    assert evidence.log_from(total, found + pool + total) == pytest.approx(least)
    if evidence.log_at(total) > -math.inf:
        exact = math.log(evidence.fraction_at(total))
        assert evidence.log_at(total) == pytest.approx(exact, abs=1e-9)


@given(audits())
def test_the_interval_is_what_looking_at_every_total_gives(
    audit: tuple[list[Draw], int, int, Fraction],
) -> None:
    draws, found, pool, target = audit
    every = [Evidence([Draw(d.pool, d.found, d.is_include, g) for d in draws])
             for g in INTERVAL_TARGETS]  # fmt: skip

    def is_open(total: int) -> bool:
        mean = sum(one.fraction_at(total) for one in every) / len(every)
        return (Evidence(draws).fraction_at(total) + mean) / 2 < 10

    slow = max((t for t in range(found + 1, found + pool + 1) if is_open(t)), default=found)
    assert slow == largest_total(draws, found=found, pool=pool, target=target, confidence=NINETY)


def test_a_raised_target_counts_older_draws_only_against_what_they_bet_against() -> None:
    low, high = Fraction(4, 5), Fraction(19, 20)
    draws = [Draw(40 - n, 20, False, low) for n in range(30)]
    then = [Draw(10, 20, False, high)]
    total = bad_total(20, high)
    assert total < bad_total(20, low)

    evidence = Evidence([*draws, *then])

    assert evidence.fraction_at(total) == Fraction(10, 8)
    assert evidence.log_from(total, 30) == pytest.approx(math.log(Fraction(10, 8)))


def test_what_is_left_is_certain_when_it_cannot_hold_enough() -> None:
    assert still_bad(9, NINETY) == 2
    assert is_certain(found=9, pool=1, target=NINETY)
    assert not is_certain(found=9, pool=2, target=NINETY)


@pytest.mark.parametrize(
    ("recall", "found", "bad"), [(0.95, 19, 21), (0.9, 9, 11), (0.8, 8, 11), ("0.7", 7, 11)]
)
def test_a_target_is_the_decimal_that_was_typed(recall: float | str, found: int, bad: int) -> None:
    """19 of 20 are .95 exactly, though the nearest double says a little less or more."""
    assert bad_total(found, exact_target(recall)) == bad


@pytest.mark.parametrize("wrong", [0, 1, -0.5, "x", "1/0", "nan"])
def test_a_target_that_is_no_share_is_refused(wrong: float | str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # Fraction's own has other words
        exact_target(wrong)
