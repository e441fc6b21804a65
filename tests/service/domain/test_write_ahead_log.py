"""What SQLite writes ahead does not stay on the disk for good."""

from pathlib import Path

import pytest
from sqlalchemy import text

from tandem.db import session
from tandem.db.session import Database


def test_its_log_becomes_small_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_LARGEST_LOG", 1 << 20)
    database = Database(f"sqlite:///{tmp_path}/of.sqlite3")
    log = tmp_path / "of.sqlite3-wal"
    with database.write.begin() as one:
        one.execute(text("CREATE TABLE large (content)"))
        for _ in range(8):
            one.execute(text("INSERT INTO large VALUES (zeroblob(1000000))"))
    assert log.stat().st_size > 8_000_000

    with database.write.begin() as one:
        one.execute(text("INSERT INTO large VALUES (1)"))
    assert log.stat().st_size <= 1 << 20
    database.close()
