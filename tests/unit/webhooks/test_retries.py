from datetime import timedelta
from itertools import count, takewhile

from tandem.webhooks.retries import wait_after


def test_waits_grow_from_seconds_to_a_day_and_end() -> None:
    waits = [
        wait.total_seconds()
        for wait in takewhile(
            lambda wait: wait is not None, (wait_after(n, chance=0.0) for n in count(1))
        )
        if wait is not None
    ]

    hour = 3600
    assert waits == [5, 300, 1800, *(n * hour for n in (2, 5, 10, 14, 20, 24))]
    assert wait_after(10, chance=0.0) is None


def test_chance_adds_up_to_a_tenth() -> None:
    assert wait_after(2, chance=0.5) == timedelta(seconds=315)
    assert wait_after(2, chance=0.999) < timedelta(seconds=330)  # type: ignore[operator]
