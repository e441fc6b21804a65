"""A worker's parts are at work at the same time, and each comes back when it has died."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tandem.tasks import QUEUES
from tandem_worker.pools import Parts

PATIENCE = 60.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def parts(folder: Path) -> Iterator[Parts]:
    """Parts that note that they are at work, and then wait for their end."""

    def serve(name: str) -> None:
        (folder / f"{name}-{os.getpid()}").touch()
        signal.pause()

    made = Parts(serve)
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
def test_no_queue_waits_for_the_worker_of_another(parts: Parts, folder: Path) -> None:
    parts.start()
    for name in QUEUES:
        look_until(parts, folder, name, n=1)


@pytest.mark.processes
def test_one_that_was_killed_comes_back_and_the_other_stays(parts: Parts, folder: Path) -> None:
    parts.start()
    for name in QUEUES:
        look_until(parts, folder, name, n=1)

    os.kill(at_work(folder, "bulk")[0], signal.SIGKILL)

    look_until(parts, folder, "bulk", n=2)
    assert len(at_work(folder, "rankings")) == 1
