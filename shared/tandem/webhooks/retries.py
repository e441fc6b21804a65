"""When a failed delivery is tried again. Pure."""

from datetime import timedelta

WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""Between one attempt and the next: three days in all."""

_JITTER = 0.1


def wait_after(n_failures: int, *, chance: float) -> timedelta | None:
    """Return how long to wait after so many failures in a row; None: all attempts are used up.

    Args:
        n_failures: At least 1.
        chance: In [0, 1), drawn again each time. It adds up to a tenth, so that endpoints that
            fell silent together are not all called again in the same instant.
    """
    if n_failures > len(WAITS):
        return None
    return WAITS[n_failures - 1] * (1 + _JITTER * chance)


def longest_wait(n_failures: int) -> timedelta:
    """Return the longest that `wait_after` may return after so many failures."""
    return WAITS[n_failures - 1] * (1 + _JITTER)
