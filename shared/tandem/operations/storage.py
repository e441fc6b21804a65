"""Whether there is room to write, and whether writing works: for probes, figures and `doctor`.

Where a disk is full, the database still answers reads. So a write is tried.
"""

import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from tandem.artifacts import Artifacts
from tandem.config import Settings
from tandem.db.faults import meaning
from tandem.db.session import Database
from tandem.db.turns import Busy

_MIB = 1 << 20
_PROBE = b"\0" * 65536
_KEPT_SECONDS = 3.0
_LOCK_WAIT = "500ms"


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of this machine that is written to.

    Attributes:
        name: `database`, `artifacts` or `temporary files`.
        folder: Where.
        free: Bytes that this user may still write.
        size: Bytes of the whole file system.
        problem: What is wrong with it, for anybody to read; None where nothing is.
    """

    name: str
    folder: Path
    free: int
    size: int
    problem: str | None


@dataclass(frozen=True, slots=True)
class Storage:
    """What was seen of all of it. `problems` are sentences that name no path."""

    places: Sequence[Place]
    problems: Sequence[str]


class Watch:
    """Looks at the storage every few seconds at most, and never twice at a time."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings, self._database = settings, database
        self._guard = threading.Lock()
        self._seen: Storage | None = None
        self._seen_at = 0.0

    def look(self) -> Storage:
        """Return what was seen last, or look where that is old."""
        with self._guard:
            if self._seen is None or time.monotonic() - self._seen_at > _KEPT_SECONDS:
                self._seen = look(self._settings, self._database)
                self._seen_at = time.monotonic()
            return self._seen


def look(settings: Settings, database: Database) -> Storage:
    """Measure every folder, and try to write to it and to the database."""
    found = places(settings)
    problems = [place.problem for place in found if place.problem is not None]
    if refused := _database_refuses(database):
        problems.insert(0, refused)
    return Storage(found, problems)


def places(settings: Settings) -> list[Place]:
    """Measure the folders of this machine, each of which is written to for a moment."""
    folders = {"temporary files": Path(tempfile.gettempdir())}
    url = make_url(settings.resolved_database_url())
    if url.get_backend_name() == "sqlite" and url.database:
        folders["database"] = Path(url.database).parent
    if (local := Artifacts(settings.resolved_artifact_url()).local_path("")) is not None:
        folders["artifacts"] = local
    return [_measured(name, folder, settings.min_free_mb) for name, folder in folders.items()]


def _measured(name: str, folder: Path, least_mb: int) -> Place:
    while not folder.exists():  # it is made when it is needed
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    problem = None
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(_PROBE)
            probe.flush()
    except OSError as error:
        known = meaning(error)
        state = "is full" if known and known.code == "storage_full" else "cannot be written to"
        problem = f"The folder for {name} {state}: {error.strerror or type(error).__name__}."
    else:
        if usage.free < least_mb * _MIB:
            problem = (
                f"The disk of the folder for {name} has {usage.free // _MIB} MiB left, less than "
                f"{least_mb} MiB (TANDEM_MIN_FREE_MB). Make room on it."
            )
    return Place(name, folder, usage.free, usage.total, problem)


def _database_refuses(database: Database) -> str | None:
    """Return why the database takes no write; None where it does, or somebody writes just now."""
    try:
        if database.is_sqlite:
            _write_sqlite(make_url(str(database.engine.url)).database or "")
        else:
            _write_postgres(database)
    except (DBAPIError, sqlite3.Error) as error:
        found = meaning(error)
        return None if isinstance(found, Busy) else str(found or error)
    return None


def _write_sqlite(file: str) -> None:
    """Commit something that changes nothing."""
    uri = f"{Path(file).absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(f"PRAGMA user_version={int(version)}")
        connection.execute("COMMIT")


def _write_postgres(database: Database) -> None:
    """Write something that is gone at the end. A server that only replicates refuses it."""
    with database.engine.begin() as connection:
        connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_WAIT}'"))
        connection.execute(text("CREATE TEMPORARY TABLE probe (x text) ON COMMIT DROP"))
        connection.execute(text("INSERT INTO probe VALUES ('x')"))
