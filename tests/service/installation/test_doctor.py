"""`tandem doctor` finds what is wrong, says how to mend it, and never fails itself."""

import os
import stat
import time
from pathlib import Path

import pytest

from service.installation.stand_ins import free_port
from tandem import migrate
from tandem.cli import main as command
from tandem.config import Settings
from tandem.db.session import Database
from tandem.installation import checks, service_checks, valkey
from tandem.installation.doctor import CHECKS, Finding, diagnose, examine
from tandem.installation.lock import InstallationLock
from tandem.installation.supervisor import Supervisor
from tandem.ranking.recipes import DEFAULT_MODEL
from tandem.records import search_index


def by_name(settings: Settings) -> dict[str, Finding]:
    return {finding.check: finding for finding in diagnose(settings)}


def test_for_an_empty_folder_the_remedy_makes_it_an_installation(tmp_path: Path) -> None:
    found = by_name(Settings(data_dir=tmp_path))
    assert list(found) == list(CHECKS)
    assert "tandem migrate" in found["database"].remedy
    assert {name for name, finding in found.items() if not finding.ok} == {"database", "schema"}
    assert list(tmp_path.iterdir()) == []  # looking changes nothing


def test_for_a_missing_folder_the_remedy_creates_it(tmp_path: Path) -> None:
    finding = by_name(Settings(data_dir=tmp_path / "none"))["data folder"]
    assert not finding.ok
    assert "tandem up" in finding.remedy


def test_every_wrong_finding_has_a_remedy(tmp_path: Path) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    settings = Settings(
        data_dir=tmp_path / "none",
        database_url=f"postgresql://me:secret@{nowhere}/tandem",
        redis_url=f"redis://:secret@{nowhere}/0",
        artifact_url="unknown://place",
    )
    found = by_name(settings)
    wrong = {name for name, finding in found.items() if not finding.ok}
    assert {"database", "broker", "broker settings", "artifacts", "schema"} <= wrong
    assert all(found[name].remedy for name in wrong)
    assert "secret" not in str(found)


def test_the_command_prints_findings_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["doctor", "--data-dir", str(tmp_path)]) == 1
    printed = capsys.readouterr()
    assert "WRONG  database" in printed.out
    assert printed.err == ""


def test_a_check_that_hangs_is_a_finding(tmp_path: Path) -> None:
    def hang(_: Settings) -> str:
        time.sleep(60)
        return "never"

    finding = examine("disk", hang, Settings(data_dir=tmp_path), limit=0.05)
    assert not finding.ok
    assert "no answer within" in finding.detail


def test_a_check_that_breaks_is_a_finding(tmp_path: Path) -> None:
    def broken(_: Settings) -> str:
        raise ZeroDivisionError("of all things\nand more")

    finding = examine("disk", broken, Settings(data_dir=tmp_path))
    assert (finding.ok, finding.detail) == (False, "ZeroDivisionError: of all things")


def test_a_clock_in_the_past_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "__init__.py"
    module.touch()
    far = module.stat().st_mtime + 10 * 86400
    os.utime(module, (far, far))
    monkeypatch.setattr("tandem.__file__", str(module))
    with pytest.raises(checks.Wrong, match="before this program was installed"):
        checks.clock(Settings(data_dir=tmp_path))


@pytest.mark.parametrize(
    ("wanted", "installed", "says"),
    [(True, False, "--no-deps"), (True, True, "MiniLM"), (False, True, "TANDEM_SENTENCE_VECTORS")],
)
def test_sentence_vectors_are_reported_and_their_absence_is_not_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: bool, installed: bool, says: str
) -> None:
    weights = tmp_path if installed else None
    monkeypatch.setattr("tandem.ranking.sentences.weights", lambda: weights)
    finding = by_name(Settings(data_dir=tmp_path, sentence_vectors=wanted))["sentence vectors"]
    assert finding.ok
    assert says in finding.detail


@pytest.mark.parametrize("model", [None, "elas-u4"])
def test_the_ranking_model_is_reported(tmp_path: Path, model: str | None) -> None:
    finding = by_name(Settings(data_dir=tmp_path, ranking_model=model))["ranking model"]
    assert finding.ok
    assert finding.detail == (model or DEFAULT_MODEL)


def test_a_ranking_model_that_is_not_there_is_wrong(tmp_path: Path) -> None:
    finding = by_name(Settings(data_dir=tmp_path, ranking_model="theirs-1"))["ranking model"]
    assert not finding.ok
    assert "theirs-1" in finding.detail
    assert "TANDEM_RANKING_MODEL" in finding.remedy


def test_too_long_a_socket_path_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Settings, "valkey_socket", lambda _: tmp_path / ("x" * 110))
    with pytest.raises(checks.Wrong, match="bytes"):
        checks.socket_path(Settings(data_dir=tmp_path))


def test_a_full_disk_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_LEAST_FREE", 1 << 62)
    with pytest.raises(checks.Wrong, match="GiB free"):
        checks.disk_space(Settings(data_dir=tmp_path))


def test_artifacts_are_tried_by_writing(tmp_path: Path) -> None:
    folder = tmp_path / "artifacts"
    folder.mkdir()
    settings = Settings(data_dir=tmp_path)
    assert checks.artifacts(settings).endswith("is writable")
    assert list(folder.iterdir()) == []
    folder.rmdir()
    folder.touch()
    with pytest.raises(checks.Wrong, match="cannot write"):
        checks.artifacts(settings)


@pytest.mark.processes
def test_a_running_broker_is_asked_for_its_settings(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, port=free_port())
    with (
        InstallationLock(tmp_path, url="http://127.0.0.1:9") as lock,
        Supervisor(guard_inherits=[lock.fileno()]) as supervisor,
    ):
        supervisor.start(valkey.child(settings))
        assert stat.S_ISSOCK(settings.valkey_socket().stat().st_mode)
        found = by_name(settings)
        assert found["broker"].ok
        assert found["broker settings"].detail == "noeviction, append-only file on disk"
        assert "running (pid" in found["supervisor"].detail
        assert not found["api"].ok  # a supervisor is there, so it should answer


@pytest.mark.processes
def test_a_silent_process_is_found(tmp_path: Path) -> None:
    from redis import Redis

    settings = Settings(data_dir=tmp_path)
    with Supervisor() as supervisor:
        supervisor.start(valkey.child(settings))
        given = Settings(data_dir=tmp_path, redis_url=settings.resolved_redis_url())
        assert (
            "worker-rankings, worker-large, worker-bulk, relay"
            in by_name(given)["processes"].detail
        )
        with Redis.from_url(settings.resolved_redis_url()) as client:
            for name in ("worker-rankings", "worker-large", "worker-bulk", "relay"):
                client.hset("tandem:heartbeats", f"{name}@here", str(time.time()))
            assert by_name(given)["processes"].ok
            client.hset("tandem:heartbeats", "relay@here", str(time.time() - 60))
            client.hset("tandem:heartbeats", "worker-bulk@elsewhere", str(time.time() - 60))
            found = by_name(given)["processes"]
            assert (found.ok, found.detail) == (False, "no sign of life from relay")


@pytest.mark.processes
def test_a_broker_that_forgets_is_found(tmp_path: Path) -> None:
    from redis import Redis

    settings = Settings(data_dir=tmp_path)
    with Supervisor() as supervisor:
        supervisor.start(valkey.child(settings))
        given = Settings(data_dir=tmp_path, redis_url=settings.resolved_redis_url())
        with Redis.from_url(settings.resolved_redis_url()) as client:
            client.config_set("maxmemory-policy", "allkeys-lru")
            assert "allkeys-lru" in by_name(given)["broker settings"].detail
            client.config_set("maxmemory-policy", "noeviction")
            client.config_set("appendonly", "no")
            assert "nothing is written to disk" in by_name(given)["broker settings"].detail


def test_it_says_whether_a_search_has_an_index(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    url = settings.resolved_database_url()
    migrate.upgrade(url)
    assert "have an index" in examine("search", service_checks.search, settings).detail

    database = Database(url)
    with database.write.begin() as session:
        search_index.remove(session.connection())
    database.close()
    found = examine("search", service_checks.search, settings)
    assert found.ok
    assert "reads every record" in found.detail

    migrate.upgrade(url)
    assert "have an index" in examine("search", service_checks.search, settings).detail
