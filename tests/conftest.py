"""Databases, brokers and applications for tests: real ones, made fresh for each test."""

import gc
import logging
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import pytest
import structlog
from fastapi.testclient import TestClient
from hypothesis import settings as hypothesis_settings
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import Pool, event

import effort
import whole_answers
from engines import Broker, PostgresServer, start_broker, start_postgres
from prepared import Made, Prepared
from statements import SharedStatements
from tandem import migrate
from tandem.accounts import passwords
from tandem.config import Settings
from tandem.db.session import Database
from tandem.models import Base
from world import World

gc.disable()  # until all tests are collected: hardly anything that this makes is garbage

effort.register()
hypothesis_settings.load_profile(effort.QUICK)

# Under nohup and in a shell's background these are ignored, and so in all that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Images of containers forbid it: then each process that a test starts compiles all of Tandem again,
# and each process of pytest all of the tests.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Tests of rankings would wait for vectors; those that are about vectors turn them on.
os.environ["TANDEM_SENTENCE_VECTORS"] = "0"

_TABLES = [table.name for table in reversed(Base.metadata.sorted_tables)]


def pytest_collection_finish() -> None:
    """Look for cycles less often, and never among what all tests share: it took an eighth."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    gc.enable()


def pytest_sessionfinish() -> None:
    """Find what the last tests left open once: pytest looks ten times through all that is there."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if effort.is_soak():
        return
    for item in items:
        if item.get_closest_marker("soak"):
            item.add_marker(pytest.mark.skip(reason="takes long: `make soak` runs it"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_url" in metafunc.fixturenames:
        both = metafunc.definition.get_closest_marker("both_engines")
        engines = ["sqlite", "postgresql"] if both else ["sqlite"]
        metafunc.parametrize("database_url", engines, indirect=True)


@event.listens_for(Pool, "checkout")
def _forget_power_cuts(connection: Any, *_: object) -> None:
    """Write no more through to the disk, as on PostgreSQL: it takes most of a commit."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")


@pytest.fixture(scope="session", autouse=True)
def _cheap_hashes() -> Iterator[None]:
    """Hash passwords with the least work that Argon2 allows: thousands are made and checked.

    Processes that tests start hash as the product does.
    """
    cheap = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_passwords", cheap)
        yield


@pytest.fixture(scope="session", autouse=True)
def _whole_answers() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        whole_answers.install(patch)
        yield


@pytest.fixture(scope="session", autouse=True)
def _quiet_log() -> None:
    """Drop what is logged of every request: to print it takes as long as a small request."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))


@pytest.fixture(scope="session", autouse=True)
def _statements() -> Iterator[SharedStatements]:
    shared = SharedStatements()
    with pytest.MonkeyPatch.context() as patch:
        shared.install(patch)
        yield shared


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for the whole run."""
    # Not in pytest's folder: started by root, the server is another user, whom each pytest that
    # starts beside this one would lock out of that folder.
    with (
        TemporaryDirectory(prefix="tandem-postgres-") as folder,
        start_postgres(Path(folder)) as server,
    ):
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> Iterator[str]:
    """The name of a migrated database to copy, which nobody connects to."""
    name = f"template_{uuid4().hex}"
    migrate.upgrade(postgres.create(name))
    yield name
    postgres.drop(name)


@pytest.fixture(scope="session")
def migrated_postgres(
    postgres: PostgresServer, postgres_template: str, _statements: SharedStatements
) -> Iterator[Database]:
    """One database, which every test leaves empty: to copy it for each takes a quarter of a second.

    Its connections are kept, too: a new one costs the server as much as many statements.
    """
    name = f"test_{uuid4().hex}"
    url = postgres.create(name, postgres_template)
    database = Database(url)
    _statements.share(database.engine)
    yield database
    database.close()
    postgres.drop(name)


@pytest.fixture(scope="session")
def migrated_sqlite(
    tmp_path_factory: pytest.TempPathFactory, _statements: SharedStatements
) -> Path:
    file = tmp_path_factory.mktemp("sqlite") / "template.sqlite3"
    migrate.upgrade(f"sqlite:///{file}")
    database = Database(f"sqlite:///{file}")
    _statements.share(database.engine)
    database.close()
    return file


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One real Valkey for the whole run."""
    with start_broker(tmp_path_factory.mktemp("valkey")) as running:
        yield running


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated, empty database; on PostgreSQL too where the test is marked `both_engines`."""
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("migrated_sqlite")
        file = tmp_path / "tandem.sqlite3"
        shutil.copy(template, file)
        yield f"sqlite:///{file}"
        return
    shared: Database = request.getfixturevalue("migrated_postgres")
    yield shared.engine.url.render_as_string(hide_password=False)
    with shared.engine.begin() as emptying:
        emptying.exec_driver_sql("; ".join(f'DELETE FROM "{table}"' for table in _TABLES))


@pytest.fixture
def database(request: pytest.FixtureRequest, database_url: str) -> Iterator[Database]:
    if database_url.startswith("postgresql"):
        yield request.getfixturevalue("migrated_postgres")
        return
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def world(database: Database) -> World:
    """Factories that build users, reviews and records in one line."""
    return World(database)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """An installation whose broker is away: nothing may depend on it."""
    return Settings(
        data_dir=tmp_path / "data",
        database_url=database_url,
        redis_url=f"unix://{tmp_path}/nobody-listens.sock",
        artifact_url=str(tmp_path / "artifacts"),
        page_folder=tmp_path / "no-page",  # whether it was built here is no part of a test
    )


@pytest.fixture(scope="session")
def _made() -> Made:
    return {}


@pytest.fixture
def prepared(
    settings: Settings,
    database: Database,
    _made: Made,
    tmp_path_factory: pytest.TempPathFactory,
) -> Prepared:
    """Makes what many tests begin with: `prepared(build, world)` copies what `build` made once."""
    return Prepared(settings, _made, lambda: tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    """The API on that installation, signed in by nobody."""
    from application import application  # here: the domain's tests need none of it

    with TestClient(application(settings), raise_server_exceptions=False) as opened:
        yield opened
