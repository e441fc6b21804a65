"""ASReview's own web server, and clients that label over it as its page does."""

import csv
import io
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import httpx

from installation import free_port
from load_clients import N_LABELLED_APART, Refused
from load_data import made_up

VERSION = "3.0.8"
_START_SECONDS = 120.0
_PROJECT_SECONDS = 300.0
_WHILE_WRITING = b"Expecting value: line 1 column 1 (char 0)"
"""What ASReview says of a file of settings that is empty for a moment."""


class Peer:
    """A running ASReview with one project, of which every record can be labelled."""

    def __init__(self, url: str, pid: int, project: str, n_records: int) -> None:
        self.url, self.pid = url, pid
        self._project, self._n_records = project, n_records

    def clients(self, n: int) -> list["PeerClient"]:
        """Return clients that label different records, each of them once."""
        root = f"/api/projects/{self._project}/record"
        return [
            PeerClient(self.url, root, range(i, self._n_records, n), first=self._labelled())
            for i in range(n)
        ]

    def _labelled(self) -> set[int]:
        answer = httpx.get(f"{self.url}/api/projects/{self._project}/labeled", timeout=60)
        found = answer.json().get("result", [])
        return {int(one["record_id"]) for one in found}


class PeerClient:
    """Somebody who labels one record after the other over one connection.

    ASReview refuses a label now and then: it reads its file of settings while another request
    writes it. Such a label is sent again, as a person would, and counted in `n_refused`.
    """

    def __init__(self, url: str, root: str, records: Sequence[int], *, first: set[int]) -> None:
        at = httpx.URL(url)
        self._connection = HTTPConnection(at.host, at.port, timeout=120)
        self._root = root
        self._records: Iterator[int] = (n for n in records if n not in first)
        self.n_refused = 0

    def label(self) -> None:
        record = next(self._records, None)
        if record is None:
            raise Refused("ASReview has no more records to label; give it more with --records")
        while not self._is_taken(record):
            self.n_refused += 1

    def _is_taken(self, record: int) -> bool:
        said = {
            "record_id": record,
            "label": int(record % N_LABELLED_APART == 0),
            "tags": "[]",
            "retrain_model": 1,  # as its page asks with each label
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        self._connection.request("POST", f"{self._root}/{record}", urlencode(said), headers)
        answer = self._connection.getresponse()
        raw = answer.read()
        if _WHILE_WRITING in raw:
            return False
        if answer.status >= 400:
            raise Refused(f"label {record}: {answer.status} {raw[:300]!r}")
        return True


@contextmanager
def peer(python: Path, *, n_records: int) -> Iterator[Peer]:
    """Run `asreview lab` of the environment of `python`, with a project of made-up records."""
    folder = Path(tempfile.mkdtemp(prefix="asreview-bench-"))
    port = free_port()
    env = os.environ | {
        "ASREVIEW_PATH": str(folder / "projects"),
        "ASREVIEW_LAB_TASK_MANAGER_PORT": str(free_port()),
    }
    command = [str(python.absolute().with_name("asreview")), "lab", "--no-browser"]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        ) as running,
    ):  # fmt: skip
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(url, running, folder / "log")
            yield Peer(url, running.pid, _project(url, n_records), n_records)
        finally:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
    shutil.rmtree(folder, ignore_errors=True)


def _wait_for(url: str, running: "subprocess.Popen[bytes]", log: Path) -> None:
    give_up_at = time.monotonic() + _START_SECONDS
    while True:
        try:
            if httpx.get(f"{url}/api/learners", timeout=5).is_success:
                return
        except httpx.TransportError:
            pass
        if running.poll() is not None or time.monotonic() > give_up_at:
            raise RuntimeError(f"ASReview does not serve: {log.read_text()[-1000:]}")
        time.sleep(0.2)


def _project(url: str, n_records: int) -> str:
    """Upload the records, label two, and wait for the first ranking; return the project's id."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["title", "abstract"])
    table.writerows(made_up(number) for number in range(1, n_records + 1))
    with httpx.Client(base_url=f"{url}/api/projects", timeout=_PROJECT_SECONDS) as client:
        file = {"file": ("load.csv", text.getvalue().encode(), "text/csv")}
        made = client.post("/create", data={"mode": "oracle"}, files=file)
        made.raise_for_status()
        project = str(made.json()["id"])
        client.post(f"/{project}/train", data={"ranking": "random"}).raise_for_status()
        status = {"status": "review", "trigger_model": ""}
        client.put(f"/{project}/review", data=status).raise_for_status()
        for record, label in zip(itertools.count(), (1, 0), strict=False):
            said = {"record_id": record, "label": label, "tags": "[]", "retrain_model": 1}
            client.post(f"/{project}/record/{record}", data=said).raise_for_status()
        return project
