"""How long writing transactions keep SQLite's other writers waiting."""

import time

from sqlalchemy import Connection, event
from sqlalchemy.pool import PoolProxiedConnection

from tandem.db.session import Database


def watch(database: Database) -> list[float]:
    """Return a list that gets the seconds of every writing transaction from now on.

    From holding the lock to the end of the commit. For one thread only.
    """
    seconds: list[float] = []
    began: list[float] = []
    really = database.engine.dialect.do_commit

    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("tandem_write", False):
            began.append(time.perf_counter())

    def commit(dbapi_connection: PoolProxiedConnection) -> None:
        really(dbapi_connection)
        if began:
            seconds.append(time.perf_counter() - began.pop())

    event.listen(database.engine, "begin", begin)  # behind the one that takes the lock
    database.engine.dialect.do_commit = commit  # type: ignore[method-assign]
    return seconds
