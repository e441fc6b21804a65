"""Several API processes that accept the connections of one listening socket."""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from tandem.log import logger

_PAUSE_SECONDS = 1.0
"""Before one that has just begun and ended is begun again."""

_log = logger(__name__)


def serve_with(n_processes: int, listening: socket.socket, serve: Callable[[], None]) -> None:
    """Run `serve` in so many forks of this process, until it is told to stop.

    One that ends by itself is replaced. SIGTERM and SIGINT are passed on, and all have ended when
    this returns; if this process is killed, they end as after SIGTERM.

    Args:
        n_processes: How many.
        listening: The socket that `serve` accepts connections of. It is closed at the end.
        serve: Serves until its process gets SIGTERM. No thread may run before it is called.
    """
    group = _Group(listening, serve)
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, group.stop)
    for _ in range(n_processes):
        group.start_one()
    group.replace_until_stopped()
    listening.close()


class _Group:
    def __init__(self, listening: socket.socket, serve: Callable[[], None]) -> None:
        self._listening, self._serve = listening, serve
        self._began: dict[int, float] = {}
        self._stopping = False
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
            began = self._began.pop(pid, 0.0)
            if self._stopping:
                continue
            code = os.waitstatus_to_exitcode(status)
            _log.error("an API process ended; starting another", pid=pid, exit_code=code)
            time.sleep(max(0.0, began + _PAUSE_SECONDS - time.monotonic()))
            if not self._stopping:
                self.start_one()

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
