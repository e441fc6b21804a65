"""How far long work is, for pages that show a bar: said where it is done, passed on at times."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

Told = Callable[[float], object]
"""Called with how much of the work is done: a share, from 0 to 1."""

EVERY_SECONDS = 0.5
"""Between two percentages that are passed on."""


def nobody(_: float) -> None:
    """Is told, and does nothing."""


def stretch(told: Told, start: float, end: float) -> Told:
    """Return what to tell about the part of some work that brings the whole from start to end."""
    return lambda share: told(start + (end - start) * share)


def counted(items: Sequence[T], told: Told) -> Iterator[T]:
    """Yield the items, and tell behind each how many of them are done."""
    for done, item in enumerate(items, start=1):
        yield item
        told(done / len(items))
    if not items:
        told(1.0)


class Percent:
    """Passes on whole percentages, each once, a few in a second at most.

    `after`: seconds for which nothing is said, so that of quick work nothing is. Of what has been
    spoken of the end is told, too, however soon it comes.
    """

    def __init__(self, told: Callable[[int], object], *, after: float = 0.0) -> None:
        self._told = told
        self._last, self._not_before = -1, time.monotonic() + after

    def __call__(self, share: float) -> None:
        percent = int(100 * share)
        if percent <= self._last:
            return
        is_the_end = percent == 100 and self._last >= 0
        if (moment := time.monotonic()) >= self._not_before or is_the_end:
            self._last, self._not_before = percent, moment + EVERY_SECONDS
            self._told(percent)
