import numpy as np

from tandem.screening.agreement.drift import FEWEST_BY_CHANCE, RECENT, Read, drift


def reads(*runs: tuple[int, float, bool], seed: int = 3) -> list[Read]:
    """Return runs of reads: how many, the chance of an include, whether by chance."""
    drawn = np.random.default_rng(seed)
    return [
        Read(bool(drawn.random() < share), by_chance)
        for n, share, by_chance in runs
        for _ in range(n)
    ]


def test_too_few_decisions_give_no_figure() -> None:
    found = drift(reads((2 * RECENT - 1, 0.3, False)))

    assert (found.value, found.low, found.high) == (None, None, None)
    assert "Too few" in found.note


def test_the_random_stream_is_used_as_soon_as_there_is_enough_of_it() -> None:
    ranked, by_chance = (1000, 0.5, False), (2 * FEWEST_BY_CHANCE, 0.5, True)

    assert drift(reads(ranked, by_chance)).what.endswith("random_stream")
    assert drift(reads(ranked, (2 * FEWEST_BY_CHANCE - 1, 0.5, True))).what.endswith("all")


def test_of_the_ranked_stream_it_says_that_a_fall_is_by_design() -> None:
    found = drift(reads((400, 0.3, False), (RECENT, 0.02, False)))

    assert found.high is not None
    assert found.high < 0
    assert (found.n_before, found.n_recent) == (400, RECENT)
    assert "by design" in found.note


def test_a_moved_threshold_is_found() -> None:
    found = drift(reads((200, 0.1, True), (RECENT, 0.35, True)))

    assert found.low is not None
    assert found.low > 0


def test_a_steady_reviewer_is_left_alone_as_often_as_said() -> None:
    alarms = 0
    for seed in range(400):
        found = drift(reads((400, 0.15, True), seed=seed))
        assert found.low is not None
        assert found.high is not None
        alarms += not found.low <= 0 <= found.high
    # 5 % of 400 are 20; 3 standard errors are 13.
    assert alarms <= 33
