"""What a restore gives up, and what it leaves alone."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from service.installation.backups.sites import Site
from tandem.db.session import Database
from tandem.installation.backup.copies import Occupied
from tandem.installation.backup.restoring import restore
from tandem.installation.lock import InstallationLock


def test_what_is_in_use_is_given_up_only_when_asked(here: Site, used: Site, file: Path) -> None:
    before = used.rows()

    with pytest.raises(Occupied, match="--replace"):
        restore(used.settings, file)
    assert used.rows() == before

    restore(used.settings, file, replace=True)
    assert used.rows() == here.rows()
    assert used.store.list("features") == []
    assert not used.store.exists("imports/later")
    assert used.store.exists("imports/of-others")


def test_nothing_is_restored_beside_something_that_runs(
    engine: str, used: Site, file: Path
) -> None:
    database = Database(used.url)
    with database.read() as session:
        session.execute(text("SELECT 1 FROM review"))
        with pytest.raises(Occupied, match="stop"):
            restore(used.settings, file, replace=True)
    database.close()
    if engine == "sqlite":
        with (
            InstallationLock(used.settings.data_dir, url="http://127.0.0.1:1"),
            pytest.raises(Exception, match="already running"),
        ):
            restore(used.settings, file, replace=True)
    restore(used.settings, file, replace=True)


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_database_of_another_program_is_left_alone(there: Site, file: Path) -> None:
    database = Database(there.url)
    with database.write.begin() as session:
        session.execute(text("CREATE TABLE wages (id INTEGER PRIMARY KEY)"))
    for replace in (False, True):
        with pytest.raises(Occupied, match="another program"):
            restore(there.settings, file, replace=replace)
    with database.read() as session:
        assert session.execute(text("SELECT count(*) FROM wages")).scalar() == 0
    database.close()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_database_that_cannot_be_read_any_more_is_replaced(
    here: Site, used: Site, file: Path
) -> None:
    broken = used.settings.data_dir / "tandem.sqlite3"
    broken.write_bytes(b"nothing of a database " * 1000)

    with pytest.raises(Occupied):
        restore(used.settings, file)
    restore(used.settings, file, replace=True)

    assert used.rows() == here.rows()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_the_log_of_the_old_database_is_not_played_into_the_new_one(
    here: Site, used: Site, file: Path
) -> None:
    path = used.settings.data_dir / "tandem.sqlite3"
    copies = path.with_name("wal"), path.with_name("shm")
    with closing(sqlite3.connect(path)) as writing:
        writing.execute("PRAGMA journal_mode=WAL")
        writing.execute("UPDATE review SET title = 'in the log'")
        writing.commit()
        for copy, ending in zip(copies, ("-wal", "-shm"), strict=True):
            shutil.copy(f"{path}{ending}", copy)
        main = path.read_bytes()
    path.write_bytes(main)
    for copy, ending in zip(copies, ("-wal", "-shm"), strict=True):
        copy.rename(f"{path}{ending}")

    restore(used.settings, file, replace=True)

    assert used.rows() == here.rows()
