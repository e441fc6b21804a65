"""Backup and restore of a SQLite database."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

from tandem import migrate
from tandem.installation.backup.archive import Counted, Damaged, Opened, sync_folder
from tandem.installation.backup.copies import Content, Copied, NothingThere, Occupied, content
from tandem.progress import OnProgress

NAME = "database.sqlite3"
_PAGES = 1000
"""Copied between two looks at the bar: 4 MB."""
_WAIT_SECONDS = 2
"""For another program that has the database open."""


def path_of(url: str) -> Path:
    return Path(make_url(url).database or "")


def copy(url: str, folder: Path, on_progress: OnProgress) -> Copied:
    """Copy the database into the folder while others read and write it.

    Raises:
        NothingThere: There is no database yet.
    """
    source, target = path_of(url), folder / NAME
    if not source.exists():
        raise NothingThere(f"{source} does not exist: there is nothing to back up.")
    with closing(_open(source)) as original, closing(_open(target)) as taken:
        # One snapshot for the whole copy: else each write of others begins it again.
        original.execute("BEGIN")
        original.execute("SELECT count(*) FROM sqlite_master").fetchone()
        original.backup(taken, pages=_PAGES, progress=_shares(on_progress), sleep=0)
        taken.execute("PRAGMA journal_mode=DELETE")
    held = held_by(f"sqlite:///{target}")
    if held is None:
        raise NothingThere(f"{source} is not a database of Tandem.")
    return Copied(target, NAME, sqlite3.sqlite_version, held.schema, held.counts, held.uploads)


def held_by(url: str) -> Content | None:
    """Return what the database holds, or None; does not create it.

    Raises:
        Damaged: The file is no database.
    """
    if not path_of(url).exists():
        return None
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            return content(connection)
    except DatabaseError as error:
        raise Damaged(f"{path_of(url)} cannot be read: {error.orig}.") from error


def put(url: str, archive: Opened, folder: Path, counted: Counted) -> None:
    """Replace the database by the archive's, at the newest schema. Old or new, at any moment.

    Args:
        url: Of the database, which may not exist yet.
        archive: Its database is SQLite's.
        folder: For the new one while it is made; on the same disk as the database.
        counted: Called with the bytes that were unpacked.

    Raises:
        Damaged: What the archive holds is not what its manifest says.
        Occupied: Another program has the database open.
    """
    fresh = folder / NAME
    with fresh.open("wb") as target:
        archive.extract(archive.manifest.database, target, counted)
    held = held_by(f"sqlite:///{fresh}")
    if held is None or held.counts != archive.manifest.counts:
        raise Damaged("The database in the backup does not hold what its manifest says.")
    migrate.upgrade(f"sqlite:///{fresh}")
    with closing(_open(fresh)) as made:
        made.execute("PRAGMA journal_mode=DELETE")  # all of it in one file
    _sync(fresh)
    target_path = path_of(url)
    if target_path.exists():
        _fold(target_path)
    fresh.replace(target_path)
    sync_folder(target_path.parent)


def _fold(old: Path) -> None:
    """Bring the old database into one file, which nobody else has open.

    Its log must be gone before another file takes its name: SQLite would play it into that.
    """
    try:
        with closing(_open(old)) as database:
            database.execute("PRAGMA locking_mode=EXCLUSIVE")
            database.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as error:
        raise Occupied(
            f"Another program has {old} open: stop Tandem, then restore again."
        ) from error
    except sqlite3.DatabaseError:  # not readable any more, which may be why it is restored
        for ending in ("-wal", "-shm"):
            old.with_name(old.name + ending).unlink(missing_ok=True)


def _open(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(file, timeout=_WAIT_SECONDS, isolation_level=None)


def _shares(on_progress: OnProgress) -> Callable[[int, int, int], None]:
    def copied(_: int, remaining: int, total: int) -> None:
        on_progress(1 - remaining / total if total else 1.0)

    return copied


def _sync(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
