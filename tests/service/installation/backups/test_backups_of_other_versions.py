"""A backup of another schema or of the other engine: migrated, or refused."""

import json
import zipfile
from pathlib import Path

import pytest
from alembic import command as alembic
from alembic.config import Config
from sqlalchemy import text

from service.installation.backups.sites import Site, set_schema
from tandem import migrate
from tandem.db.session import Database
from tandem.installation.backup.restoring import OtherEngine, restore
from tandem.installation.backup.taking import back_up

CHECKOUT = Path(__file__).parents[4]


def test_a_backup_of_the_schema_before_is_migrated(here: Site, there: Site, tmp_path: Path) -> None:
    config = Config(toml_file=CHECKOUT / "pyproject.toml")
    config.attributes["database_url"] = here.url
    alembic.downgrade(config, "-1")
    manifest = back_up(here.settings, tmp_path / "old.zip")

    restored = restore(there.settings, tmp_path / "old.zip")

    current, head = migrate.current_and_head(there.url)
    assert manifest.schema != head
    assert current == head == restored.schema
    assert [review.difference for review in restored.reviews] == [None]


def test_a_backup_of_a_later_schema_is_refused(here: Site, there: Site, tmp_path: Path) -> None:
    set_schema(here, "9999")
    back_up(here.settings, tmp_path / "new.zip")

    with pytest.raises(migrate.DatabaseIsNewer, match="9999"):
        restore(there.settings, tmp_path / "new.zip")


def test_a_rollback_gives_up_a_database_of_a_later_schema(
    here: Site, used: Site, file: Path
) -> None:
    database = Database(used.url)
    with database.write.begin() as session:
        session.execute(text("CREATE TABLE of_the_future (id INTEGER PRIMARY KEY)"))
    database.close()
    set_schema(used, "9999")

    restore(used.settings, file, replace=True)

    assert used.rows() == here.rows()


def test_of_the_other_engine_is_refused(there: Site, file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(other, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            if name == "manifest.json":
                said = json.loads(text)
                said["engine"] = "sqlite" if said["engine"] == "postgresql" else "postgresql"
                text = json.dumps(said).encode()
            new.writestr(name, text)
    with pytest.raises(OtherEngine, match=r"This backup is of .*SQL.*, and this installation uses"):
        restore(there.settings, other)
