"""What a failure of the database or of a disk means to people, and whether to try again."""

import errno
import sqlite3

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from tandem.db.turns import Busy
from tandem.errors import TandemError, Unavailable


class StorageFull(Unavailable):
    """A disk has no room for what is to be written."""

    code = "storage_full"
    retry_after = 30


class StorageUnwritable(Unavailable):
    """A disk or folder is there, but may not be written to."""

    code = "storage_unwritable"
    retry_after = 30


_FULL = "The disk that holds {what} is full. Nothing was changed. Its administrator makes room."
_UNWRITABLE = (
    "{what} cannot be written: it is read-only, or belongs to somebody else. Nothing was changed. "
    "`tandem doctor` on the server says more."
)
_DISK_ERROR = (
    "The disk that holds the database reports an error; it may be full or broken. `tandem doctor` "
    "on the server says more."
)
_AWAY = "The database does not answer. Nothing was changed; try again."

_SQLITE_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_SQLITE_UNWRITABLE = frozenset(
    {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN}
)
_POSTGRES_FULL = "53100"
_POSTGRES_READ_ONLY = "25006"
_POSTGRES_BUSY = frozenset({"55P03", "57014", "53300"})
"""A lock was not to be had, a statement took too long, all connections are taken."""

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_RIGHT = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


def meaning(error: BaseException | None) -> TandemError | None:
    """Return the failure that this stands for; None where it is none of the database or a disk.

    Every user may read the message, so it names no path.
    """
    if isinstance(error, PoolTimeout):
        return Busy()
    if isinstance(error, DBAPIError):
        if isinstance(error.orig, sqlite3.Error):
            return _of_sqlite(error.orig)
        return _of_postgres(error)
    if isinstance(error, sqlite3.Error):
        return _of_sqlite(error)
    if isinstance(error, OSError):
        if error.errno in _NO_ROOM:
            return StorageFull(_FULL.format(what="files"))
        if error.errno in _NO_RIGHT:
            return StorageUnwritable(_UNWRITABLE.format(what="A folder for files"))
    return None


def _of_sqlite(error: sqlite3.Error) -> TandemError | None:
    kind = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if kind in _SQLITE_BUSY:
        return Busy()
    if kind == sqlite3.SQLITE_FULL:
        return StorageFull(_FULL.format(what="the database"))
    if kind in _SQLITE_UNWRITABLE:
        return StorageUnwritable(_UNWRITABLE.format(what="The database"))
    if kind == sqlite3.SQLITE_IOERR:
        return StorageFull(_DISK_ERROR)
    return Unavailable(_AWAY) if isinstance(error, sqlite3.OperationalError) else None


def _of_postgres(error: DBAPIError) -> TandemError | None:
    state = getattr(error.orig, "sqlstate", None)
    if state in _POSTGRES_BUSY:
        return Busy()
    if state == _POSTGRES_FULL:
        return StorageFull(_FULL.format(what="the database"))
    if state == _POSTGRES_READ_ONLY:
        return StorageUnwritable(_UNWRITABLE.format(what="The database"))
    if isinstance(error, OperationalError) or error.connection_invalidated:
        return Unavailable(_AWAY)
    return None
