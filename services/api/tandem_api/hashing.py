"""Threads of their own for passwords: others' requests never wait for a password's hash.

One hash takes 64 MiB and some 50 ms of all processors. However many are asked for, one is made at
a time, so many wait at most, and of one source no more than half of those.
"""

import asyncio
import contextvars
import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tandem.accounts import passwords, throttle
from tandem.accounts.throttle import Attempt
from tandem.db.session import Database
from tandem.errors import TooManyAttempts, Unavailable

T = TypeVar("T")

_THREADS = 1
MOST = 32
MOST_OF_A_SOURCE = 16
HOLD_SECONDS = 2.0
"""How long a refusal takes. 80 connections that guess on then cost 40 small requests a second."""
MOST_HELD = 100
"""Of one source: others there need requests under way, too (`max_connections_per_source`)."""


class ManyWait(Unavailable):
    """More passwords wait to be looked at already than can be soon."""

    code = "busy"
    retry_after = 1


class Passwords:
    """Runs what hashes a password. Lives in the event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="password")
        self._waiting: Counter[str] = Counter()
        self._held: Counter[str] = Counter()
        passwords.prepare()

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)

    async def run(self, source: str, work: Callable[[], T]) -> T:
        """Return what `work` does, which runs in a thread for passwords.

        Raises:
            TooManyAttempts: The source has too many waiting.
            ManyWait: All together have.
        """
        if self._waiting[source] >= MOST_OF_A_SOURCE:
            raise TooManyAttempts("Too many sign-ins from here wait already.", retry_after=1)
        if self._waiting.total() >= MOST:
            raise ManyWait("Too many sign-ins wait already. Try again in a moment.")
        self._waiting[source] += 1
        context = contextvars.copy_context()
        running = asyncio.get_running_loop().run_in_executor(self._threads, context.run, work)
        # Not when the caller is gone, but when the thread is free again.
        running.add_done_callback(lambda _: self._leave(source))
        return await running

    async def guess(self, source: str, about: str, work: Callable[[Attempt], T]) -> T:
        """Return what `work` does with a secret that may be guessed at.

        It raises where the secret is wrong, and tells `throttle.succeed` where it is right.

        Raises:
            TooManyAttempts: There were too many attempts; `work` was not called.
            ManyWait: All together have too many waiting.
        """

        def counted() -> T:
            return work(throttle.begin(self._database, about=about, source=source))

        try:
            return await self.run(source, counted)
        except (TooManyAttempts, ManyWait):
            await self._hold(source)
            raise

    async def _hold(self, source: str) -> None:
        """Delay the refusal: a sleep costs the server little, and slows guessing down."""
        if self._held[source] >= MOST_HELD:
            return
        self._held[source] += 1
        try:
            # Not all of a crowd at once, or their answers would be given at once, too.
            await asyncio.sleep(HOLD_SECONDS * (0.5 + random.random()))  # noqa: S311  # no secret
        finally:
            self._held[source] -= 1
            if not self._held[source]:
                del self._held[source]

    def _leave(self, source: str) -> None:
        self._waiting[source] -= 1
        if not self._waiting[source]:
            del self._waiting[source]
