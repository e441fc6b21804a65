"""What many tests begin with is made once in a process, and copied for each of them."""

import copy
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from tandem.config import Settings

T = TypeVar("T")

Made = dict[Callable[..., Any], tuple[Path, Any]]
"""By what made it: a folder with what it left, and what it returned."""


class Prepared:
    """Prepares the database and the stored files of one test."""

    def __init__(self, settings: Settings, made: Made, new_folder: Callable[[], Path]) -> None:
        self._settings, self._made, self._new_folder = settings, made, new_folder

    def __call__(self, make: Callable[..., T], *args: object) -> T:
        """Return what `make(*args)` returns, and leave behind what it leaves.

        It is called for the first test alone, so all get the same ids and times. It must begin with
        an empty installation, depend on nothing that differs between tests, and return plain
        values. On PostgreSQL it is called for each test.
        """
        url = self._settings.resolved_database_url()
        if not url.startswith("sqlite:///"):
            return make(*args)
        stored = Path(self._settings.resolved_artifact_url())
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
            if make not in self._made:
                returned, folder = make(*args), self._new_folder()
                with closing(sqlite3.connect(folder / "kept.sqlite3")) as kept:
                    database.backup(kept)
                if stored.exists():
                    shutil.copytree(stored, folder / "stored")
                self._made[make] = folder, copy.deepcopy(returned)
                return returned
            folder, returned = self._made[make]
            with closing(sqlite3.connect(folder / "kept.sqlite3")) as kept:
                kept.backup(database)
            if (folder / "stored").exists():
                shutil.copytree(folder / "stored", stored, dirs_exist_ok=True)
            return copy.deepcopy(returned)
