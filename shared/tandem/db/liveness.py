"""Whether a pooled connection to PostgreSQL still lives, without a round trip for each use.

A server that ends closes its connections, and a closed one has something to read: its end. So a
look at the socket is enough for what was used a moment ago. A network that drops a connection
closes nothing, but takes minutes: what was idle for longer is asked.
"""

import select
import time
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

_ASKED_AFTER_SECONDS = 30.0
_USED_AT = "tandem_used_at"


def refuse_dead_connections(engine: Engine) -> None:
    """Have the pool of `engine` replace connections that are dead, before anybody gets one."""
    # Here: with SQLite nothing of the driver is loaded.
    from psycopg import Error

    def note_use(_: object, entry: ConnectionPoolEntry) -> None:
        entry.info[_USED_AT] = time.monotonic()

    def look(
        connection: DBAPIConnection, entry: ConnectionPoolEntry, _: PoolProxiedConnection
    ) -> None:
        idle = time.monotonic() - entry.info.get(_USED_AT, -_ASKED_AFTER_SECONDS)
        if idle < _ASKED_AFTER_SECONDS and not _has_something_to_read(connection):
            return
        try:
            engine.dialect.do_ping(connection)
        except Error as error:
            raise InvalidatePoolError from error

    event.listen(engine, "connect", note_use)
    event.listen(engine, "checkin", note_use)
    event.listen(engine, "checkout", look)


def _has_something_to_read(connection: Any) -> bool:
    """Whether the server has sent psycopg's connection something unasked, if only its end."""
    if connection.closed:
        return True
    socket = select.poll()
    socket.register(connection.fileno(), select.POLLIN)
    return bool(socket.poll(0))
