"""Of a worker's parts, the one that people wait for is at work first."""

import os
import time
from pathlib import Path

import pytest

from tandem import heartbeat
from tandem_worker import pools
from tandem_worker.pools import Parts


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Note which parts are started, and start none; signs of life are this test's own."""
    names: list[str] = []
    monkeypatch.setattr(Parts, "_start", lambda _, name: names.append(name))
    monkeypatch.setattr(heartbeat, "_file", lambda name: tmp_path / name)
    return names


def test_imports_get_their_worker_when_the_one_of_rankings_is_at_work(
    started: list[str], tmp_path: Path
) -> None:
    beaten = tmp_path / "worker-rankings"
    beaten.touch()
    a_moment_ago = time.time() - 1
    os.utime(beaten, (a_moment_ago, a_moment_ago))  # by a worker that was killed since
    parts = Parts()
    parts.start()
    parts.look_after()
    assert started == ["rankings"]

    in_a_moment = time.time() + 1
    os.utime(beaten, (in_a_moment, in_a_moment))
    parts.look_after()
    parts.look_after()
    assert started == ["rankings", "bulk"]


def test_they_do_not_wait_for_ever(started: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "_HEAD_START_SECONDS", 0.0)
    parts = Parts()
    parts.start()
    parts.look_after()
    assert started == ["rankings", "bulk"]
