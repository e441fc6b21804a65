"""Databases of an earlier release, as `benchmarks/upgrade.py --fixture` has written them."""

import gzip
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.engine import make_url

from engines import PostgresServer
from tandem import migrate
from tandem.db.session import Database
from tandem.installation.backup.checking import check_reviews
from tandem.progress import no_progress

HERE = Path(__file__).parent / "old_release"
CHECKOUT = Path(__file__).parents[3]


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The URL of an old database, and what its release said that it held."""
    expected = json.loads((HERE / f"{request.param}.json").read_text("utf-8"))
    script = gzip.decompress((HERE / f"{request.param}.sql.gz").read_bytes()).decode()
    if request.param == "sqlite":
        file = tmp_path / "old.sqlite3"
        with closing(sqlite3.connect(file)) as connection:
            connection.executescript(script)
        yield f"sqlite:///{file}", expected
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = f"old_{uuid4().hex}"
    url = server.create(name)
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as loading:
        loading.execute(script.encode())
    yield url, expected
    server.drop(name)


def test_an_old_database_is_whole_after_the_upgrade(old: tuple[str, dict[str, Any]]) -> None:
    url, expected = old
    assert migrate.current_and_head(url)[0] == expected["schema"]
    events = expected["counts"].pop("event")
    before = asked(url, "SELECT seq, id, type, hash FROM event ORDER BY seq")
    assert len(before) == events > 100

    migrate.upgrade(url)

    # An upgrade may tell of itself at the end of the log; what was there stays as it was.
    assert asked(url, "SELECT seq, id, type, hash FROM event ORDER BY seq")[:events] == before
    counts = {
        name: asked(url, f'SELECT count(*) FROM "{name}"')[0][0] for name in expected["counts"]
    }
    assert counts == expected["counts"]
    decisions = asked(url, "SELECT record_number, verdict FROM decision")
    said = sorted([number, verdict or "withdrawn"] for number, verdict in decisions)
    assert said == expected["decisions"]
    statuses = asked(url, "SELECT record_number, status FROM screened_record")
    assert sorted(map(list, statuses)) == expected["statuses"]
    assert differences(url) == [None]


def asked(url: str, query: str) -> list[tuple[Any, ...]]:
    with closing(Database(url)) as database, database.read() as session:
        return [tuple(row) for row in session.execute(text(query))]


def differences(url: str) -> list[str | None]:
    """Return for each review where its trail does not hold."""
    with closing(Database(url)) as database:
        return [review.difference for review in check_reviews(database, no_progress)]


def test_it_can_go_back_and_come_again(old: tuple[str, dict[str, Any]]) -> None:
    url, expected = old
    config = Config(toml_file=CHECKOUT / "pyproject.toml")
    config.attributes["database_url"] = url
    migrate.upgrade(url)

    command.downgrade(config, expected["schema"])
    assert migrate.current_and_head(url)[0] == expected["schema"]
    migrate.upgrade(url)

    assert differences(url) == [None]
