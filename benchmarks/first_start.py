"""Starts Tandem again and again, killed at random moments, beside two busy loops.

Expected, whatever the machine: the last start has one demo review, whole and ranked.
"""

import argparse
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func, select

from installation import free_port
from tandem.config import Settings
from tandem.db.session import Database
from tandem.demo.loading import progress
from tandem.demo.making import Demo
from tandem.installation.lock import holder
from tandem.records.models import Import, ImportState, Record
from tandem.reviews.models import Review

MARKS = {"serves": "Tandem is ready", "accounts": "password ", "whole": "ready to screen"}
BUSY = "while True: pass"


@dataclass
class Start:
    """One run of `tandem up --demo`; `seconds`: from its begin to each mark that it printed."""

    process: "subprocess.Popen[str]"
    began: float
    seconds: dict[str, float] = field(default_factory=dict)
    has_all: threading.Event = field(default_factory=threading.Event)

    def read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            for mark, text in MARKS.items():
                if text in line:
                    self.seconds.setdefault(mark, time.monotonic() - self.began)
        self.has_all.set()

    def wait_for(self, mark: str, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while mark not in self.seconds and not self.has_all.is_set():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return mark in self.seconds


def begin(folder: Path, port: int, log: Path, nice: int) -> Start:
    began = time.monotonic()
    with log.open("ab") as stream:
        process = subprocess.Popen(
            ["nice", "-n", str(nice), sys.executable, "-m", "tandem", "up", "--demo"],
            env={
                **os.environ,
                "TANDEM_DATA_DIR": str(folder),
                "TANDEM_PORT": str(port),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stream,
            text=True,
        )
    start = Start(process, began)
    threading.Thread(target=start.read, daemon=True).start()
    return start


def expectations(settings: Settings) -> dict[str, bool]:
    database = Database(settings.resolved_database_url())
    with database.read() as session:
        reviews = session.scalars(select(Review.id)).all()
        files = session.scalars(select(Import)).all()
        n_records = session.scalar(select(func.count()).select_from(Record))
    if not reviews:
        return {"one review": False}
    demo = Demo(reviews[0], [], {row.filename: row.n_read for row in files})
    shown = progress(database, demo)
    database.close()
    return {
        "one review": len(reviews) == 1,
        "three files, each read once and whole": sorted(
            (row.filename, row.n_read, row.state) for row in files
        )
        == [
            ("cinahl.ris", 520, ImportState.DONE),
            ("medline.nbib", 800, ImportState.DONE),
            ("scopus.csv", 760, ImportState.DONE),
        ],
        "2,080 references, 1,528 records": n_records == 2080 and shown.done == 1528,
        "ranked": shown.step == "ready",
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--longest", type=float, default=90.0, help="seconds until a kill, at most")
    parser.add_argument("--loops", type=int, default=2, help="0: the machine is busy enough")
    parser.add_argument("--nice", type=int, default=10, help="19: what else runs goes first")
    asked = parser.parse_args()
    dice = random.Random(asked.seed)
    folder = Path(tempfile.mkdtemp(prefix="tandem-start-"))
    settings, port = Settings(data_dir=folder / "data"), free_port()
    busy = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(asked.loops)]
    print("| start | killed after | serves | accounts | whole |\n|---|---|---|---|---|")
    failed = True
    running: Start | None = None
    try:
        for number in range(1, asked.starts + 1):
            is_last = number == asked.starts
            running = begin(settings.data_dir, port, folder / "log", asked.nice)
            # The last one may take as long as it does.
            moment = float("inf") if is_last else dice.uniform(0, asked.longest)
            running.wait_for("whole", moment)
            killed = "" if is_last else f"{time.monotonic() - running.began:.0f} s"
            if not is_last:
                running.process.send_signal(signal.SIGKILL)
                running.process.wait()
            times = [f"{running.seconds[m]:.0f} s" if m in running.seconds else "" for m in MARKS]
            print("|", " | ".join([str(number), killed, *times]), "|", flush=True)
        found = expectations(settings)
        for what, holds in found.items():
            print(f"{'ok   ' if holds else 'WRONG'} {what}")
        n_traces = len(re.findall("Traceback", (folder / "log").read_text()))
        print(f"tracebacks in the log: {n_traces}; load: {statistics.fmean(os.getloadavg()):.1f}")
        failed = not all(found.values())
    finally:
        if running is not None and running.process.poll() is None:
            running.process.terminate()
            running.process.wait()
        for process in busy:
            process.kill()
            process.wait()
        while holder(settings.data_dir) is not None:  # its guard ends what was left
            time.sleep(0.1)
        if failed:
            print(f"logs: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
