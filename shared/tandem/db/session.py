"""Connections and transactions, the same way on SQLite and PostgreSQL."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from math import inf
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from tandem.db.liveness import refuse_dead_connections
from tandem.db.reading import ReadingSession, guard
from tandem.db.shared_commit import SharedCommit
from tandem.db.turns import MOST_WRITING, Busy, Turns

_BUSY_TIMEOUT_SECONDS = 30
"""How long SQLite waits for another writer; a long import commits every few hundred rows."""

_POLL_SECONDS = 0.002
"""How often the writer whose turn it is looks whether another process has let go. SQLite's own
waiting sleeps up to 100 ms between two looks, and misses every gap that a long import leaves."""

_GIVE_WAY_SECONDS = 7 * _POLL_SECONDS
"""On a busy machine a look comes late, so that the gap is as long as several."""

_WAL_RETRY_SECONDS = 0.02

_LARGEST_LOG = 64 << 20
"""Bytes of SQLite's write-ahead log that stay on the disk: a long read lets it grow to any size."""

APPLICATION_NAME = "tandem"
"""As PostgreSQL lists our connections: a restore looks whether there are any."""

_LOCK_TIMEOUT_SECONDS = 15.0
"""How long PostgreSQL waits for the review's row; then the caller's error says to try again."""

_POOL_TIMEOUT = 30.0

_LOCK_SHARE, _POOL_SHARE = 0.5, 0.2
"""Of its patience may a transaction on PostgreSQL wait for one row, and for a connection. A request
waits for a connection twice at most, and Turns have the rest."""


class Database:
    """Ways to open a transaction on one database.

    `read()` gives a session all of whose reads see the state at its first one, so that numbers of
    one answer agree; to change an object in it is an error. `glance()` is for looks that are made
    all the time: there each query is alone, has no server-side cursor, and leaves prepared
    statements in place. `alone.connect()` is the same without a session, for one query
    that gives no objects.
    `write.begin()` gives one that is committed when its block ends, and so does `write.together()`.
    On SQLite a writing transaction takes the write lock at its start (BEGIN IMMEDIATE): taken
    later, at the first write, it could fail on a stale snapshot.
    """

    def __init__(self, url: str, *, patience: float | None = None) -> None:
        """Open the database.

        Args:
            url: With its driver named.
            patience: So many seconds in all may a transaction wait for others' locks; then it
                fails with `Busy`, or PostgreSQL's own error of the same meaning. None, for work
                that nobody waits for: half a minute for each lock, and any time for its turn.
        """
        self.engine = _engine(url, patience)
        # The server refuses what `guard` does not see: a session that reads ends with a commit.
        # By itself each statement on PostgreSQL would see what others have committed by then.
        postgresql = {"postgresql_readonly": True, "isolation_level": "REPEATABLE READ"}
        reads: dict[str, Any] = {} if self.is_sqlite else postgresql
        self.read: sessionmaker[Session] = sessionmaker(
            self.engine.execution_options(**reads), class_=ReadingSession, expire_on_commit=False
        )
        # BEGIN and COMMIT are two statements more, on PostgreSQL two round trips.
        alone: Any = {"tandem_alone": True} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        self.alone = self.engine.execution_options(**alone)
        self.glance: sessionmaker[Session] = sessionmaker(self.alone, expire_on_commit=False)
        for reading in (self.read, self.glance):
            guard(reading)
        self.write = _Writers(self.engine, one_at_a_time=self.is_sqlite, patience=patience)

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    def close(self) -> None:
        """Close all connections; one that a thread still works with, when it gives it back."""
        event.listen(self.engine.pool, "checkin", lambda _, record: record.invalidate())
        self.engine.dispose()


def sees_only_committed(session: Session) -> bool:
    """Say whether nothing that a session reads can be rolled back: it is none that writes."""
    return not _writes(session.connection())


def _writes(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get("tandem_write", False))


class _Writers:
    """Opens writing transactions: on SQLite one at a time in this process, in order of arrival."""

    def __init__(self, engine: Engine, *, one_at_a_time: bool, patience: float | None) -> None:
        self.engine = engine.execution_options(tandem_write=True)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        self._one_at_a_time = one_at_a_time
        # PostgreSQL orders its writers by itself; only requests must not take all threads for it.
        self._turns = Turns(1 if one_at_a_time else MOST_WRITING, patience)
        self._has_turns = one_at_a_time or patience is not None
        self._ended = -inf
        self._shared: SharedCommit | None = None

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """Commit when the block ends, roll back what it raised.

        Raises:
            Busy: The database has patience, and others wrote for longer than that.
        """
        try:
            turn = self._turns.taken() if self._has_turns else nullcontext()
            with turn as give_up_at, self._alone() as session:
                if give_up_at is not None and self._one_at_a_time:
                    session.connection(execution_options={"tandem_give_up_at": give_up_at})
                yield session
        finally:
            self._ended = time.monotonic()

    def _alone(self) -> AbstractContextManager[Session]:
        self._end_shared()
        return self._sessions.begin()

    @contextmanager
    def together(self) -> Iterator[Session]:
        """Do what `begin` does, for work of milliseconds: it may share its commit with others'.

        Raises:
            Busy: As `begin` does.
        """
        if not self._one_at_a_time:
            with self.begin() as session:
                yield session
            return
        give_up_at = self._turns.take()
        try:
            if self._shared is None:
                self._shared = SharedCommit(self.engine, give_up_at=give_up_at)
            shared = self._shared
            with shared.write() as session:
                yield session
        finally:
            self._ended = time.monotonic()
            is_to_end = self._shared is None or self._shared.is_to_end
            if is_to_end or not self._turns.pass_on():
                self._end_shared()
                self._turns.hand_on()
        shared.wait()

    def _end_shared(self) -> None:
        """Commit the writes that share a transaction: this thread has the turn, and adds none."""
        shared, self._shared = self._shared, None
        if shared is not None:
            shared.end()

    def give_way(self) -> None:
        """Let other processes write, between two of many transactions.

        What has passed since the one before counts: a writer that has had other work meanwhile
        has given way already. On SQLite the process that has just written is the first
        again; PostgreSQL keeps a queue itself.
        """
        if self._one_at_a_time:
            time.sleep(max(0.0, self._ended + _GIVE_WAY_SECONDS - time.monotonic()))


def _engine(url: str, patience: float | None) -> Engine:
    dump: Callable[[Any], str] = json.JSONEncoder(ensure_ascii=False).encode
    if make_url(url).get_backend_name() != "sqlite":
        from tandem.db.cursors import BriefCursor  # loads the driver

        engine = create_engine(
            url,
            json_serializer=dump,
            # More threads than connections would wait for each other; the API runs 40 threads.
            pool_size=20,
            pool_use_lifo=True,  # what was used last has its pages and statements at hand
            max_overflow=25,
            pool_timeout=_POOL_TIMEOUT if patience is None else _POOL_SHARE * patience,
            connect_args={
                "options": f"-c lock_timeout={_lock_timeout(patience)} -c timezone=utc",
                "connect_timeout": 5,
                "application_name": APPLICATION_NAME,
                "cursor_factory": BriefCursor,
            },
        )
        refuse_dead_connections(engine)
        return engine
    if (file := make_url(url).database) and file != ":memory:":
        Path(file).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        json_serializer=dump,
        poolclass=QueuePool,
        pool_size=20,
        pool_use_lifo=True,  # as above
        max_overflow=25,
        pool_timeout=_POOL_TIMEOUT if patience is None else _POOL_SHARE * patience,
        connect_args={"timeout": patience or _BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _lock_timeout(patience: float | None) -> str:
    seconds = _LOCK_TIMEOUT_SECONDS if patience is None else _LOCK_SHARE * patience
    return f"{int(seconds * 1000)}ms"


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    # The driver must not begin transactions by itself: _begin_sqlite does, in the right mode.
    connection.isolation_level = None
    # SQLite's own lower() knows ASCII only; searching must find "ÜBER" by "über".
    connection.create_function("lower", 1, _lower, deterministic=True)
    cursor = connection.cursor()
    _use_wal(cursor)
    # FULL: a decision that was answered survives a power cut; NORMAL may lose the last ones.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA journal_size_limit={_LARGEST_LOG}")
    cursor.close()


def _use_wal(cursor: DBAPICursor) -> None:
    """Switch a new database to write-ahead logging; it stays so.

    Of two processes that do this to one new file at once, SQLite refuses one at once, without
    the busy timeout that holds for everything else.
    """
    give_up_at = time.monotonic() + _BUSY_TIMEOUT_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > give_up_at:
                raise
            time.sleep(_WAL_RETRY_SECONDS)
        else:
            return


def _lower(text: object) -> object:
    return text.lower() if isinstance(text, str) else text


def _begin_sqlite(connection: Connection) -> None:
    if connection.get_execution_options().get("tandem_alone", False):
        return  # SQLite itself lets each statement see one state
    if not _writes(connection):
        connection.exec_driver_sql("BEGIN")
        return
    driver = connection.connection.dbapi_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101  # the engine is SQLite's
    own = connection.get_execution_options().get("tandem_give_up_at")
    give_up_at = own or time.monotonic() + _BUSY_TIMEOUT_SECONDS
    (usual,) = driver.execute("PRAGMA busy_timeout").fetchone()
    driver.execute("PRAGMA busy_timeout=0")
    try:
        while not _is_begun(connection, driver):
            if time.monotonic() > give_up_at:
                if own is not None:
                    raise Busy
                connection.exec_driver_sql("BEGIN IMMEDIATE")  # raises what it is
                return
            time.sleep(_POLL_SECONDS)
    finally:
        driver.execute(f"PRAGMA busy_timeout={usual}")


def _is_begun(connection: Connection, driver: sqlite3.Connection) -> bool:
    """Take the write lock if it is free."""
    try:
        driver.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            return False
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # raises it as SQLAlchemy's own
    return True
