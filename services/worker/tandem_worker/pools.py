"""A worker for each queue that has work, in one service.

Each is a fork of this process, which has loaded what all of them need: so it is at work at once,
one that died is back within a second, and they share the memory of what was loaded. A worker
without work ends (`app.serve`), and its memory is free; it is started again when a message waits.
"""

import os
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Collection
from types import FrameType
from typing import NoReturn

from redis import Redis
from redis.exceptions import RedisError

from tandem import heartbeat
from tandem.config import settings
from tandem.installation.children import describe_status, next_delay
from tandem.loading import loading
from tandem.log import configure, logger
from tandem.tasks import QUEUES

_BEAT_SECONDS = 5.0
_POLL_SECONDS = 0.2

_log = logger(__name__)


def run_all(names: Collection[str] = tuple(QUEUES)) -> int:
    """Serve each of these queues until a signal asks for the end; return the status.

    A worker that fails is started again. The others go on: to wait for an import of hours would
    keep rankings waiting, too.
    """
    config = settings()
    configure(config, process="worker")
    stopping = threading.Event()

    def stop(_: int, __: FrameType | None) -> None:
        stopping.set()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, stop)
    with loading():
        from tandem_worker import app

        app.load()
    messages = Messages(config.resolved_redis_url(), names)
    parts = Parts(app.serve, names, messages.waiting)
    next_beat = 0.0
    while not stopping.wait(_POLL_SECONDS):
        parts.look_after()
        if time.monotonic() >= next_beat:
            next_beat = time.monotonic() + _BEAT_SECONDS
            for name in parts.idle() if messages.is_reachable else ():
                heartbeat.beat(f"worker-{name}")
            if all(heartbeat.is_alive(f"worker-{name}") for name in names):
                heartbeat.beat("worker")
    parts.stop()
    return 0


class Messages:
    """Which queues have messages for a worker."""

    def __init__(self, redis_url: str, names: Collection[str]) -> None:
        self._redis = Redis.from_url(redis_url, socket_connect_timeout=2, socket_timeout=5)
        self._names = tuple(names)
        self.is_reachable = True

    def waiting(self) -> set[str]:
        """Return which queues have messages; none of them while the broker does not answer."""
        asked = self._redis.pipeline(transaction=False)
        for name in self._names:
            asked.llen(QUEUES[name])
        try:
            lengths = asked.execute()
        except (RedisError, OSError) as error:
            if self.is_reachable:
                _log.warning("broker not reachable; asking again", error=str(error))
            self.is_reachable = False
            return set()
        self.is_reachable = True
        return {name for name, n in zip(self._names, lengths, strict=True) if n}


class Parts:
    """The workers that this process has started, by queue."""

    def __init__(
        self,
        serve: Callable[[str], object],
        names: Collection[str],
        waiting: Callable[[], Collection[str]],
    ) -> None:
        """Prepare them; none is started yet.

        Args:
            serve: Is a queue's worker until somebody asks for its end, or nothing is to be done.
            names: Of the queues.
            waiting: Names those for which there is work. Asked only while one has no worker.
        """
        self._serve, self._names, self._waiting = serve, names, waiting
        self._running: dict[str, int] = {}
        self._started: dict[str, float] = {}
        self._delays = dict.fromkeys(names, 0.0)
        self._due: dict[str, float] = {}
        # Never written to: it closes when this process is gone, however it went.
        self._read_end, self._write_end = os.pipe()

    def idle(self) -> list[str]:
        """Return the queues that have no worker because there is nothing to do."""
        return [name for name in self._names if name not in {*self._running, *self._due}]

    def look_after(self) -> None:
        """Start what has work, and what has failed, after a pause that grows while it fails."""
        if idle := self.idle():
            waiting = self._waiting()
            for name in idle:
                if name in waiting:
                    self._start(name)
        moment = time.monotonic()
        for name, pid in list(self._running.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del self._running[name]
                if status == 0:
                    continue  # it had nothing to do
                lived = moment - self._started[name]
                self._delays[name] = next_delay(self._delays[name], lived)
                self._due[name] = moment + self._delays[name]
                status_text = describe_status(os.waitstatus_to_exitcode(status))
                _log.error("a worker ended; starting it again", queue=name, status=status_text)
        for name, due in list(self._due.items()):
            if due <= moment:
                del self._due[name]
                self._start(name)

    def stop(self) -> None:
        """Let all finish their present task. To stop at once, kill the process group."""
        for pid in self._running.values():
            os.kill(pid, signal.SIGTERM)
        for pid in self._running.values():
            os.waitpid(pid, 0)

    def _start(self, name: str) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        self._started[name] = time.monotonic()
        with warnings.catch_warnings():
            # Python 3.12 warns of threads: here there are none but those of linear algebra, which
            # is prepared for a fork.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            self._be(name)
        self._running[name] = pid

    def _be(self, name: str) -> NoReturn:
        """Be the worker of a queue, in the new process, and nothing of the old one."""
        status = 1
        try:
            for each in (signal.SIGTERM, signal.SIGINT):
                signal.signal(each, signal.SIG_DFL)
            os.close(self._write_end)
            _end_with_parent(self._read_end)
            self._serve(name)
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)


def _end_with_parent(pipe: int) -> None:
    """Stop this worker in order when the process that started it is gone, even if it was killed."""

    def wait() -> None:
        while os.read(pipe, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="end-with-parent", daemon=True).start()
