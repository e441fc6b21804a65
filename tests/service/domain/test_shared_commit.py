"""Short writes that wait for each other on SQLite share a commit, and keep all promises."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.accounts.models import User
from tandem.db import shared_commit
from tandem.db.session import Database
from tandem.db.shared_commit import MOST_WRITES
from tandem.errors import Forbidden

PATIENCE = 240.0


@pytest.fixture
def opened(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The test's database as an API process opens it, on a machine that never stalls."""
    monkeypatch.setattr(shared_commit, "LONGEST_SECONDS", PATIENCE)
    url = database.engine.url.render_as_string(hide_password=False)
    made = Database(url, patience=PATIENCE)
    yield made
    made.close()


@contextmanager
def at_work(opened: Database) -> Iterator[tuple[ThreadPoolExecutor, Event, Future[None]]]:
    """Give threads while somebody writes, what lets that writer end, and how they ended."""
    may_end, is_writing = Event(), Event()

    def write() -> None:
        with opened.write.together() as session:
            add(session, "first")
            is_writing.set()
            assert may_end.wait(PATIENCE)

    with ThreadPoolExecutor(2 * MOST_WRITES) as threads:
        first = threads.submit(write)
        try:
            assert is_writing.wait(PATIENCE)
            yield threads, may_end, first
        finally:
            may_end.set()


def add(session: Session, name: str) -> None:
    accounts.add_user(
        session, email=f"{name}@example.org", name=name, password=None, is_admin=False
    )
    session.flush()


def adding(opened: Database, name: str) -> Callable[[], None]:
    def write() -> None:
        with opened.write.together() as session:
            add(session, name)

    return write


def names(database: Database) -> set[str]:
    with database.read() as session:
        return set(session.scalars(select(User.name)))


def wait_for_waiting(opened: Database, n: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while len(opened.write._turns._waiting) < n:
        assert time.monotonic() < deadline
        time.sleep(0.005)


@contextmanager
def commits(opened: Database) -> Iterator[list[object]]:
    found: list[object] = []

    def note(connection: object) -> None:
        found.append(connection)

    event.listen(opened.write.engine, "commit", note)
    yield found
    event.remove(opened.write.engine, "commit", note)


def test_those_who_wait_share_a_commit(opened: Database, database: Database) -> None:
    others = [f"other{i}" for i in range(MOST_WRITES - 1)]
    with commits(opened) as made, at_work(opened) as (threads, may_end, _):
        waiting = [threads.submit(adding(opened, name)) for name in others]
        wait_for_waiting(opened, len(others))
        may_end.set()
        for each in waiting:
            each.result(PATIENCE)
    assert {"first", *others} <= names(database)
    assert len(made) == 1


def test_one_that_fails_undoes_its_own_changes_only(opened: Database, database: Database) -> None:
    def fail() -> None:
        with opened.write.together() as session:
            add(session, "refused")
            raise Forbidden("no")

    with at_work(opened) as (threads, may_end, _):
        waiting = [threads.submit(adding(opened, "before")), threads.submit(fail)]
        wait_for_waiting(opened, 2)
        waiting.append(threads.submit(adding(opened, "after")))
        wait_for_waiting(opened, 3)
        may_end.set()
        assert isinstance(waiting[1].exception(PATIENCE), Forbidden)
        for each in (waiting[0], waiting[2]):
            each.result(PATIENCE)
    found = names(database)
    assert {"first", "before", "after"} <= found
    assert "refused" not in found


def test_a_first_one_that_fails_leaves_nothing_and_holds_nobody(
    opened: Database, database: Database
) -> None:
    def fail() -> None:
        with opened.write.together() as session:
            add(session, "refused")
            raise Forbidden("no")

    with pytest.raises(Forbidden):
        fail()
    adding(opened, "next")()
    assert "refused" not in names(database)
    assert "next" in names(database)


def test_nobody_goes_on_before_the_commit(opened: Database, database: Database) -> None:
    may_end, is_writing = Event(), Event()

    def last() -> None:
        with opened.write.together() as session:
            add(session, "last")
            is_writing.set()
            assert may_end.wait(PATIENCE)

    with at_work(opened) as (threads, first_may_end, _):
        early = threads.submit(adding(opened, "early"))
        wait_for_waiting(opened, 1)
        late = threads.submit(last)
        wait_for_waiting(opened, 2)
        first_may_end.set()
        assert is_writing.wait(PATIENCE)
        try:
            was_done, were_there = early.done(), names(database)
        finally:
            may_end.set()
        early.result(PATIENCE)
        late.result(PATIENCE)
    assert not was_done
    assert "early" not in were_there
    assert {"first", "early", "last"} <= names(database)


def test_if_the_commit_fails_all_of_them_fail(opened: Database, database: Database) -> None:
    def fail(_: object) -> None:
        raise OperationalError("COMMIT", {}, sqlite3.OperationalError("disk I/O error"))

    with at_work(opened) as (threads, may_end, first):
        others = [threads.submit(adding(opened, name)) for name in ("one", "two")]
        wait_for_waiting(opened, 2)
        event.listen(opened.write.engine, "commit", fail)
        may_end.set()
        for each in (first, *others):
            assert isinstance(each.exception(PATIENCE), OperationalError)
    event.remove(opened.write.engine, "commit", fail)
    assert not {"first", "one", "two"} & names(database)
    adding(opened, "next")()
    assert "next" in names(database)


def test_a_long_write_does_not_keep_short_ones_from_their_answer(
    opened: Database, database: Database
) -> None:
    may_end, is_writing = Event(), Event()

    def long() -> None:
        with opened.write.begin() as session:
            add(session, "long")
            is_writing.set()
            assert may_end.wait(PATIENCE)

    with at_work(opened) as (threads, first_may_end, _):
        short = threads.submit(adding(opened, "short"))
        wait_for_waiting(opened, 1)
        waiting = threads.submit(long)
        wait_for_waiting(opened, 2)
        first_may_end.set()
        try:
            assert is_writing.wait(PATIENCE)
            short.result(PATIENCE)
            assert {"first", "short"} <= names(database)
        finally:
            may_end.set()
        waiting.result(PATIENCE)


def test_what_is_refused_costs_no_connection(opened: Database) -> None:
    made: list[object] = []
    event.listen(opened.engine, "connect", lambda *of: made.append(of))

    def refused() -> None:
        with opened.write.together() as session:
            add(session, "refused")
            raise Forbidden("no")

    for _ in range(5):
        with pytest.raises(Forbidden):
            refused()
    adding(opened, "taken")()
    assert len(made) <= 1


class DiskIsFull(Exception):
    pass


def test_where_sqlite_ends_the_whole_transaction_all_learn_why(
    opened: Database, database: Database
) -> None:
    def fail() -> None:
        with opened.write.together() as session:
            add(session, "second")
            driver = session.connection().connection.dbapi_connection
            assert isinstance(driver, sqlite3.Connection)
            driver.execute("ROLLBACK")  # as SQLite does by itself on some errors
            raise DiskIsFull

    with at_work(opened) as (threads, may_end, first):
        second = threads.submit(fail)
        wait_for_waiting(opened, 1)
        may_end.set()
        assert isinstance(second.exception(PATIENCE), DiskIsFull)
        assert isinstance(first.exception(PATIENCE), DiskIsFull)
    assert not {"first", "second"} & names(database)
    adding(opened, "later")()
    assert "later" in names(database)
