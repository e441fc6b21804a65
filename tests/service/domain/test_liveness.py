"""A pool gives out no dead connection, and asks the server only where it cannot see that."""

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine.interfaces import DBAPIConnection

from engines import PostgresServer
from tandem.db import liveness
from tandem.db.session import Database


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[Database]:
    opened = Database(postgres.url.render_as_string(hide_password=False))
    yield opened
    opened.close()


def _backend(database: Database) -> int:
    with database.glance() as session:
        found: int = session.scalars(text("SELECT pg_backend_pid()")).one()
        return found


def _end(postgres: PostgresServer, backend: int) -> None:
    """End a connection from the server's side, as its restart does."""
    engine = create_engine(postgres.url)
    with engine.connect() as connection:
        found = connection.scalar(
            text("SELECT pg_terminate_backend(:pid, 60000)"), {"pid": backend}
        )
    engine.dispose()
    assert found


def test_a_connection_that_the_server_has_ended_is_replaced(
    postgres: PostgresServer, database: Database
) -> None:
    before = _backend(database)
    _end(postgres, before)

    assert _backend(database) != before


def test_only_a_connection_that_was_idle_for_long_is_asked(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, asked, dialect = _backend(database), list[object](), database.engine.dialect
    ping = dialect.do_ping

    def note(connection: DBAPIConnection) -> bool:
        asked.append(connection)
        return ping(connection)

    monkeypatch.setattr(dialect, "do_ping", note)
    assert _backend(database) == before
    assert not asked

    monkeypatch.setattr(liveness, "_ASKED_AFTER_SECONDS", 0.0)
    assert _backend(database) == before
    assert len(asked) == 1


def test_what_is_glanced_at_opens_no_transaction(database: Database) -> None:
    with database.glance() as session:
        session.execute(text("SELECT 1"))
        driver = session.connection().connection.driver_connection
        assert driver is not None
        assert driver.info.transaction_status.name == "IDLE"
    with database.read() as session:  # the same connection, with transactions again
        session.execute(text("SELECT 1"))
        driver = session.connection().connection.driver_connection
        assert driver is not None
        assert driver.info.transaction_status.name == "INTRANS"


def test_what_is_looked_up_again_and_again_stays_prepared(database: Database) -> None:
    for _ in range(10):
        _backend(database)

    with database.glance() as session:
        prepared = session.scalars(text("SELECT statement FROM pg_prepared_statements")).all()
    assert any("pg_backend_pid" in statement for statement in prepared)
