"""One worker for each queue, started and ended together as if they were one process."""

import os
import signal
import subprocess
import sys
import threading
import time
from types import FrameType

from tandem import heartbeat
from tandem.config import settings
from tandem.installation.children import describe_status, next_delay
from tandem.log import configure, logger
from tandem.tasks import QUEUES

AS_PART = "--as-part"
"""Tells a worker that its standard input ends when the process that started it does."""

_HEAD_START_SECONDS = 30.0
"""At most. Started together on a busy machine, both workers took 27 to 40 s to be at work, the
one of rankings alone 13 to 18: and that is the one whose death people notice."""

_BEAT_SECONDS = 5.0
_POLL_SECONDS = 0.2

_log = logger(__name__)


def run_all() -> int:
    """Run a worker for each queue until a signal asks for their end; return the exit status.

    One that ends by itself is started again. The others go on: to wait for an import of hours
    would keep rankings waiting, too.
    """
    configure(settings(), process="worker")
    parts = Parts()
    stopping = threading.Event()

    def stop(_: int, __: FrameType | None) -> None:
        stopping.set()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, stop)
    parts.start()
    next_beat = 0.0
    while not stopping.wait(_POLL_SECONDS):
        parts.look_after()
        if time.monotonic() >= next_beat:
            next_beat = time.monotonic() + _BEAT_SECONDS
            if all(heartbeat.is_alive(f"worker-{name}") for name in QUEUES):
                heartbeat.beat("worker")
    parts.stop()
    return 0


class Parts:
    """The workers that this process has started, by queue."""

    def __init__(self) -> None:
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._started: dict[str, float] = {}
        self._delays = dict.fromkeys(QUEUES, 0.0)
        self._due: dict[str, float] = {}
        self._behind: list[str] = []
        self._began, self._head_start_ends = 0.0, 0.0

    def start(self) -> None:
        """Start the worker of rankings, and have the others follow when it is at work."""
        self._began = time.time()  # the clock of heartbeats
        self._head_start_ends = time.monotonic() + _HEAD_START_SECONDS
        first, *self._behind = QUEUES
        self._start(first)

    def look_after(self) -> None:
        """Start again what has ended, after a pause that grows while it ends at once."""
        if self._behind and self._is_first_at_work():
            for name in self._behind:
                self._start(name)
            self._behind = []
        moment = time.monotonic()
        for name, part in list(self._running.items()):
            if part.poll() is not None:
                del self._running[name]
                lived = moment - self._started[name]
                self._delays[name] = next_delay(self._delays[name], lived)
                self._due[name] = moment + self._delays[name]
                status = describe_status(part.returncode)
                _log.error("a worker ended; starting it again", queue=name, status=status)
        for name, due in list(self._due.items()):
            if due <= moment:
                del self._due[name]
                self._start(name)

    def _is_first_at_work(self) -> bool:
        """Return whether the others need not wait for it any more."""
        if time.monotonic() >= self._head_start_ends:
            return True
        return heartbeat.is_alive(f"worker-{next(iter(QUEUES))}", since=self._began)

    def _start(self, name: str) -> None:
        # -P: a file of the folder where somebody happens to stand is not one of our modules.
        self._running[name] = subprocess.Popen(  # noqa: S603  # our own list, no shell
            [sys.executable, "-P", "-m", "tandem_worker", name, AS_PART],
            # Never written to: it closes when this process is gone, however it went.
            stdin=subprocess.PIPE,
        )
        self._started[name] = time.monotonic()

    def stop(self) -> None:
        """Let all finish what they are at. Whoever cannot wait kills the process group."""
        for part in self._running.values():
            part.send_signal(signal.SIGTERM)
        for part in self._running.values():
            part.wait()


def end_with_parent() -> None:
    """Stop this worker in order when the process that started it is gone, even if it was killed."""

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="end-with-parent", daemon=True).start()
