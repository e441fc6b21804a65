"""What an installation needs, by records and decisions: disk, memory by process, seconds to rank.

    python benchmarks/capacity.py --engine both --records 5000,50000 --decisions 5000

For each number of records a fresh installation: a review of made-up records of 1 kB, its first
ranking, the decisions of two reviewers, the ranking that counts them. Linux only: it reads /proc.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from idle import family, megabytes
from installation import ENGINES, Engine, Installation, running
from load_data import decide_many, fill, ranked

_MIB = 1 << 20
COLUMNS = ("engine", "records", "decisions", "database", "features", "api", "relay", "worker",
           "worker's peak", "ranked in")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of one installation at one moment, in MiB; `seconds`: of its newest ranking."""

    database: float
    features: float
    api: float
    relay: float
    worker: float
    peak: float
    seconds: float

    @classmethod
    def of(cls, here: Installation, seconds: float) -> "Sizes":
        api, relay, worker = (
            sum(map(megabytes, family(here.pid(name)))) for name in ("api", "relay", "worker")
        )
        largest = max(peak(pid) for pid in family(here.pid("worker")))
        return cls(database_size(here), features_size(here), api, relay, worker, largest, seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=[*ENGINES, "both"], default="both")
    parser.add_argument("--records", default="5000,50000")
    parser.add_argument("--decisions", type=int, default=5000)
    asked = parser.parse_args()
    table = Table(title="MiB; seconds", title_justify="left")
    for name in COLUMNS:
        table.add_column(name, justify="right")
    engines: tuple[Engine, ...] = ENGINES if asked.engine == "both" else (asked.engine,)
    try:
        for engine in engines:
            for n_records in map(int, asked.records.split(",")):
                with running(engine) as here:
                    measure(here, n_records, asked.decisions, table)
    finally:
        Console(width=120).print(table)


def measure(here: Installation, n_records: int, n_decisions: int, table: Table) -> None:
    filled = fill(here, n_reviewers=2, n_records=n_records)
    for n in (0, min(n_decisions, n_records)):
        decide_many(here, filled, n)
        found = Sizes.of(here, ranked(here, filled, 1 if n == 0 else 2))
        row = [here.engine, str(n_records), str(filled.n_decided), *_shown(found)]
        print(" ".join(row), file=sys.stderr)
        table.add_row(*row)


def _shown(found: Sizes) -> list[str]:
    sizes = (found.database, found.features, found.api, found.relay, found.worker, found.peak)
    return [*(f"{size:.0f}" for size in sizes), f"{found.seconds:.1f}"]


def database_size(here: Installation) -> float:
    queries = {
        "sqlite": "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
        "postgresql": "SELECT pg_database_size(current_database())",
    }
    database = here.open_database()
    try:
        with database.read() as session:
            return int(session.scalar(text(queries[here.engine])) or 0) / _MIB
    finally:
        database.close()


def features_size(here: Installation) -> float:
    folders = {here.folder / "data" / "artifacts", here.folder / "artifacts"}
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files) / _MIB


def peak(pid: int) -> float:
    """Return the most memory that a process has ever had."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmHWM in status")


if __name__ == "__main__":
    main()
