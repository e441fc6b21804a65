"""What a certificate costs before anybody draws."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.stopping.certificate import INTERVAL_TARGETS, RunningEvidence, exact_target
from tandem.stopping.costs import cost

VALUES = json.loads((Path(__file__).parent / "reference_values.json").read_text())


@pytest.mark.parametrize("case", VALUES["least_reads"], ids=str)
def test_without_a_find_it_costs_as_little_as_any_valid_rule_can(case: dict[str, Any]) -> None:
    found = cost(
        pool=case["pool"],
        found=case["found"],
        target=exact_target(case["tau"]),
        confidence=1 - exact_target(case["alpha"]),
    )
    assert found.if_none_found == case["least"]
    assert found.share_of_pool == case["least"] / case["pool"]


def drawn_until_certified(
    hit_at: int | None, *, pool: int, found: int, target: Fraction, confidence: Fraction
) -> int:
    evidence = RunningEvidence(target, confidence)
    n = 0
    while not evidence.is_certified(found=found, pool=pool):
        n += 1
        evidence.draw(pool=pool, found=found, is_include=n == hit_at)
        pool, found = pool - 1, found + (n == hit_at)
    return n


@given(
    pool=st.integers(1, 40),
    found=st.integers(0, 40),
    target=st.sampled_from(INTERVAL_TARGETS),
    confidence=st.sampled_from([Fraction(4, 5), Fraction(9, 10), Fraction(19, 20)]),
)
def test_it_is_what_drawing_costs(
    pool: int, found: int, target: Fraction, confidence: Fraction
) -> None:
    def draws(hit_at: int | None) -> int:
        return drawn_until_certified(
            hit_at, pool=pool, found=found, target=target, confidence=confidence
        )

    said = cost(pool=pool, found=found, target=target, confidence=confidence)

    assert said.if_none_found == draws(None)
    mean = sum(draws(place) for place in range(1, pool + 1)) / pool
    assert said.if_one_left == pytest.approx(mean)


def test_of_an_empty_pool_nothing_is_drawn() -> None:
    said = cost(pool=0, found=3, target=Fraction(9, 10), confidence=Fraction(9, 10))
    assert (said.if_none_found, said.if_one_left, said.share_of_pool) == (0, 0, 0)
