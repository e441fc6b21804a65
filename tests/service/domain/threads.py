"""Runs things at the same instant, on real threads."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 240.0
"""Seconds until all threads have begun, on a machine that is busy with others."""


def at_once(works: Sequence[Callable[[], T]]) -> list[T]:
    """Do each work in a thread of its own, all let go together; return what they return.

    What one of them raises is raised here, after all have ended.
    """
    barrier = Barrier(len(works))

    def run(work: Callable[[], T]) -> T:
        barrier.wait(timeout=PATIENCE)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result() for future in [pool.submit(run, work) for work in works]]
