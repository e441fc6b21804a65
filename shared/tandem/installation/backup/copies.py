"""What both engines say of a database that is copied, asked in one transaction."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import ColumnClause, Connection, Uuid, column, func, inspect, select, table

from tandem.errors import TandemError
from tandem.records import search_index

VERSION_TABLE = "alembic_version"


class NothingThere(TandemError):
    """There is no database of Tandem to back up."""

    code = "nothing_there"


class Occupied(TandemError):
    """The place to restore to is in use."""

    code = "restore_target_in_use"


@dataclass(frozen=True, slots=True)
class Copied:
    """A database as of one moment, in a file.

    Attributes:
        file: The copy.
        name: Of the copy in an archive.
        engine_version: Of what holds the original.
        schema: Its revision.
        counts: Rows by table.
        uploads: Keys of the uploaded files that it names.
    """

    file: Path
    name: str
    engine_version: str
    schema: str
    counts: dict[str, int]
    uploads: list[str]


@dataclass(frozen=True, slots=True)
class Content:
    """What a database holds: the revision of its schema, rows by table, what it names in a store.

    Attributes:
        schema: Revision of its schema.
        counts: Rows by table.
        uploads: Keys of the uploaded files.
        reviews: Ids, as keys of features have them.
    """

    schema: str
    counts: dict[str, int]
    uploads: list[str]
    reviews: list[str]


def content(connection: Connection) -> Content | None:
    """Return what the database holds; None where Tandem has never been.

    Tables are asked for by name: a database of an older schema is backed up, too.
    """
    tables = set(inspect(connection).get_table_names())
    if VERSION_TABLE not in tables:
        return None
    schema = connection.scalar(select(column("version_num")).select_from(table(VERSION_TABLE)))
    if schema is None:
        return None
    counts = {
        name: connection.scalar(select(func.count()).select_from(table(name))) or 0
        for name in sorted(tables - {VERSION_TABLE})
        if not search_index.is_part(name)
    }
    artifact: ColumnClause[str] = column("artifact")
    named = select(artifact).distinct().select_from(table("import")).order_by(artifact)
    if not {"import", "review"} <= tables:
        return Content(schema, counts, [], [])
    uploads = list(connection.scalars(named))
    if "text_file" in tables:
        uploads += _texts(connection)
    ids: ColumnClause[UUID] = column("id", Uuid())
    reviews = connection.scalars(select(ids).select_from(table("review")))
    return Content(schema, counts, uploads, [str(id) for id in reviews])


def _texts(connection: Connection) -> list[str]:
    """Return the keys of the files of full texts."""
    review: ColumnClause[UUID] = column("review_id", Uuid())
    digest: ColumnClause[str] = column("sha256")
    rows = connection.execute(select(review, digest).select_from(table("text_file")))
    return sorted(f"texts/{review_id}/{sha256}" for review_id, sha256 in rows)


def is_in_use(held: Content | None) -> bool:
    """Whether somebody would lose something: there are accounts."""
    return held is not None and held.counts.get("user_account", 0) > 0
