"""Sessions that only read."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, PendingRollbackError
from sqlalchemy.orm import ORMExecuteState, Session, sessionmaker


class Readable(Protocol):
    """What opens sessions that read: a database, or `OneMoment` of it."""

    def read(self) -> AbstractContextManager[Session]: ...


class OneMoment:
    """A database as a reading session sees it, for what opens a session for each of its pages.

    What is read so lasts as long as the session, and must be gone through before that ends.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @contextmanager
    def read(self) -> Iterator[Session]:
        yield self._session


def guard(reading: sessionmaker[Session]) -> None:
    """Have sessions refuse what would change something."""
    event.listen(reading, "before_flush", _refuse_to_write)
    event.listen(reading, "do_orm_execute", _refuse_to_execute)


class ReadingSession(Session):
    """Ends with a commit: at a rollback psycopg drops all statements that it has prepared.

    So each of them, of writing sessions too, would be parsed and planned every time.
    """

    def close(self) -> None:
        try:
            if self.in_transaction() and self.is_active and not _changed(self):
                self.commit()
        except (DBAPIError, PendingRollbackError):
            self.rollback()  # the connection is gone, and nothing was to be stored
        finally:
            super().close()


def _changed(session: Session) -> list[object]:
    return [*session.new, *session.deleted, *filter(session.is_modified, session.dirty)]


def _refuse_to_write(session: Session, *_: object) -> None:
    # It would be rolled back; and on SQLite fail on a stale snapshot as soon as somebody writes.
    if changed := _changed(session):
        raise AssertionError(f"a session that only reads was asked to write: {changed}")


def _refuse_to_execute(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        raise AssertionError(f"a session that only reads was asked to write: {state.statement}")
