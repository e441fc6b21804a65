"""However decisions come, a review's trainings are few, and none waits for long."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tandem.ranking import pace

PAUSE = 0.5
MOST_IN_A_BURST = 20
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def trainings(arrivals: Sequence[float], seconds: Sequence[float]) -> list[tuple[float, float]]:
    """Return begin and end of each training, on a worker that is always free.

    `seconds`: how long each takes, over and over again.
    """
    made: list[tuple[float, float]] = []
    n_counted, free_at = 0, 0.0
    while n_counted < len(arrivals):
        begin = max(free_at, arrivals[n_counted])
        end = begin + seconds[len(made) % len(seconds)]
        n_counted += sum(begin >= arrival for arrival in arrivals[n_counted:])
        made.append((begin, end))
        begun = [_BEGIN + timedelta(seconds=begin) for begin, _ in reversed(made)]
        next_begin = pace.next_begin(begun[: pace.SLOWEST + 1], pause=timedelta(seconds=PAUSE))
        free_at = max(end, (next_begin - _BEGIN).total_seconds())
    return made


def oldest(arrivals: Sequence[float], made: Sequence[tuple[float, float]]) -> float:
    """Return how long a decision has waited, at most, for the ranking that counts it."""
    return max(
        next(end for begin, end in made if begin >= arrival) - arrival for arrival in arrivals
    )


moments = st.floats(0, 60, allow_nan=False)
rhythms = st.one_of(
    st.lists(moments, min_size=1, max_size=200).map(sorted),
    # Even ones, as dense as makes a difference, and one as late as can be.
    st.integers(1, 400).map(lambda n: [60 * i / n for i in range(n)]),
    st.integers(1, 400).map(lambda n: [60 * i / (n - 1 or 1) for i in range(n)]),
    # Each just after the training before it could have begun.
    st.lists(st.floats(0, 5), min_size=1, max_size=60).map(
        lambda steps: [at for i in range(len(steps)) if (at := sum(steps[: i + 1])) <= 60] or [0.0]
    ),
)
durations = st.lists(st.floats(0, 10), min_size=1, max_size=5)


@given(arrivals=rhythms, seconds=durations)
@example(arrivals=[60 * i / 999 for i in range(1000)], seconds=[0.0])
@example(arrivals=[30 * i / 999 for i in range(1000)], seconds=[0.2])
@example(arrivals=[0.0] * 1000, seconds=[1.0])
def test_what_comes_within_a_minute_makes_at_most_twenty_trainings(
    arrivals: list[float], seconds: list[float]
) -> None:
    made = trainings(arrivals, seconds)

    assert len(made) <= MOST_IN_A_BURST
    assert made[-1][0] >= arrivals[-1], "the last one counts all"


def test_twenty_are_reached_so_the_bound_is_no_luck() -> None:
    assert len(trainings([60 * i / 999 for i in range(1000)], [0.0])) == MOST_IN_A_BURST


@pytest.mark.parametrize("n_before", [0, 5, 200])
@pytest.mark.parametrize("rate", [1, 3, 10, 50])
@pytest.mark.parametrize("seconds", [0.01, 0.7, 3.9])
def test_at_a_steady_rate_nobody_waits_longer_than_four_seconds_and_a_training(
    rate: int, seconds: float, n_before: int
) -> None:
    arrivals = sorted([i / rate for i in range(120 * rate)] + [0.3 * i for i in range(n_before)])
    made = trainings(arrivals, [seconds])

    assert oldest(arrivals, made) <= pace.SLOWEST * PAUSE + seconds + 1e-6


@given(arrivals=rhythms, seconds=durations)
def test_in_any_rhythm_nobody_waits_longer_than_that_or_two_trainings(
    arrivals: list[float], seconds: list[float]
) -> None:
    longest = max(seconds)
    bound = max(pace.SLOWEST * PAUSE, longest) + longest

    assert oldest(arrivals, trainings(arrivals, seconds)) <= bound + 1e-6


def test_who_thinks_for_four_seconds_has_each_decision_learnt_at_once() -> None:
    arrivals = [4.0 * i for i in range(100)]

    assert [begin for begin, _ in trainings(arrivals, [0.1])] == pytest.approx(arrivals)


def test_after_a_quiet_minute_it_is_quick_again() -> None:
    flood = [0.05 * i for i in range(1000)]
    after = [flood[-1] + 120, flood[-1] + 121]
    made = trainings([*flood, *after], [0.1])

    assert [begin for begin, _ in made[-2:]] == pytest.approx(after)
