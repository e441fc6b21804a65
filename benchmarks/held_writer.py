"""How long does a request wait while another program holds SQLite's one writer?

    python benchmarks/held_writer.py [--seconds 75] [--writers 60] [--bound 12]

The application with its own settings; the writer is held by a connection of ours. Fails where an
answer takes longer than the bound, where a write is answered with anything but 503 `busy`, or where
a reader is not served meanwhile.
"""

import argparse
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

import httpx

from slow_clients import API, _free_port, _wait_for
from tandem import migrate
from tandem.accounts import service as accounts
from tandem.db.session import Database


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=75)
    parser.add_argument("--writers", type=int, default=60)
    parser.add_argument("--bound", type=float, default=12)
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(_run(Path(folder), said.seconds, said.writers, said.bound))


def _run(folder: Path, seconds: float, writers: int, bound: float) -> int:
    file = folder / "tandem.sqlite3"
    migrate.upgrade(f"sqlite:///{file}")
    database = Database(f"sqlite:///{file}")
    with database.write.begin() as session:
        user = accounts.add_user(
            session, email="you@example.org", name="You", password=None, is_admin=True
        )
        _, token = accounts.add_token(session, user_id=user.id, name="benchmark", expires_at=None)
    database.close()
    port = _free_port()
    env = os.environ | {"TANDEM_DATA_DIR": str(folder), "TANDEM_PORT": str(port)}
    env["TANDEM_LOG_LEVEL"] = "error"
    with (
        open(os.devnull, "wb") as nowhere,
        subprocess.Popen([sys.executable, "-m", "tandem_api"], env=env, stderr=nowhere) as process,
    ):
        try:
            base = f"http://127.0.0.1:{port}"
            _wait_for(base)
            return _measure(base + API, token, file, seconds, writers, bound)
        finally:
            process.terminate()


def _measure(api: str, token: str, file: Path, seconds: float, writers: int, bound: float) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    waits: dict[str, list[float]] = {"write": [], "read": []}
    answers: list[int] = []
    stop = threading.Event()

    def ask(kind: str) -> None:
        with httpx.Client(base_url=api, headers=headers, timeout=2 * seconds) as client:
            while not stop.is_set():
                began = time.monotonic()
                if kind == "read":
                    client.get("/reviews").raise_for_status()
                    time.sleep(0.2)
                else:
                    answers.append(client.post("/reviews", json={"title": "x"}).status_code)
                waits[kind].append(time.monotonic() - began)

    kinds = ["write"] * writers + ["read"] * 2
    threads = [threading.Thread(target=ask, args=(kind,), daemon=True) for kind in kinds]
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        stop.set()
        for thread in threads:
            thread.join()
        other.execute("ROLLBACK")
    for kind, found in waits.items():
        print(f"{kind}s while the writer was held {seconds:g} s: n={len(found)} median "
              f"{statistics.median(found):.2f} s, longest {max(found):.2f} s")  # fmt: skip
    print(f"answers to writes: {sorted(set(answers))} (bound {bound:g} s)")
    return int(max(map(max, waits.values())) > bound or set(answers) != {503})


if __name__ == "__main__":
    main()
