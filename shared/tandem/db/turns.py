"""Who may write now, and how long others wait for it.

Each waiting caller waits in a thread. A worker has nothing better to do. A request has patience:
its thread is one that others need, so that those who come when many wait already go on waiting only
while the line moves.
"""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from tandem.errors import Unavailable

MOST_WRITING = 20
"""Half of the threads of an API process write or wait to: the others read."""

_SHARE = 0.1
"""Of its patience does a writer that comes later wait for a line that stands still."""


WAITED: ContextVar[float] = ContextVar("waited", default=0.0)
"""Seconds that this request has waited already; they are of its patience."""


class Busy(Unavailable):
    """Somebody else was writing all the time that this was allowed to wait."""

    code = "busy"

    def __init__(self) -> None:
        super().__init__(
            "The database is busy: something else is writing to it. Nothing was changed; try again."
        )


class Turns:
    """Lets so many write at once, and the others in the order in which they came.

    SQLite has one writer at a time, and lets those who wait poll: under eight threads the slowest
    twentieth of the writes took ten times the median.
    """

    def __init__(self, at_once: int, patience: float | None) -> None:
        self._free, self._at_once, self._patience = at_once, at_once, patience
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._n_moved = 0

    @contextmanager
    def taken(self) -> Iterator[float | None]:
        """Wait for a turn and hold it; gives the moment of `time.monotonic` until which to wait on.

        Raises:
            Busy: It did not come in time.
        """
        give_up_at = self.take()
        try:
            yield give_up_at
        finally:
            self.hand_on()

    def take(self) -> float | None:
        """Do what `taken` does at its begin; `pass_on` or `hand_on` ends the turn."""
        give_up_at = None
        if self._patience is not None:
            give_up_at = time.monotonic() + max(0.0, self._patience - WAITED.get())
        self._take(give_up_at)
        return give_up_at

    def pass_on(self) -> bool:
        """Give the turn to the next one who waits; with nobody there, keep it and return False."""
        with self._guard:
            if not self._waiting:
                return False
            self._n_moved += 1
            self._waiting.popleft().release()
            return True

    def _take(self, give_up_at: float | None) -> None:
        with self._guard:
            if self._free:
                self._free -= 1
                return
            late = self._at_once + len(self._waiting) >= MOST_WRITING
            moved = self._n_moved
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        while not mine.acquire(timeout=self._wait_for(give_up_at, late)):
            with self._guard:
                if mine not in self._waiting:
                    return  # it came just now
                if not late or moved == self._n_moved or time.monotonic() >= (give_up_at or 0):
                    self._waiting.remove(mine)
                    raise Busy
                moved = self._n_moved

    def _wait_for(self, give_up_at: float | None, late: bool) -> float:
        if give_up_at is None or self._patience is None:
            return -1  # as long as it takes
        left = max(0.0, give_up_at - time.monotonic())
        return min(left, _SHARE * self._patience) if late else left

    def hand_on(self) -> None:
        """End the turn, whether anybody waits or not."""
        with self._guard:
            self._n_moved += 1
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1
