"""Databases, brokers and applications for tests: real ones, made fresh for each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from engines import Broker, PostgresServer, start_broker, start_postgres
from tandem import migrate
from tandem.config import Settings
from tandem.db.session import Database
from tandem_api.app import create_app
from world import World


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_url" in metafunc.fixturenames:
        both = metafunc.definition.get_closest_marker("both_engines")
        engines = ["sqlite", "postgresql"] if both else ["sqlite"]
        metafunc.parametrize("database_url", engines, indirect=True)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """One server for the whole run; each test gets a database of its own."""
    with start_postgres(tmp_path_factory.mktemp("postgres")) as server:
        migrate.upgrade(server.create("template_tandem"))
        yield server


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sqlite") / "template.sqlite3"
    migrate.upgrade(f"sqlite:///{file}")
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
    server: PostgresServer = request.getfixturevalue("postgres")
    name = f"test_{uuid4().hex}"
    yield server.create(name, template="template_tandem")
    server.drop(name)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
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
    )


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    """The API on that installation, signed in by nobody."""
    with TestClient(create_app(settings), raise_server_exceptions=False) as opened:
        yield opened
