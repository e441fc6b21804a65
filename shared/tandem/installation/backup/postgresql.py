"""Backup and restore of a PostgreSQL database, by its own client programs."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, cast

from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from tandem import migrate
from tandem.db.session import APPLICATION_NAME
from tandem.errors import TandemError
from tandem.installation.backup.archive import Counted, Opened
from tandem.installation.backup.copies import (
    VERSION_TABLE,
    Content,
    Copied,
    NothingThere,
    Occupied,
    content,
)
from tandem.progress import OnProgress
from tandem.records import search_index

NAME = "database.sql"
_OURS = {VERSION_TABLE, "review", "user_account"}
_CONNECT_SECONDS = 10
_LOCK_WAIT = "10s"
_LOOK_SECONDS = 0.5


class NoClientPrograms(TandemError):
    """pg_dump or psql is not there, or too old for the server."""

    code = "no_client_programs"


class ProgramFailed(TandemError):
    """pg_dump or psql has ended with an error; the message is its own."""

    code = "client_program_failed"


def copy(url: str, folder: Path, on_progress: OnProgress) -> Copied:
    """Copy the database into the folder as of one moment, while others read and write it.

    Raises:
        NothingThere: Tandem has never been in this database.
        NoClientPrograms: `pg_dump` is missing or too old.
        ProgramFailed: It did not do its work.
    """
    program, target = _program("pg_dump"), folder / NAME
    with _connect(url) as connection:
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
        version = _server_version(connection)
        _require_major(program, version)
        held = content(connection)
        if held is None:
            raise NothingThere("The database holds nothing of Tandem: there is nothing to back up.")
        # pg_dump reads the very state that was just counted.
        snapshot = connection.scalar(text("SELECT pg_export_snapshot()"))
        schema = connection.scalar(text("SELECT current_schema()"))
        size = connection.scalar(text("SELECT pg_database_size(current_database())")) or 1

        def look() -> None:
            # A script of it is about as large as the database; how large, nobody knows before.
            on_progress(min(0.95, target.stat().st_size / size) if target.exists() else 0.0)

        options = ["--no-owner", "--no-privileges", "--no-comments", f"--file={target}"]
        chosen = [f"--snapshot={snapshot}", f'--table="{schema}".*']
        _run(program, url, [*options, *chosen], look)
        on_progress(1.0)
    return Copied(target, NAME, version, held.schema, held.counts, held.uploads)


def held_by(url: str) -> Content | None:
    """Return what the database holds, or None.

    Raises:
        Occupied: It holds tables, and they are not Tandem's.
    """
    with _connect(url) as connection:
        _tables(connection)
        return content(connection)


def put(url: str, archive: Opened, folder: Path, counted: Counted) -> None:
    """Replace the database by the archive's in one transaction; then bring it to the newest schema.

    Raises:
        Damaged: What the archive holds is not what its manifest says.
        NoClientPrograms: `psql` is missing.
        Occupied: Processes of Tandem are connected, or there are tables of another program.
        ProgramFailed: It did not do its work; the old state is untouched.
    """
    program = _program("psql")
    script, drop = folder / NAME, folder / "drop.sql"
    with script.open("wb") as target:
        lines = _WithoutIndex(target)
        archive.extract(archive.manifest.database, cast("IO[bytes]", lines), counted)
        lines.end()
    with _connect(url) as connection:
        tables = _tables(connection)
        _require_alone(connection)
        drop.write_text(_dropping(tables, connection), encoding="utf-8")
    # From files: at the end of a pipe whose writer was killed psql would commit.
    one = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction"]
    _run(program, url, [*one, f"--file={drop}", f"--file={script}"])
    migrate.upgrade(url)
    _count(url)


def _count(url: str) -> None:
    """Let PostgreSQL count all tables now: a script brings no statistics.

    Until its own turn comes each is taken for nearly empty. Tables of others it leaves out.
    """
    with _connect(url) as connection, connection.begin():
        connection.execute(text("ANALYZE"))


class _WithoutIndex:
    """Passes on a script but for the line that makes the index of a search.

    This database may have no pg_trgm. Where it has, `migrate.upgrade` makes the index.
    """

    def __init__(self, target: IO[bytes]) -> None:
        self._target, self._begun = target, b""

    def write(self, part: bytes) -> None:
        *lines, self._begun = (self._begun + part).split(b"\n")
        kept = (line for line in lines if not search_index.is_line_that_makes_it(line))
        self._target.writelines(line + b"\n" for line in kept)

    def end(self) -> None:
        self._target.write(self._begun)


def _dropping(tables: Iterable[str], connection: Connection) -> str:
    driver = connection.connection.dbapi_connection
    names = [sql.Identifier(name).as_string(driver) for name in sorted(tables)]  # type: ignore[arg-type]  # psycopg's own
    drop = f"DROP TABLE {', '.join(names)} CASCADE;\n" if names else ""
    return f"SET LOCAL lock_timeout = '{_LOCK_WAIT}';\n{drop}"


def _require_alone(connection: Connection) -> None:
    n = connection.scalar(
        text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = :name AND pid <> pg_backend_pid()"
        ),
        {"name": APPLICATION_NAME},
    )
    if n:
        raise Occupied(
            f"Tandem runs on this database ({n} connections): stop api, worker and relay, then "
            "restore again."
        )


def _tables(connection: Connection) -> set[str]:
    """Return the names of all tables, which are Tandem's, or raise Occupied."""
    asked = text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    found = set(connection.scalars(asked))
    if found - {VERSION_TABLE} and not found >= _OURS:
        raise Occupied(
            "The database holds tables of another program. Tandem needs one of its own: create "
            "it, and set TANDEM_DATABASE_URL."
        )
    return found


def _connect(url: str) -> Connection:
    limit = {"connect_timeout": _CONNECT_SECONDS}
    return create_engine(url, connect_args=limit, poolclass=NullPool).connect()


def _program(name: str) -> str:
    if (found := shutil.which(name)) is None:
        raise NoClientPrograms(
            f"{name} is not on PATH. Install PostgreSQL's client programs (Debian: "
            "postgresql-client), of the server's version or newer."
        )
    return found


def _server_version(connection: Connection) -> str:
    return str(connection.scalar(text("SHOW server_version"))).split()[0]


def _require_major(program: str, server: str) -> None:
    asked = [program, "--version"]
    output = subprocess.run(asked, capture_output=True, text=True, check=False).stdout  # noqa: S603  # found on PATH
    mine = re.search(r"(\d+)", output.partition(")")[2])
    if mine is None or int(mine[1]) < int(server.partition(".")[0]):
        raise NoClientPrograms(
            f"{program} is of version {mine[1] if mine else output.strip() or 'unknown'}, and the "
            f"server is PostgreSQL {server}. Put a pg_dump of that version or newer first on PATH."
        )


def _run(
    program: str, url: str, options: list[str], look: Callable[[], None] = lambda: None
) -> None:
    """Run a client program on the database. Its password is in the environment, never in `ps`.

    Args:
        program: Which.
        url: Of the database.
        options: Besides where the database is.
        look: Called now and then meanwhile.
    """
    where = conninfo_to_dict(make_url(url).set(drivername="postgresql").render_as_string(False))
    secret = where.pop("password", None)
    known = {name: str(value) for name, value in where.items() if value is not None}
    env = os.environ | ({"PGPASSWORD": str(secret)} if secret else {})
    command = [program, f"--dbname={make_conninfo(**known)}", "--no-password", *options]
    nothing = subprocess.DEVNULL
    with subprocess.Popen(  # noqa: S603  # no shell; our own options
        command, env=env, stdin=nothing, stdout=nothing, stderr=subprocess.PIPE, text=True
    ) as process:
        output = _followed(process, look)
    if process.returncode != 0:
        lines = output.strip().splitlines() or [f"status {process.returncode}"]
        first = next((line for line in lines if "ERROR" in line or "error" in line), lines[0])
        raise ProgramFailed(f"{Path(program).name} failed: {first}")


def _followed(process: "subprocess.Popen[str]", look: Callable[[], None]) -> str:
    """Wait for its end; return what it complained of."""
    while True:
        try:
            return process.communicate(timeout=_LOOK_SECONDS)[1]
        except subprocess.TimeoutExpired:
            look()
