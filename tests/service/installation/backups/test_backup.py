"""`tandem backup` and `tandem restore`, on both engines: whole, of one moment, by the commands."""

import io
import re
import threading
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import text

from service.installation.backups.sites import FILE, Site, others
from tandem.cli import main as command
from tandem.db.session import Database
from tandem.installation.backup import postgresql
from tandem.installation.backup.archive import CannotWrite
from tandem.installation.backup.copies import NothingThere
from tandem.installation.backup.postgresql import NoClientPrograms
from tandem.installation.backup.restoring import restore
from tandem.installation.backup.taking import back_up


def test_all_that_was_there_is_there_again(here: Site, there: Site, file: Path) -> None:
    restored = restore(there.settings, file)

    assert there.rows() == here.rows()
    assert [review.difference for review in restored.reviews] == [None]
    assert restored.reviews[0].n_entries > 10
    (key,) = [key for key in restored.manifest.artifacts if key != "none"]
    assert there.store.read(key) == FILE
    assert restored.manifest.missing == ["none"]  # what the factories name, and nobody has stored


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_postgresql_has_statistics_of_what_was_restored(there: Site, file: Path) -> None:
    restore(there.settings, file)

    database = Database(there.url)
    with database.engine.connect() as connection:
        counted = "SELECT DISTINCT tablename FROM pg_stats WHERE schemaname = current_schema()"
        known = set(connection.scalars(text(counted)))
    database.close()
    assert known >= {table for table, rows in there.rows().items() if rows}


def test_only_its_user_can_read_it_and_nothing_else_is_left(file: Path, tmp_path: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600
    assert {path.name for path in tmp_path.iterdir()} <= {"backup.zip", "here", "there"}
    with zipfile.ZipFile(file) as archive:
        assert not [name for name in archive.namelist() if "features" in name]


def test_a_backup_beside_people_who_decide_is_of_one_moment(
    here: Site, there: Site, tmp_path: Path
) -> None:
    database = Database(here.url)
    world = others(database)
    team = world.team(n_records=60)
    started, over = threading.Event(), threading.Event()

    def screen() -> None:
        for number in range(1, 61):
            world.decide(team.review_id, team.ann, number, "include")
            here.upload(world, team.review_id, team.owner.id)
            started.set()
            if over.is_set():
                return

    screening = threading.Thread(target=screen)
    screening.start()
    started.wait()
    manifest = back_up(here.settings, tmp_path / "busy.zip")
    over.set()
    screening.join()
    database.close()

    restored = restore(there.settings, tmp_path / "busy.zip")

    assert [review.difference for review in restored.reviews] == [None, None]
    assert manifest.missing == ["none"]
    assert manifest.counts["import"] - 2 == len(manifest.artifacts)
    assert manifest.counts["decision"] <= len(here.rows()["decision"])


def test_a_file_that_was_taken_back_meanwhile_is_listed(here: Site, tmp_path: Path) -> None:
    here.store.remove("imports")

    manifest = back_up(here.settings, tmp_path / "backup.zip")

    assert [key for key in manifest.missing if key.startswith("imports/")]
    assert manifest.artifacts == {}


def test_a_file_that_is_there_is_not_written_over(file: Path, here: Site) -> None:
    before = file.stat().st_ino
    with pytest.raises(CannotWrite, match="--overwrite"):
        back_up(here.settings, file)
    assert file.stat().st_ino == before
    back_up(here.settings, file, replace=True)
    assert file.stat().st_ino != before


def test_nothing_to_back_up(there: Site, tmp_path: Path) -> None:
    with pytest.raises(NothingThere):
        back_up(there.settings, tmp_path / "backup.zip")
    assert not (tmp_path / "backup.zip").exists()
    assert not (tmp_path / "there" / "tandem.sqlite3").exists()


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("program", "complaint"),
    [(None, "not on PATH"), ("pg_dump (PostgreSQL) 9.6.1", "of version 9, and the server is")],
)
def test_without_the_client_programs_a_sentence_says_what_to_do(
    here: Site,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    program: str | None,
    complaint: str,
) -> None:
    (tmp_path / "bin").mkdir()
    if program is not None:
        stand_in = tmp_path / "bin" / "pg_dump"
        stand_in.write_text(f"#!/bin/sh\necho '{program}'\n")
        stand_in.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    with pytest.raises(NoClientPrograms, match=complaint):
        back_up(here.settings, tmp_path / "backup.zip")

    assert not (tmp_path / "backup.zip").exists()


def test_the_password_is_not_among_the_arguments(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stand_in = tmp_path / "psql"
    stand_in.write_text(
        '#!/bin/sh\nprintf "%s " "$@" > "$0.said"; printf %s "$PGPASSWORD" >> "$0.said"\n'
    )
    stand_in.chmod(0o700)

    postgresql._run(str(stand_in), "postgresql+psycopg://me:geheim@db:5/tandem?sslmode=require", [])

    arguments, _, secret = (tmp_path / "psql.said").read_text().rpartition(" ")
    assert "geheim" not in arguments
    assert "sslmode=require" in arguments
    assert secret == "geheim"


def test_the_commands(
    here: Site,
    there: Site,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run(site: Site, *arguments: object) -> int:
        monkeypatch.setenv("TANDEM_DATA_DIR", str(site.settings.data_dir))
        if site.settings.database_url is not None:
            monkeypatch.setenv("TANDEM_DATABASE_URL", site.settings.database_url)
        return command.main(list(map(str, arguments)))

    file = tmp_path / "b.zip"
    assert run(here, "backup", file) == 0
    assert re.search(r"1 reviews, 5 records, \d+ decisions, 1 files", capsys.readouterr().out)
    assert run(here, "backup", file) == 1
    assert run(there, "restore", file) == 0
    assert "Checked: 1 of 1 reviews follow from their audit trail" in capsys.readouterr().out
    assert run(there, "restore", file) == 1
    assert "--replace" in capsys.readouterr().err
    assert run(there, "restore", tmp_path / "none.zip") == 1
    assert capsys.readouterr().err.endswith("none.zip does not exist.\n")
    assert run(there, "restore") == 2


def test_a_script_is_restored_without_the_index_that_needs_an_extension() -> None:
    script = io.BytesIO()
    lines = postgresql._WithoutIndex(script)
    for part in (
        b"CREATE TABLE a;\nCREATE INDEX rec",
        b"ord_search ON record USING",
        b" gin (x);\n",
    ):
        lines.write(part)
    lines.write(b"COPY a FROM stdin;\n1\tCREATE INDEX record_search \n\\.")
    lines.end()

    kept = b"CREATE TABLE a;\nCOPY a FROM stdin;\n1\tCREATE INDEX record_search \n\\."
    assert script.getvalue() == kept
