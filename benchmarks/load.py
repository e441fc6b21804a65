"""What requests cost: processor time of every process, requests a second, and how long they take.

    python benchmarks/load.py --engine both --records 2000 --clients 1,8,32 --seconds 15
    python benchmarks/load.py --records 100000 --only reads
    python benchmarks/load.py --engine sqlite --clients 8 --only decisions --asreview-python PYTHON

Real installations on loopback, one for each engine. `decisions`: every client has its own account
and sends one `PUT …/decision` after the other; `paced`: 20 clients, one decision a second each;
`batch`: 50 decisions in each `POST …/decisions`; `page`: what a page asks beside its decisions,
`POST …/queue` and `GET …/waiting`; `reads`: progress with 0, 1,000 and 10,000
decisions, the list of reviews, a search for words that no record has. With `--asreview-python`, of
an environment with asreview==3.0.8: its web server takes labels in turns with our decisions.
It takes each record once, so there are at least LABELS_A_SECOND × seconds records.
"""

import argparse
import os
import signal
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from idle import TICKS, family
from installation import ENGINES, Engine, Installation, running
from load_clients import Client, flat_out
from load_data import Filled, decide_many, fill, ranked
from load_peer import Peer, peer
from measures import quantile

PACE_SECONDS = 1.0
N_PACED = 20
N_REVIEWERS = 32
BATCH = 50
N_BESIDE_PEER = 8
TURNS_BESIDE_PEER = 3
LABELS_A_SECOND = 400
"""More than ASReview takes."""
READS = ("progress", "list", "no hit", "hit", "healthz")


@dataclass
class Processes:
    """Processor time of an installation's processes, by name."""

    here: Installation
    _before: dict[str, float] = field(default_factory=dict)

    def begin(self) -> None:
        self._before = self._now()

    def spent(self) -> dict[str, float]:
        """Return the seconds of processor time since `begin`, by name."""
        return {name: now - self._before.get(name, 0.0) for name, now in self._now().items()}

    def _now(self) -> dict[str, float]:
        roots = {name: self.here.pid(name) for name in ("api", "worker", "relay", "valkey")}
        if self.here.engine == "postgresql":
            pid = Path(self.here.folder, "postgres", "postmaster.pid").read_text().split()[0]
            roots["postgresql"] = int(pid)
        return {name: sum(map(_seconds, family(root))) for name, root in roots.items()}


def _seconds(pid: int) -> float:
    """Return a process's processor time, with that of its children that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has just ended
        return 0.0
    return sum(map(int, fields[11:15])) / TICKS


class Report:
    """The tables, printed at the end."""

    def __init__(self) -> None:
        self.writes = Table(title="Writes, and a bare request", title_justify="left")
        for name in ("", "engine", "clients", "a second", "p50 / p95, ms", "CPU, ms", "of it"):
            self.writes.add_column(name, justify="left" if name in ("", "of it") else "right")
        self.reads = Table(title="Reads: median of ten, ms (API's CPU, ms)", title_justify="left")
        for name in ("", "engine", "records", "decisions"):
            self.reads.add_column(name)
        for name in READS:
            self.reads.add_column(name, justify="right")

    def add_writes(
        self,
        name: str,
        here: Installation,
        n_clients: int,
        took: list[float],
        during: float,
        spent: dict[str, float],
        per: int = 1,
    ) -> None:
        n = max(1, len(took) * per)
        shown = ", ".join(f"{who} {1000 * cpu / n:.1f}" for who, cpu in spent.items())
        times = f"{1000 * quantile(took, 0.5):.0f} / {1000 * quantile(took, 0.95):.0f}"
        cpu = 1000 * sum(spent.values()) / n
        print(f"{here.engine} {name}, {n_clients} clients: {cpu:.1f} ms ({shown})", file=sys.stderr)
        self.writes.add_row(
            name, here.engine, str(n_clients), f"{n / during:.0f}", times, f"{cpu:.1f}", shown
        )

    def show(self) -> None:
        console = Console(width=150)
        for table in (self.writes, self.reads):
            if table.row_count:
                console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=[*ENGINES, "both"], default="both")
    parser.add_argument("--records", type=int, default=2000)
    parser.add_argument("--clients", default="1,8,32")
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--only", default="decisions,paced,batch,page,reads")
    parser.add_argument("--asreview-python", type=Path)
    asked = parser.parse_args()
    clients = [min(N_REVIEWERS, int(n)) for n in asked.clients.split(",")]
    if asked.asreview_python is not None:
        asked.records = max(asked.records, int(LABELS_A_SECOND * (asked.seconds + 1)))
    report = Report()
    engines: tuple[Engine, ...] = ENGINES if asked.engine == "both" else (asked.engine,)
    try:
        for engine in engines:
            with running(engine) as here:
                filled = fill(here, n_reviewers=N_REVIEWERS, n_records=asked.records)
                measure(here, filled, report, asked.only.split(","), clients, asked.seconds)
                if asked.asreview_python is not None:
                    with peer(asked.asreview_python, n_records=asked.records) as other:
                        beside(here, filled, other, asked.seconds / TURNS_BESIDE_PEER)
    finally:
        report.show()


def measure(
    here: Installation,
    filled: Filled,
    report: Report,
    only: list[str],
    clients: list[int],
    during: float,
) -> None:
    if "reads" in only:
        for n in (0, 1000, 10_000):
            if n <= filled.n_records:
                decide_many(here, filled, n)
                report.reads.add_row(
                    "", here.engine, str(filled.n_records), str(n), *read(here, filled)
                )
    ranked(here, filled, 1)  # its features are made once, and are no part of a decision
    work = Processes(here)

    def run(
        name: str,
        n_clients: int,
        per: int,
        make: Callable[[Client], Callable[[], None]],
        every: float = 0.0,
    ) -> None:
        callers = [filled.client(here, i) for i in range(n_clients)]
        flat_out([make(caller) for caller in callers], 1.0)  # connections, imports
        work.begin()
        took = flat_out([make(caller) for caller in callers], during, every=every)
        report.add_writes(name, here, n_clients, took, during, work.spent(), per)

    if {"decisions", "page", "bare"} & set(only):
        run("healthz", 8, 1, lambda caller: caller.bare)
    if "decisions" in only:
        for n_clients in clients:
            run("decisions", n_clients, 1, lambda caller: caller.decide)
    if "page" in only:
        for n_clients in clients:
            run("queue", n_clients, 1, lambda caller: caller.queue)
            run("waiting", n_clients, 1, lambda caller: caller.waiting)
    if "paced" in only:
        run("one a second each", N_PACED, 1, lambda caller: caller.decide, every=PACE_SECONDS)
    if "batch" in only:
        run("50 at a time", 1, BATCH, lambda caller: lambda: caller.decide_batch(BATCH))
        run("50 at a time", 8, BATCH, lambda caller: lambda: caller.decide_batch(BATCH))


def beside(here: Installation, filled: Filled, other: Peer, during: float) -> None:
    """Take decisions and the peer's labels in turns; print how many a second, and at what cost."""
    ours = [filled.client(here, i).decide for i in range(N_BESIDE_PEER)]
    peers = other.clients(N_BESIDE_PEER)
    theirs = [client.label for client in peers]
    flat_out(ours, 1.0)
    flat_out(theirs, 1.0)
    n_ours = n_theirs = 0
    cpu_ours = cpu_theirs = 0.0
    our_roots = [here.pid(name) for name in ("api", "worker", "relay", "valkey")]
    for _ in range(TURNS_BESIDE_PEER):
        with stopped([other.pid]):
            cpu_ours -= _all_seconds(our_roots)
            n_ours += len(flat_out(ours, during))
            cpu_ours += _all_seconds(our_roots)
        with stopped(our_roots):
            cpu_theirs -= _all_seconds([other.pid])
            n_theirs += len(flat_out(theirs, during))
            cpu_theirs += _all_seconds([other.pid])
    took = TURNS_BESIDE_PEER * during
    print(
        f"{here.engine}, {N_BESIDE_PEER} clients: {n_ours / took:.0f} decisions a second, "
        f"{1000 * cpu_ours / n_ours:.1f} ms of processor time each; ASReview {n_theirs / took:.0f} "
        f"labels a second, {1000 * cpu_theirs / n_theirs:.1f} ms, "
        f"{sum(client.n_refused for client in peers)} refused: {n_ours / n_theirs:.2f} ×"
    )


def _all_seconds(roots: list[int]) -> float:
    return sum(_seconds(pid) for root in roots for pid in family(root))


@contextmanager
def stopped(roots: list[int]) -> Iterator[None]:
    """Stop these processes and all that descend from them: each side has the machine in its turn.

    Else one side would train on what it was sent while the other one is measured.
    """
    pids = [pid for root in roots for pid in family(root)]
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def read(here: Installation, filled: Filled) -> list[str]:
    """Return how long each of READS takes, asked by the owner, with the API's processor time."""
    client = filled.client(here, None)
    root = f"/api/v1/reviews/{filled.review_id}"
    paths = {
        "progress": f"{root}/progress",
        "list": "/api/v1/reviews",
        "no hit": f"{root}/records?q=zzyzxlessness&limit=50",
        "hit": f"{root}/records?q=sleep&limit=50",
        "healthz": "/healthz",
    }
    shown = []
    for name in READS:
        client.get(paths[name])  # what is done once
        took, before = [], _seconds(here.pid("api"))
        for _ in range(10):
            began = time.perf_counter()
            client.get(paths[name])
            took.append(time.perf_counter() - began)
        cpu = (_seconds(here.pid("api")) - before) / len(took)
        shown.append(f"{1000 * statistics.median(took):.0f} ({1000 * cpu:.0f})")
    return shown


if __name__ == "__main__":
    main()
