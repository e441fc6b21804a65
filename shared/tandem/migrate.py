"""The database's schema: to the newest revision, and which one it has."""

from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from tandem.db.session import Database
from tandem.errors import TandemError
from tandem.records import search_index


class DatabaseIsNewer(TandemError):
    """A later version of Tandem has had this database."""

    code = "database_is_newer"


def upgrade(database_url: str) -> None:
    """Bring the schema to the newest revision, and make the index of a search where there is none.

    Safe to run again, and by two at once.

    Raises:
        DatabaseIsNewer: This version of Tandem does not know its revision.
    """
    current, head = current_and_head(database_url)
    if current == head and _has_index(database_url):
        return
    if not is_known(current):
        raise DatabaseIsNewer(
            f"The database is at revision {current}, which this version of Tandem does not know: "
            f"its newest is {head}. Install the version that made it, or restore a backup."
        )
    command.upgrade(_config(database_url), "head")


def current_and_head(database_url: str) -> tuple[str | None, str]:
    """Return the revision the database has (None: none yet) and the newest there is."""
    head = ScriptDirectory.from_config(_config(database_url)).get_current_head()
    if head is None:
        raise AssertionError("the installation has no migrations")
    database = Database(database_url)
    try:
        with database.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision(), head
    finally:
        database.close()


def _has_index(database_url: str) -> bool:
    database = Database(database_url)
    try:
        with database.engine.connect() as connection:
            return search_index.is_there(connection)
    finally:
        database.close()


def is_known(revision: str | None) -> bool:
    """Whether this version of Tandem can work from the revision; None is an empty database."""
    known = {one.revision for one in ScriptDirectory(str(_scripts())).walk_revisions()}
    return revision is None or revision in known


def _config(database_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_scripts()))
    config.attributes["database_url"] = database_url
    return config


def _scripts() -> Path:
    """Return the migrations of the installed package, or else of the checkout."""
    installed = Path(str(files("tandem"))) / "_migrations"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "migrations"
