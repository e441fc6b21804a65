"""Sessions that only read."""

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session


class ReadingSession(Session):
    """Ends with a commit: at a rollback psycopg drops all statements that it has prepared.

    So each of them, of writing sessions too, would be parsed and planned every time.
    """

    def close(self) -> None:
        if self.in_transaction() and self.is_active and not _changed(self):
            try:
                self.commit()
            except DBAPIError:
                self.rollback()  # the connection is gone, and nothing was to be stored
        super().close()


def _changed(session: Session) -> list[object]:
    return [*session.new, *session.deleted, *filter(session.is_modified, session.dirty)]


def refuse_to_write(session: Session, *_: object) -> None:
    # It would be rolled back; and on SQLite fail on a stale snapshot as soon as somebody writes.
    if changed := _changed(session):
        raise AssertionError(f"a session that only reads was asked to write: {changed}")
