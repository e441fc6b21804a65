"""Progress of long work, for pages that show a bar: reported often, passed on now and then."""

import time
from collections.abc import Callable, Collection, Iterator
from typing import TypeVar

T = TypeVar("T")

OnProgress = Callable[[float], object]
"""Called with the share of the work that is done, from 0 to 1."""

_REPORTS = 1000
"""Of one stretch of work: to report after each of a million records takes seconds."""

EVERY_SECONDS = 0.5
"""Between two percentages that are passed on."""


def no_progress(_: float) -> None:
    """Ignore progress."""


def stretch(on_progress: OnProgress, start: float, end: float) -> OnProgress:
    """Return the progress of a part of some work, which takes the whole from start to end."""
    return lambda share: on_progress(start + (end - start) * share)


def counted(items: Collection[T], on_progress: OnProgress) -> Iterator[T]:
    """Yield the items, and report now and then how many of them are done; at last that all are."""
    n_items = len(items)
    every = max(1, n_items // _REPORTS)
    for done, item in enumerate(items, start=1):
        yield item
        if done % every == 0 or done == n_items:
            on_progress(done / n_items)
    if not n_items:
        on_progress(1.0)


class Percent:
    """Passes on whole percentages, each once, a few in a second at most.

    `after`: seconds before the first percentage, so that quick work passes nothing on. After that
    100 % is passed on at once.
    """

    def __init__(self, on_progress: Callable[[int], object], *, after: float = 0.0) -> None:
        self._on_progress = on_progress
        self._last, self._not_before = -1, time.monotonic() + after

    def __call__(self, share: float) -> None:
        percent = int(100 * share)
        if percent <= self._last:
            return
        is_the_end = percent == 100 and self._last >= 0
        if (moment := time.monotonic()) >= self._not_before or is_the_end:
            self._last, self._not_before = percent, moment + EVERY_SECONDS
            self._on_progress(percent)
