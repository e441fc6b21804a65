"""What `tandem up` says of the first account."""

import re
import shutil
from pathlib import Path

import pytest
from sqlalchemy import text

from tandem.cli.main import main
from tandem.config import Settings
from tandem.db.session import Database


@pytest.fixture
def data_dir(migrated_sqlite: Path, tmp_path: Path) -> Path:
    shutil.copy(migrated_sqlite, tmp_path / "tandem.sqlite3")
    return tmp_path


def test_each_start_prints_a_link_of_its_own_while_there_is_no_account(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = []
    for _ in range(2):
        assert main(["first-account", "--data-dir", str(data_dir)]) == 0
        said = capsys.readouterr().out
        found += re.findall(r"http://127\.0\.0\.1:8000/setup/(\S{40,})\n", said)
        assert "There is no account yet" in said
    assert len(set(found)) == 2

    database = Database(Settings(data_dir=data_dir).resolved_database_url())
    with database.read() as session:
        stored = str(session.execute(text("SELECT * FROM account_link")).all())
    database.close()
    assert stored.count("SETUP") + stored.count("setup") == 1, "only the newest is good"
    assert not any(token in stored for token in found), "it cannot be read again"


def test_nothing_is_printed_where_there_is_an_account(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add = ["user", "add", "ann@example.org", "--name", "Ann", "--data-dir", str(data_dir)]
    assert main(add) == 0
    capsys.readouterr()

    assert main(["first-account", "--data-dir", str(data_dir)]) == 0

    assert capsys.readouterr().out == ""
