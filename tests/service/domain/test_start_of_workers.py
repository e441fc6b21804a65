"""A worker's part starts when there is work, ends when there is none, and comes back if it dies."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tandem.tasks import QUEUES
from tandem_worker.pools import Parts

PATIENCE = 240.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def waiting() -> set[str]:
    """The queues that have messages."""
    return set()


@pytest.fixture
def parts(folder: Path, waiting: set[str]) -> Iterator[Parts]:
    """Parts that note that they are at work, and then wait for their end."""

    def serve(name: str) -> None:
        signal.signal(signal.SIGUSR1, lambda *_: os._exit(0))
        (folder / f"{name}-{os.getpid()}").touch()
        while True:
            signal.pause()

    made = Parts(serve, tuple(QUEUES), lambda: waiting)
    yield made
    made.stop()


def at_work(folder: Path, name: str) -> list[int]:
    return [int(file.name.rpartition("-")[2]) for file in folder.glob(f"{name}-*")]


def look_until(parts: Parts, folder: Path, name: str, *, n: int) -> None:
    """Look after the parts until so many processes have been the worker of that queue."""
    deadline = time.monotonic() + PATIENCE
    while len(at_work(folder, name)) < n:
        assert time.monotonic() < deadline, f"{name} did not come"
        parts.look_after()
        time.sleep(0.01)


@pytest.mark.processes
def test_no_queue_waits_for_the_worker_of_another(
    parts: Parts, folder: Path, waiting: set[str]
) -> None:
    waiting |= set(QUEUES)
    for name in QUEUES:
        look_until(parts, folder, name, n=1)


@pytest.mark.processes
def test_one_that_was_killed_comes_back_and_the_other_stays(
    parts: Parts, folder: Path, waiting: set[str]
) -> None:
    waiting |= set(QUEUES)
    for name in QUEUES:
        look_until(parts, folder, name, n=1)
    waiting.clear()  # the message that it was at is no longer in the queue

    os.kill(at_work(folder, "bulk")[0], signal.SIGKILL)

    look_until(parts, folder, "bulk", n=2)
    assert len(at_work(folder, "rankings")) == 1


@pytest.mark.processes
def test_one_without_work_is_not_there(parts: Parts, folder: Path, waiting: set[str]) -> None:
    waiting.add("bulk")
    look_until(parts, folder, "bulk", n=1)
    assert set(parts.idle()) == {"rankings", "large"}

    waiting.clear()
    os.kill(at_work(folder, "bulk")[0], signal.SIGUSR1)  # it ends as one does that has no work
    deadline = time.monotonic() + PATIENCE
    while set(parts.idle()) != set(QUEUES):
        assert time.monotonic() < deadline, "it did not end"
        parts.look_after()
        time.sleep(0.01)
    assert len(at_work(folder, "bulk")) == 1

    waiting.add("bulk")
    look_until(parts, folder, "bulk", n=2)
