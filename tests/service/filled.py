"""A database that is filled once, and copied for each test that needs it."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tandem.db.session import Database
from world import World

T = TypeVar("T")


def filled(migrated_sqlite: Path, folder: Path, fill: Callable[[World], T]) -> tuple[Path, T]:
    """Return the file of an SQLite database that `fill` has filled, and what it returned."""
    file = folder / "filled.sqlite3"
    shutil.copy(migrated_sqlite, file)
    database = Database(f"sqlite:///{file}")
    made = fill(World(database))
    database.close()  # writes all of it into the one file
    return file, made
