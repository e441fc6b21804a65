"""Runs the processes of an embedded installation: in order, again when they die, to the end."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Self, TypeVar

from tandem.errors import TandemError
from tandem.installation.children import FIRST_DELAY, Child, Place, next_delay
from tandem.installation.guard import Guard
from tandem.installation.interrupts import Interrupts
from tandem.log import logger

log = logger(__name__)

_DEATHS_BEFORE_GIVING_UP = 3
T = TypeVar("T")

_POLL = 0.05
_FIRST_NOTICE = 15.0
"""Seconds until people read what is waited for; then after twice as long, and so on."""
_SECONDS_TO_DIE = 5.0
"""A killed process is gone within milliseconds, unless it waits for a broken disk."""


class StartFailed(TandemError):
    """A child ended again and again."""


class Stopped(Exception):  # a request, not an error
    """Somebody asked for the end while the start was still going on."""


class Supervisor:
    """Starts children in the given order and stops them in the reverse one.

    To be used as a context in the main thread. However the context ends, the children end; if
    this process is killed, its guard ends them.
    """

    def __init__(self, *, guard_inherits: Sequence[int] = ()) -> None:
        self._interrupts = Interrupts()
        self._guard = Guard(inherits=guard_inherits)
        self._guard_due = 0.0
        self._guard_delay = FIRST_DELAY
        self._places: list[Place] = []

    def __enter__(self) -> Self:
        self._interrupts.__enter__()
        try:
            self._guard.start()
        except BaseException:
            self._guard.close()
            self._interrupts.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._stop()
        finally:
            self._guard.close()
            self._interrupts.__exit__(kind, error, traceback)

    @property
    def guard_pid(self) -> int | None:
        return self._guard.pid

    def pids(self) -> dict[str, int]:
        """Return the process ids of the children that run now, by name."""
        return {place.child.name: place.pid for place in self._places if place.pid is not None}

    def start(self, child: Child) -> None:
        """Start a child, keep it running from now on, and return when it is ready.

        Raises:
            StartFailed: It, or an earlier one, ends again and again.
            Stopped: The end was asked for meanwhile.
        """
        place = self.begin(child)
        ready = child.ready or (lambda: place.pid is not None)
        self.wait_until(ready, lambda: f"{child.name} to answer ({child.log_hint})")

    def begin(self, child: Child) -> Place:
        """Start a child and keep it running from now on; do not wait for it."""
        place = Place(child, self._guard)
        self._places.append(place)
        log.info("starting", child=child.name)
        place.start()
        return place

    def finish(self, child: Child, what: str) -> int:
        """Run a child to its end; return its exit status, negative for a signal.

        Args:
            child: Marked `once`.
            what: Follows "waiting for".

        Raises:
            StartFailed: An earlier one ends again and again.
            Stopped: The end was asked for meanwhile.
        """
        place = self.begin(child)
        self._watch(lambda: place.exit_code is not None, lambda: what)
        assert place.exit_code is not None  # noqa: S101  # that was waited for
        return place.exit_code

    def wait_until(self, condition: Callable[[], bool], what: Callable[[], str]) -> None:
        """Look after the children until `condition` holds, however long that takes.

        Args:
            condition: Asked again and again, in a thread: it may take its time.
            what: Follows "waiting for".

        Raises:
            StartFailed: A child has ended three times, which no waiting will mend.
            Stopped: The end was asked for meanwhile.
        """
        over = threading.Event()

        def ask() -> None:
            while not condition() and not over.wait(_POLL):
                pass

        try:
            self.during(ask, what)
        finally:
            over.set()

    def during(self, work: Callable[[], T], what: Callable[[], str]) -> T:
        """Do `work` in a thread while the children are looked after; return its result.

        Raises:
            StartFailed: A child has ended three times.
            Stopped: The end was asked for meanwhile. The thread is left to itself: it ends with
                this process, as in a crash, which everything in Tandem must survive anyway.
        """
        outcome: Future[T] = Future()

        def run() -> None:
            try:
                outcome.set_result(work())
            except BaseException as error:  # raised again where the result is asked for
                outcome.set_exception(error)

        threading.Thread(target=run, daemon=True).start()
        self._watch(outcome.done, what)
        return outcome.result()

    def _watch(self, is_over: Callable[[], bool], what: Callable[[], str]) -> None:
        """Look after the children until it is over; say now and then what is waited for.

        No number of seconds ends the waiting: nobody knows how slow a machine is.
        """
        began = time.monotonic()
        pause = _FIRST_NOTICE
        while not is_over():
            for child in self._hopeless():
                raise StartFailed(f"{child.name} ends as soon as it is started; {child.log_hint}.")
            if time.monotonic() - began > pause:
                log.warning(f"still waiting for {what()}", seconds=round(pause))
                pause *= 2
            self._look_after(_POLL)

    def _hopeless(self) -> list[Child]:
        return [
            place.child
            for place in self._places
            if not place.child.once and place.deaths >= _DEATHS_BEFORE_GIVING_UP
        ]

    def run(self) -> None:
        """Look after the children until the end is asked for."""
        try:
            while True:
                self._look_after(60.0)
        except Stopped:
            return

    def _look_after(self, seconds: float) -> None:
        """Wait for news, at most `seconds`; bury the dead and start who is due."""
        if self._interrupts.stop_requested:
            raise Stopped
        now = time.monotonic()
        dues = [place.due for place in self._places if place.due is not None]
        if self._guard.has_died():
            dues.append(self._guard_due)
        self._interrupts.wait(min([seconds, *(due - now for due in dues)]))
        if self._interrupts.stop_requested:
            raise Stopped
        self._renew_guard()
        for place in self._places:
            if place.has_ended():
                status = place.bury()
                if place.child.once:
                    log.info("child finished", child=place.child.name, status=status)
                    continue
                log.warning("child ended", child=place.child.name, status=status)
                log.info("restarting", child=place.child.name, in_seconds=place.put_off())
            elif place.due is not None and place.due <= time.monotonic():
                self._start_again(place)

    def _start_again(self, place: Place) -> None:
        try:
            place.start()
        except OSError as error:  # no memory or no process number left: likely to pass
            wait = place.put_off()
            log.error(
                "cannot start", child=place.child.name, error=str(error), again_in_seconds=wait
            )

    def _renew_guard(self) -> None:
        if not self._guard.has_died() or time.monotonic() < self._guard_due:
            return
        self._guard_due = time.monotonic() + self._guard_delay
        self._guard_delay = next_delay(self._guard_delay, 0)
        running = [(place.pid, place.word) for place in self._places if place.pid is not None]
        try:
            self._guard.start(running)
        except OSError as error:
            log.error("the guard ended and cannot be started again", error=str(error))
        else:
            log.warning("the guard ended; another one is there", pid=self._guard.pid)

    def _stop(self) -> None:
        """End all children, the latest first. Nothing raises, nothing is left out."""
        for place in reversed(self._places):
            if place.pid is None:
                continue
            log.info("stopping", child=place.child.name)
            place.ask_to_stop()
            if not self._has_gone(place, place.child.grace, may_hurry=True):
                log.warning("killing", child=place.child.name)
                place.kill()
                if not self._has_gone(place, _SECONDS_TO_DIE, may_hurry=False):
                    log.error("cannot be killed", child=place.child.name, pid=place.pid)

    def _has_gone(self, place: Place, seconds: float, *, may_hurry: bool) -> bool:
        deadline = time.monotonic() + seconds
        while not place.has_ended():
            left = deadline - time.monotonic()
            if left <= 0 or (may_hurry and self._interrupts.hurry):
                return False
            self._interrupts.wait(left)
        place.bury()
        return True
