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
from sqlalchemy import func, select, table, text
from sqlalchemy.engine import make_url

from engines import PostgresServer
from tandem import migrate
from tandem.bars import nobody
from tandem.db.session import Database
from tandem.installation.backup.checking import check_reviews

HERE = Path(__file__).parent / "old_release"
CHECKOUT = Path(__file__).parents[3]


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The URL of an old database, and what its release said that it held."""
    told = json.loads((HERE / f"{request.param}.json").read_text("utf-8"))
    script = gzip.decompress((HERE / f"{request.param}.sql.gz").read_bytes()).decode()
    if request.param == "sqlite":
        file = tmp_path / "old.sqlite3"
        with closing(sqlite3.connect(file)) as connection:
            connection.executescript(script)
        yield f"sqlite:///{file}", told
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = f"old_{uuid4().hex}"
    url = server.create(name)
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as loading:
        loading.execute(script.encode())
    yield url, told
    server.drop(name)


def test_an_old_database_is_whole_after_the_upgrade(old: tuple[str, dict[str, Any]]) -> None:
    url, told = old
    assert migrate.current_and_head(url)[0] == told["schema"]

    migrate.upgrade(url)

    database = Database(url)
    with database.read() as session:
        counts = {
            name: session.scalar(select(func.count()).select_from(table(name)))
            for name in told["counts"]
        }
        decisions = session.execute(text("SELECT record_number, verdict FROM decision")).all()
        statuses = session.execute(text("SELECT record_number, status FROM screened_record")).all()
    assert counts == told["counts"]
    said = sorted([number, verdict or "withdrawn"] for number, verdict in decisions)
    assert said == told["decisions"]
    assert sorted(map(list, statuses)) == told["statuses"]
    (review,) = check_reviews(database, nobody)
    assert review.difference is None
    assert review.n_entries > 100
    database.close()


def test_it_can_go_back_and_come_again(old: tuple[str, dict[str, Any]]) -> None:
    url, told = old
    config = Config(toml_file=CHECKOUT / "pyproject.toml")
    config.attributes["database_url"] = url
    migrate.upgrade(url)

    command.downgrade(config, told["schema"])
    assert migrate.current_and_head(url)[0] == told["schema"]
    migrate.upgrade(url)

    database = Database(url)
    (review,) = check_reviews(database, nobody)
    assert review.difference is None
    database.close()
