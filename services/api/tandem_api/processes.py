"""Several API processes that accept the connections of one listening socket."""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from tandem.installation.children import LIVED_WELL, describe_status, next_delay
from tandem.log import logger

MOST_FAILURES = 10
"""So many in a row that ended soon, and none that serves: another one would end as well. With the
pauses between them that takes half a minute for each process."""

_LOOK_SECONDS = 0.1
"""How often a signal to stop is looked for during a pause."""

_log = logger(__name__)


class NoneServes(Exception):
    """Every process ends soon after its start."""

    def __init__(self) -> None:
        super().__init__(
            "The API processes end as soon as they have begun, so no more are started. The log "
            "above says why; `tandem doctor` looks for what is wrong with the installation."
        )


def serve_with(n_processes: int, listening: socket.socket, serve: Callable[[], None]) -> None:
    """Run `serve` in so many forks of this process, until SIGTERM or SIGINT.

    One that ends by itself is replaced, after a pause that grows while they end soon. SIGTERM
    and SIGINT are passed on, and all have ended when this returns; if this process is killed, they
    end as after SIGTERM.

    Args:
        n_processes: How many.
        listening: The socket that `serve` accepts connections of. It is closed at the end.
        serve: Serves until its process gets SIGTERM. No thread may run before it is called.

    Raises:
        NoneServes: `MOST_FAILURES` in a row have ended soon, and no other one serves.
    """
    group = _Group(listening, serve)
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, group.stop)
    for _ in range(n_processes):
        group.start_one()
    try:
        group.replace_until_stopped()
    finally:
        listening.close()


class _Group:
    def __init__(self, listening: socket.socket, serve: Callable[[], None]) -> None:
        self._listening, self._serve = listening, serve
        self._began: dict[int, float] = {}
        self._stopping = False
        self._failures, self._pause = 0, 0.0
        # Nothing is ever written: the forks see its end when this process is gone.
        self._lifeline, self._held = os.pipe()

    def stop(self, _: int, __: FrameType | None) -> None:
        self._stopping = True
        for pid in self._began:
            with suppress(ProcessLookupError):  # it has ended, and was not yet taken off the list
                os.kill(pid, signal.SIGTERM)

    def start_one(self) -> None:
        # A signal between the fork and the note of its number would pass the new process by.
        signals = {signal.SIGTERM, signal.SIGINT}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        if (pid := os.fork()) == 0:
            self._run(before)
        self._began[pid] = time.monotonic()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def replace_until_stopped(self) -> None:
        while self._began:
            pid, status = os.wait()
            lived = time.monotonic() - self._began.pop(pid, 0.0)
            if self._stopping:
                continue
            self._failures = 0 if lived >= LIVED_WELL else self._failures + 1
            self._pause = next_delay(self._pause, lived)
            said = describe_status(os.waitstatus_to_exitcode(status))
            if self._failures >= MOST_FAILURES and not self._any_serves():
                self.stop(signal.SIGTERM, None)
                self._wait_for_all()
                raise NoneServes
            _log.error("an API process ended; starting another", pid=pid, status=said)
            self._sleep(self._pause)
            if not self._stopping:
                self.start_one()

    def _any_serves(self) -> bool:
        """Whether a process has lived long enough to be one that serves."""
        now = time.monotonic()
        return any(now - began >= LIVED_WELL for began in self._began.values())

    def _wait_for_all(self) -> None:
        for pid in self._began:
            os.waitpid(pid, 0)

    def _sleep(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        while not self._stopping and (left := ends - time.monotonic()) > 0:
            time.sleep(min(left, _LOOK_SECONDS))

    def _run(self, signals: "set[signal.Signals] | set[int]") -> None:
        """Be one of the processes; never returns."""
        code = 1
        try:
            os.close(self._held)
            for signal_number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(signal_number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, signals)
            threading.Thread(target=self._end_with_parent, daemon=True).start()
            self._serve()
            code = 0
        except Exception:
            _log.exception("an API process failed")  # else nobody would ever read why
        finally:
            os._exit(code)

    def _end_with_parent(self) -> None:
        os.read(self._lifeline, 1)
        os.kill(os.getpid(), signal.SIGTERM)
