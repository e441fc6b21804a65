"""One commit for several short writes, on SQLite.

Each commit waits for the disk, and SQLite has one writer: of eight people who decide at once, each
would wait for seven others' commits. So who waits for a turn adds to the transaction of the one
before, and the last one commits for all. None has an answer before that.
"""

import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

MOST_WRITES = 8
LONGEST_SECONDS = 0.1
"""Until the commit is begun, however many others wait: it is of the first one's time."""


class SharedCommit:
    """An open transaction to which one writer after the other adds, and its commit.

    The thread that has the turn to write uses it; all others only `wait`.
    """

    def __init__(self, engine: Engine, *, give_up_at: float | None) -> None:
        """Begin it, with the database's write lock.

        Raises:
            Busy: Another process wrote until `give_up_at`.
        """
        self._connection = _connected(engine, give_up_at)
        self._began, self._n_writes = time.monotonic(), 0
        self._broken_by: BaseException | None = None
        self._committed: Future[None] = Future()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Give a session whose changes are part of the transaction; undo them if the block raises.

        The changes of those before stay: all but the first are inside a savepoint.
        """
        session = Session(
            self._connection,
            join_transaction_mode="create_savepoint" if self._n_writes else "rollback_only",
            expire_on_commit=False,
        )
        own: BaseException | None = None
        try:
            with session, session.begin():
                try:
                    yield session
                except BaseException as error:
                    own = error
                    raise
        except BaseException as error:
            # On some errors, a full disk for example, SQLite ends the whole transaction. Then the
            # savepoint is gone, too, which would hide what was wrong.
            why = own or error
            if not self._driver.in_transaction:
                self._broken_by = why
            raise why from why.__cause__
        self._n_writes += 1

    @property
    def is_to_end(self) -> bool:
        """Whether nobody else may add to it."""
        is_full = self._n_writes >= MOST_WRITES
        is_late = time.monotonic() - self._began > LONGEST_SECONDS
        return is_full or is_late or self._broken_by is not None

    def end(self) -> None:
        """Commit; what goes wrong is raised by `wait`, for all."""
        try:
            if self._broken_by is not None:
                raise self._broken_by
            self._connection.commit()
        except BaseException as error:
            self._abandon()
            self._committed.set_exception(error)
        else:
            self._committed.set_result(None)
        finally:
            self._connection.close()

    def wait(self) -> None:
        """Return when everything is committed; raise why it is not."""
        self._committed.result()

    def _abandon(self) -> None:
        """Give the write lock back, and this connection up if it may still have a part of it."""
        driver = self._driver
        if driver.in_transaction:
            try:
                # Closed alone, it would keep the lock while any result of it is not read.
                driver.rollback()
            finally:
                self._connection.invalidate()

    @property
    def _driver(self) -> sqlite3.Connection:
        driver = self._connection.connection.dbapi_connection
        assert isinstance(driver, sqlite3.Connection)  # noqa: S101  # the engine is SQLite's
        return driver


def _connected(engine: Engine, give_up_at: float | None) -> Connection:
    connection = engine.connect()
    try:
        if give_up_at is not None:
            connection = connection.execution_options(tandem_give_up_at=give_up_at)
        connection.begin()
    except BaseException:
        connection.close()
        raise
    return connection
