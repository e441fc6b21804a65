"""`tandem texts` against a real server and a worker beside it: what it sends, and what it says."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pdfs
from service.api.reports_with_texts import at_full_text, titled
from service.live import Live
from tandem.artifacts import Artifacts
from tandem.cli import main as command
from tandem.config import Settings
from tandem.texts import reading_work
from world import Team, World


@pytest.fixture
def team(world: World) -> Team:
    return at_full_text(world)


@pytest.fixture(autouse=True)
def worker(world: World, settings: Settings, team: Team) -> Iterator[None]:
    """Read what comes, as a worker does, until the test is over."""
    over = threading.Event()
    store = Artifacts(settings.resolved_artifact_url())

    def work() -> None:
        while not over.wait(0.05):
            reading_work.run(world.database, store, team.review_id)

    thread = threading.Thread(target=work)
    thread.start()
    yield
    over.set()
    thread.join()


@pytest.fixture(autouse=True)
def signed_in(live: Live, team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANDEM_URL", live.url)
    monkeypatch.setenv("TANDEM_TOKEN", team.ann.token)


def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the command's own lines: the server, in the same process, logs there too."""
    return [line for line in capsys.readouterr().out.splitlines() if not line.startswith("20")]


def run(team: Team, *arguments: object) -> int:
    return command.main(["texts", str(team.review_id), *map(str, arguments)])


def test_a_folder_is_sent_and_what_is_unsure_is_named(
    team: Team, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "papers"
    (folder / "12").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    (folder / "a.pdf").write_bytes(titled(1))
    (folder / "12" / "scan.PDF").write_bytes(pdfs.scan())
    (folder / "what.pdf").write_bytes(pdfs.pdf(["Nobody knows"]))
    (folder / ".hidden" / "b.pdf").write_bytes(titled(3))
    (folder / "notes.md").write_text("no full text")
    table = tmp_path / "map.csv"
    table.write_text("file,record\n12/scan.pdf,2\n")

    assert run(team, folder, "--map", table) == 0

    assert printed(capsys) == [
        "3 files: 2 placed, 0 known, 1 to settle, 0 failed",
        "  what.pdf: of which report?",
    ]


def test_many_files_go_in_batches(
    team: Team, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    monkeypatch.setattr("tandem.cli.texts._MOST_FILES", 2)
    for number in (1, 2, 3):
        (tmp_path / f"{number}_x.pdf").write_bytes(titled(number))

    assert run(team, tmp_path) == 0
    assert run(team, tmp_path / "1_x.pdf") == 0

    assert printed(capsys) == [
        "3 files: 3 placed, 0 known, 0 to settle, 0 failed",
        "1 file: 0 placed, 1 known, 0 to settle, 0 failed",
    ]


def test_failures_are_named_and_are_the_exit_status(
    team: Team, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "page.pdf").write_bytes(b"<html>")

    assert run(team, tmp_path) == 1
    assert printed(capsys)[1] == "  page.pdf: failed: not a pdf"
    (tmp_path / "page.pdf").unlink()
    assert run(team, tmp_path) == 1
    assert "There is no .pdf" in capsys.readouterr().err
