"""An index of the texts that a search of records looks into: title, abstract and authors.

It knows which three characters in a row each record has, and says which records may contain a word.
`any_case.contains` then says which do, with or without the index. The database keeps it up to date:
by triggers on an FTS5 table of SQLite, or as a GIN index of PostgreSQL's extension pg_trgm. Where
the database has neither, a search reads every record.

Everything it consists of has a name that begins with NAME, and is not in the metadata. A command
that starts asks whether it is there, so this module loads no models.
"""

# ruff: noqa: S608  # statements are put together of names that stand here

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    Uuid,
    bindparam,
    column,
    select,
    table,
    text,
)
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from tandem.ids import RecordNumber, ReviewId

NAME = "record_search"

_MOST_TRIGRAMS = 40
"""In one question. More of them hardly leave fewer records."""

_MOST_CANDIDATES = 1000
"""More of them take as long to be looked up one by one as all others do in a row."""

_PLAIN = re.compile("[A-Za-z0-9]{3,}")
"""What PostgreSQL's index is asked for: it has authors as JSON, and lowers ASCII letters only."""

_NOT_KEPT = re.compile("[iIkK]")

_REVIEW_BITS = 32
"""A row of the FTS5 table is a record: its review's key, then so many bits for its number."""


def ensure(connection: Connection) -> bool:
    """Make the index if it is not there or is not kept up to date; return whether there is one.

    A table `record` that is made again, as SQLite's migrations do, loses its triggers: so this runs
    after each migration. What is there already is left alone.
    """
    if is_there(connection):
        return True
    make = _make_fts5 if connection.dialect.name == "sqlite" else _make_gin
    return make(connection)


def remove(connection: Connection) -> None:
    """Take the index away. pg_trgm stays: somebody else may use it."""
    if connection.dialect.name != "sqlite":
        connection.execute(text(f"DROP INDEX IF EXISTS {NAME}"))
        return
    for name in _TRIGGERS:
        connection.execute(text(f"DROP TRIGGER IF EXISTS {name}"))
    for name in (NAME, _KEYS, _HELD):
        connection.execute(text(f"DROP TABLE IF EXISTS {name}"))


def is_there(connection: Connection) -> bool:
    """Whether the database has the index, kept up to date."""
    if connection.dialect.name != "sqlite":
        return connection.scalar(text(f"SELECT to_regclass('{NAME}') IS NOT NULL")) is True
    count = text(
        f"SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE '{NAME}%'"
    )
    return connection.scalar(count) == len(_TRIGGERS) and _can_be_read(connection)


def _can_be_read(connection: Connection) -> bool:
    """Whether this SQLite has what the table needs: one that made it may have had more."""
    try:
        connection.execute(text(f"SELECT 1 FROM {NAME} WHERE {NAME} MATCH '\"abc\"' LIMIT 1"))
    except OperationalError:
        return False
    return True


def is_part(name: str | None) -> bool:
    """Whether a table or an index of this name belongs to it."""
    return name is not None and name.startswith(NAME)


def is_line_that_makes_it(line: bytes) -> bool:
    """Whether a line of a script by pg_dump makes it: where there is no pg_trgm, that fails."""
    return line.startswith(f"CREATE INDEX {NAME} ".encode())


@contextmanager
def added_together(
    session: Session, review_id: ReviewId, *, after: RecordNumber | int
) -> Iterator[None]:
    """Put the records that the block adds into the index when it ends, all at once.

    Their numbers are above `after`. If the block raises, the caller rolls back. SQLite writes the
    index to its file before each statement that may have to be undone, so that record by record
    takes two and a half times as long.
    """
    connection = session.connection()
    if connection.dialect.name != "sqlite" or not is_there(connection):
        yield
        return
    connection.execute(text(f"INSERT INTO {_HELD} (is_held) VALUES (1)"))
    yield
    session.flush()
    given = {"review_id": review_id.hex, "after": after}
    for statement in (_NEW_KEY_OF_REVIEW, _ADD_TOGETHER):
        connection.execute(text(statement), given)
    connection.execute(text(f"DELETE FROM {_HELD}"))


def candidates(
    session: Session, review_id: ReviewId, words: Sequence[str]
) -> Sequence[RecordNumber] | None:
    """Return the few records that may contain all the words; no other one does.

    None where it is as quick to read all records: there is no index, no word has three characters
    in a row, or more than a thousand records may contain them.
    """
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    asked = _trigrams(words) if is_sqlite else _plain(words)
    if not asked or not is_there(session.connection()):
        return None
    query = _in_fts5(review_id, asked) if is_sqlite else _in_gin(review_id, asked)
    found = session.scalars(query.limit(_MOST_CANDIDATES + 1)).all()
    return None if len(found) > _MOST_CANDIDATES else found


def _trigrams(words: Iterable[str]) -> list[str]:
    """Return what is in the words, spread evenly where it is too much."""
    lower = (word.lower() for word in words)
    found = [*dict.fromkeys(word[at : at + 3] for word in lower for at in range(len(word) - 2))]
    return found[:: -(-len(found) // _MOST_TRIGRAMS)] if found else []


def _plain(words: Iterable[str]) -> list[str]:
    # Of İ and of the sign of kelvin, which it keeps, a search makes i and k.
    asked = (word if word.isascii() else _NOT_KEPT.sub(" ", word) for word in words)
    return [*dict.fromkeys(part.lower() for word in asked for part in _PLAIN.findall(word))]


# SQLite

_KEYS = f"{NAME}_review"
_HELD = f"{NAME}_held"
"""Has a row only within a transaction that adds records together."""

_FTS5 = table(NAME, column("rowid"), column(NAME))
_KEY_OF = table(_KEYS, column("key"), column("review_id", Uuid()))


def _in_fts5(review_id: ReviewId, trigrams: Sequence[str]) -> Select[RecordNumber]:
    quoted = (trigram.replace('"', '""') for trigram in trigrams)
    key = select(_KEY_OF.c.key).where(_KEY_OF.c.review_id == review_id).scalar_subquery()
    before = key.op("<<")(_REVIEW_BITS)
    number = _FTS5.c.rowid.op("&")((1 << _REVIEW_BITS) - 1)
    return select(cast("ColumnElement[RecordNumber]", number)).where(
        _FTS5.c[NAME].op("MATCH")(" AND ".join(f'"{trigram}"' for trigram in quoted)),
        # Others' records are passed over in the index.
        _FTS5.c.rowid > before,
        _FTS5.c.rowid < before + (1 << _REVIEW_BITS),
    )


def _searched(row: str) -> str:
    """Return the expression of the texts of a row. Its `lower` is Python's; see `db.session`."""
    authors = f"(SELECT group_concat(value, char(10)) FROM json_each({row}.authors))"
    texts = f"{row}.title || char(10) || {row}.abstract || char(10) || coalesce({authors}, '')"
    return f"lower({texts})"


def _entry(row: str) -> str:
    return f"((key << {_REVIEW_BITS}) + {row}.number), {_searched(row)}"


def _add(row: str) -> str:
    return (
        f"INSERT INTO {NAME} (rowid, texts) SELECT {_entry(row)}"
        f" FROM {_KEYS} WHERE review_id = {row}.review_id;"
    )


def _take_out(row: str) -> str:
    return (
        f"INSERT INTO {NAME} ({NAME}, rowid, texts) SELECT 'delete', {_entry(row)}"
        f" FROM {_KEYS} WHERE review_id = {row}.review_id;"
    )


def _new_key(review_id: str) -> str:
    return (
        f"INSERT INTO {_KEYS} (review_id) SELECT {review_id}"
        f" WHERE NOT EXISTS (SELECT 1 FROM {_KEYS} WHERE review_id = {review_id})"
    )


_NEW_KEY_OF_REVIEW = _new_key(":review_id")
_ADD_TOGETHER = (
    f"INSERT INTO {NAME} (rowid, texts) SELECT {_entry('record')}"
    f" FROM record JOIN {_KEYS} USING (review_id)"
    " WHERE record.review_id = :review_id AND record.number > :after"
)
_TRIGGERS = {
    f"{NAME}_added": f"AFTER INSERT ON record WHEN NOT EXISTS (SELECT 1 FROM {_HELD})"
    f" BEGIN {_new_key('new.review_id')}; {_add('new')} END",
    f"{NAME}_changed": "AFTER UPDATE OF title, abstract, authors ON record"
    f" BEGIN {_take_out('old')} {_add('new')} END",
    f"{NAME}_removed": f"AFTER DELETE ON record BEGIN {_take_out('old')} END",
    f"{NAME}_ended": "AFTER DELETE ON review"
    f" BEGIN DELETE FROM {_KEYS} WHERE review_id = old.id; END",
}


def _make_fts5(connection: Connection) -> bool:
    for name in _TRIGGERS:  # of a database that comes from an SQLite with FTS5 to one without
        connection.execute(text(f"DROP TRIGGER IF EXISTS {name}"))
    try:
        with connection.begin_nested():
            connection.execute(text(f"DROP TABLE IF EXISTS {NAME}"))
            # It keeps no text and no positions: a quarter of the space, and what it finds is read.
            connection.execute(
                text(
                    f"CREATE VIRTUAL TABLE {NAME} USING fts5(texts, content = '',"
                    " columnsize = 0, detail = none, tokenize = 'trigram')"
                )
            )
    except OperationalError:  # this SQLite has no FTS5, or one before trigrams (3.34)
        return False
    for statement in (
        f"DROP TABLE IF EXISTS {_KEYS}",
        f"DROP TABLE IF EXISTS {_HELD}",
        f"CREATE TABLE {_HELD} (is_held INTEGER NOT NULL)",
        f"CREATE TABLE {_KEYS} (key INTEGER PRIMARY KEY, review_id CHAR(32) NOT NULL UNIQUE)",
        f"INSERT INTO {_KEYS} (review_id) SELECT DISTINCT review_id FROM record",
        f"INSERT INTO {NAME} (rowid, texts) SELECT {_entry('record')}"
        f" FROM record JOIN {_KEYS} USING (review_id)",
        *(f"CREATE TRIGGER {name} {what}" for name, what in _TRIGGERS.items()),
    ):
        connection.exec_driver_sql(statement)
    return True


# PostgreSQL


def _texts(row: str = "") -> str:
    texts = f"{row}title || chr(10) || {row}abstract || chr(10) || CAST({row}authors AS VARCHAR)"
    return f'lower(({texts}) COLLATE "C")'


_TEXTS: ColumnElement[str] = column(_texts("record."), is_literal=True)
_RECORD = table("record", column("review_id", Uuid()), column("number", Integer()))
_CANNOT_BE_HAD = {"42501", "0A000", "42704", "58P01"}
"""Not allowed; listed and yet refused, as some hosts do; in a schema that is not searched; gone."""


def _in_gin(review_id: ReviewId, parts: Sequence[str]) -> Select[RecordNumber]:
    # As literals: a plan that is made for any word takes the index for common ones, too, and reads
    # every record that it finds. Parts are ASCII letters and digits alone.
    have = (_TEXTS.like(bindparam(None, f"%{part}%", literal_execute=True)) for part in parts)
    return select(_RECORD.c.number).where(_RECORD.c.review_id == review_id, *have)


def _make_gin(connection: Connection) -> bool:
    known = text("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'")
    if not connection.scalar(known):
        return False
    make = f"CREATE INDEX {NAME} ON record USING gin ({_texts()} gin_trgm_ops)"
    try:
        with connection.begin_nested():
            connection.execute(text("CREATE EXTENSION IF NOT EXISTS pg_trgm"))
            connection.exec_driver_sql(make)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) not in _CANNOT_BE_HAD:
            raise
        return False
    return True
