"""Runs migrations on the given database, or on the configured one."""

from alembic import context
from sqlalchemy import Connection, text

import tandem.models  # noqa: F401  # registers every table
from tandem.config import settings
from tandem.db.base import Base
from tandem.db.session import Database
from tandem.records import search_index

ADVISORY_LOCK = 7_462_110
"""Two processes that migrate one PostgreSQL database at once take turns by this number."""


def run() -> None:
    connection: Connection | None = context.config.attributes.get("connection")
    if connection is not None:
        run_on(connection)
        return
    url = context.config.attributes.get("database_url") or settings().resolved_database_url()
    database = Database(url)
    try:
        # On SQLite the write lock is taken by the first BEGIN, which makes them take turns too.
        with database.write.engine.connect() as connection, connection.begin():
            run_on(connection)
    finally:
        database.close()


def run_on(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL lock_timeout = '30s'"))
        connection.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        include_name=lambda name, *_: not search_index.is_part(name),
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()
        if context.get_context().get_current_revision() == context.get_head_revision():
            search_index.ensure(connection)


run()
