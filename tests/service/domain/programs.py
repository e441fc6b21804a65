"""Workers and relays that tests start as processes of their own, on the test's installation."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from engines import Broker
from tandem.config import Settings

PATIENCE = 240.0
"""Seconds until what never comes fails a test, with the program's log: less than pytest's own
limit, which would end the test without it, and more than any machine takes."""

ASK_AGAIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Program:
    """One that runs, and the file it writes to."""

    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def until(
        self, true: Callable[[], bool], *, asking: Callable[[], object] | None = None
    ) -> None:
        """Wait until something is true; `asking`: do this first, and again now and then.

        A message to a worker may get lost, and the relay that sends it again is not part of
        every test.
        """
        deadline, never = time.monotonic() + PATIENCE, Event()
        ask_at = time.monotonic()
        while not true():
            assert self.process.poll() is None, f"it ended: {self._said()}"
            assert time.monotonic() < deadline, f"it never came: {self._said()}"
            if asking is not None and time.monotonic() >= ask_at:
                asking()
                ask_at = time.monotonic() + ASK_AGAIN_SECONDS
            never.wait(0.05)

    def _said(self) -> str:
        return self.log.read_text()[-2000:]


@contextmanager
def running(
    *module: str,
    settings: Settings,
    broker: Broker,
    log: Path,
    more: Mapping[str, str] | None = None,
) -> Iterator[Program]:
    """Run `python -m module`, with its arguments; kill it with all that it started at the end.

    Whatever happened in between: one that is left would take the messages of the tests after it.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=log.parent,
            env=environment(settings, broker) | dict(more or {}),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Program(process, log)
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            assert process.poll() is not None
        process.wait()


def environment(settings: Settings, broker: Broker) -> dict[str, str]:
    """Return the variables of a process of the test's installation."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("TANDEM_")}
    return own | {
        "TANDEM_DATA_DIR": str(settings.data_dir),
        "TANDEM_DATABASE_URL": settings.resolved_database_url(),
        "TANDEM_REDIS_URL": broker.url,
        "TANDEM_ARTIFACT_URL": settings.resolved_artifact_url(),
        "TANDEM_WORKER_CONCURRENCY": "1",
        "TANDEM_RANKING_PAUSE_SECONDS": "0.05",
    }
