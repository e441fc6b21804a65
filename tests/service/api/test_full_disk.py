"""No room, or no right to write: the answer says which, and work goes on by itself."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.engine import make_url

from application import application
from tandem import migrate
from tandem.config import Settings
from tandem.db.session import Database
from tandem.operations import storage
from world import Team, World

API = "/api/v1"
_MIB = 1 << 20


@pytest.fixture(autouse=True)
def looks_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "_KEPT_SECONDS", 0.0)


@contextmanager
def opened(settings: Settings) -> Iterator[TestClient]:
    with TestClient(application(settings), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Yield a file system of 12 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)],
        check=False,
        capture_output=True,
        text=True,
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Leave no byte free."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (_MIB, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return ballast


def test_a_full_disk_is_reported_until_there_is_room_again(
    small_disk: Path, settings: Settings, migrated_sqlite: Path
) -> None:
    file = small_disk / "tandem.sqlite3"
    shutil.copy(migrated_sqlite, file)
    here = settings.model_copy(
        update={
            "database_url": f"sqlite:///{file}",
            "artifact_url": str(small_disk / "artifacts"),
            "min_free_mb": 0,
        }
    )
    database = Database(f"sqlite:///{file}")
    team = World(database).team()
    path = f"{API}/reviews/{team.review_id}"
    text = b"TY  - JOUR\r\nTI  - A study\r\nER  - \r\n\r\n" * 20_000
    with opened(here) as client:
        assert client.get("/readyz").status_code == 200
        ballast = fill(small_disk)

        written = client.post(f"{API}/reviews", json={"title": "x" * 400}, headers=team.owner.auth)
        uploaded = client.post(
            f"{path}/imports", files={"file": ("x.ris", text)}, headers=team.owner.auth
        )
        read = client.get(f"{path}/records", headers=team.ann.auth)
        not_ready = client.get("/readyz")
        figures = client.get("/metrics").text

        ballast.unlink()
        ready_again = client.get("/readyz")
        decided = client.put(
            f"{path}/records/1/decision", json={"verdict": "include"}, headers=team.ann.auth
        )
    database.close()

    assert (written.status_code, written.json()["code"]) == (503, "storage_full")
    assert "database" in written.json()["detail"]
    assert int(written.headers["retry-after"]) > 2
    assert (uploaded.status_code, uploaded.json()["code"]) == (503, "storage_full")
    assert read.status_code == 200
    assert not_ready.status_code == 503
    assert any("artifacts is full" in one for one in not_ready.json()["problems"])
    assert 'tandem_storage_free_bytes{folder="database"} 0.0' in figures
    assert "tandem_storage_writable 0.0" in figures
    assert ready_again.status_code == 200
    assert decided.status_code == 200


def test_little_room_is_reported_before_there_is_none(settings: Settings) -> None:
    with opened(settings.model_copy(update={"min_free_mb": 1 << 40})) as client:
        answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
    assert all("TANDEM_MIN_FREE_MB" in one for one in answer.json()["problems"])
    assert str(settings.data_dir) not in answer.text  # everybody may ask


def test_a_database_that_is_not_there_takes_no_write(tmp_path: Path) -> None:
    nowhere = Database(f"sqlite:///{tmp_path}/other.sqlite3")
    problem = storage._database_refuses(nowhere)
    nowhere.close()

    assert problem is not None
    assert "cannot be written" in problem


@pytest.mark.both_engines
def test_a_trial_of_writing_changes_nothing_and_waits_for_nobody(
    settings: Settings, database: Database, world: World
) -> None:
    team: Team = world.team()
    assert storage.look(settings.model_copy(update={"min_free_mb": 0}), database).problems == []
    with database.write.begin() as session:
        session.connection()
        assert storage._database_refuses(database) is None
    assert team.review_id


def test_migrations_still_know_the_database_after_a_trial(database: Database) -> None:
    storage._write_sqlite(make_url(str(database.engine.url)).database or "")

    current, head = migrate.current_and_head(str(database.engine.url))
    assert current == head
