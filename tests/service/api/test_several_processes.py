"""Several API processes listen on one port: one that dies is replaced, and none is left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from socket import socket

import httpx
import pytest

from service.live import NO_TLS
from tandem.config import Settings

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks into /proc"),
]

PATIENCE = 120.0
N = 2


class Group:
    """A running `python -m tandem_api` with N processes."""

    def __init__(self, process: "subprocess.Popen[bytes]", url: str) -> None:
        self.process, self.url = process, url

    def children(self) -> set[int]:
        pid = self.process.pid
        return {
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        }

    def answers(self) -> bool:
        try:
            answer = httpx.get(f"{self.url}/healthz", timeout=5, verify=NO_TLS)
            return answer.status_code == 200
        except httpx.TransportError:
            return False


@pytest.fixture
def group(settings: Settings) -> Iterator[Group]:
    with socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    named = {
        "TANDEM_DATABASE_URL": settings.database_url,
        "TANDEM_REDIS_URL": settings.redis_url,
        "TANDEM_ARTIFACT_URL": settings.artifact_url,
        "TANDEM_DATA_DIR": str(settings.data_dir),
        "TANDEM_PORT": str(port),
        "TANDEM_API_PROCESSES": str(N),
    }
    env = {**os.environ, **{name: value for name, value in named.items() if value}}
    with subprocess.Popen([sys.executable, "-P", "-m", "tandem_api"], env=env) as process:
        try:
            yield Group(process, f"http://127.0.0.1:{port}")
        finally:
            process.kill()


def until(true: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < give_up_at
        time.sleep(0.05)


def ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_one_that_dies_is_replaced_and_all_end_together(group: Group) -> None:
    until(group.answers)
    first = group.children()
    assert len(first) == N

    os.kill(min(first), signal.SIGKILL)
    until(lambda: len(group.children() - {min(first)}) == N)
    until(group.answers)

    last = group.children()
    group.process.terminate()
    assert group.process.wait(PATIENCE) == 0
    assert all(ended(pid) for pid in last)


FAILS_ONCE = """
import os, signal, socket, sys
from pathlib import Path
from tandem_api.processes import serve_with

def serve():
    if Path(sys.argv[1]).exists():
        os.kill(os.getppid(), signal.SIGTERM)
        return
    Path(sys.argv[1]).touch()
    raise RuntimeError("the reason")

serve_with(1, socket.socket(), serve)
"""


def test_one_that_fails_tells_why(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-P", "-u", "-c", FAILS_ONCE, tmp_path / "failed"],
        capture_output=True,
        check=True,
        timeout=PATIENCE,
    )
    assert b"the reason" in ran.stdout + ran.stderr


FAILS_ALWAYS = """
import socket
from tandem_api import processes

processes.MOST_FAILURES = 3

def serve():
    raise RuntimeError("the reason")

processes.serve_with(2, socket.socket(), serve)
"""


def test_where_each_one_fails_they_are_started_ever_more_rarely_and_then_no_more() -> None:
    ran = subprocess.run(
        [sys.executable, "-P", "-u", "-c", FAILS_ALWAYS],
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )
    assert ran.returncode == 1
    said = ran.stdout + ran.stderr
    assert said.count(b"RuntimeError: the reason") in (3, 4)
    assert b"NoneServes" in said


def test_none_outlives_the_first_process(group: Group) -> None:
    until(group.answers)
    children = group.children()

    group.process.kill()

    until(lambda: all(ended(pid) for pid in children))
