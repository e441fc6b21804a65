"""`tandem export` against a real server: whole files or none, and one line of complaint."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from prepared import Prepared
from service.live import Live
from tandem.cli import main as command
from tandem.installation.lock import InstallationLock
from tandem.screening import export
from world import Person, Team, World


@pytest.fixture
def team(world: World, prepared: Prepared) -> Team:
    return prepared(build, world)


def build(world: World) -> Team:
    made = world.team(n_records=5)
    for who in (made.ann, made.ben):
        world.decide(made.review_id, who, 2, "include")
    return made


@pytest.fixture
def sign_in(live: Live, monkeypatch: pytest.MonkeyPatch) -> Any:
    def as_person(person: Person) -> None:
        monkeypatch.setenv("TANDEM_URL", live.url)
        monkeypatch.setenv("TANDEM_TOKEN", person.token)

    return as_person


def run(team: Team, *arguments: object) -> int:
    return command.main(["export", str(team.review_id), *map(str, arguments)])


def test_a_file_is_written(team: Team, sign_in: Any, tmp_path: Path) -> None:
    sign_in(team.owner)
    file = tmp_path / "records.jsonl"
    file.write_text("what stood there before")

    assert run(team, "--format", "jsonl", "-o", file) == 0

    assert [json.loads(line)["id"] for line in file.read_text().splitlines()] == [*"12345"]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_filters_are_passed_on(team: Team, sign_in: Any) -> None:
    sign_in(team.owner)
    options = ("--status", "included", "--stage", "title_abstract", "--include-duplicates")
    asked = ["export", str(team.review_id), "--format", "ris", "-o", "-", *options]

    # A process of its own: the server in this one writes its log to standard output.
    done = subprocess.run([sys.executable, "-m", "tandem", *asked], capture_output=True)

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"TY  - GEN\r\nID  - 2\r\n")
    assert done.stdout.count(b"ER  - ") == 1


def test_the_ledger_is_written(team: Team, sign_in: Any, tmp_path: Path) -> None:
    sign_in(team.ann)

    assert run(team, "--format", "decisions", "-o", tmp_path / "a.csv") == 0

    assert len((tmp_path / "a.csv").read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--format", "ris"], "tandem: Missing option '--output' / '-o'"),
        (["-o", "x"], "tandem: Missing option '--format'"),
        (["--format", "pdf", "-o", "x"], "tandem: Invalid value for '--format'"),
        (["--format", "ris", "-o", "{folder}"], "tandem: Invalid value: {folder} is a folder"),
        (["--format", "ris", "-o", "{folder}/x", "--status", "lost"], "tandem: Invalid value"),
    ],
)
def test_wrong_usage_is_one_line_and_2(
    arguments: list[str],
    complaint: str,
    team: Team,
    sign_in: Any,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sign_in(team.owner)

    assert run(team, *(argument.format(folder=tmp_path) for argument in arguments)) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(complaint.format(folder=tmp_path))
    assert not list(tmp_path.glob(".*"))
    assert not list(tmp_path.glob("x"))


def failed(
    team: Team, file: Path, capsys: pytest.CaptureFixture[str], *, before: str | None
) -> str:
    """Return the complaint of an export that fails and leaves the file as it was."""
    if before is not None:
        file.write_text(before)
    assert run(team, "--format", "jsonl", "-o", file) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert (file.read_text() if before is not None else None) == before
    if file.parent.is_dir():
        assert not list(file.parent.glob(".*"))
    return line


def test_a_stranger_reads_that_there_is_no_such_review(
    team: Team, sign_in: Any, world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sign_in(world.person("stranger"))

    line = failed(team, tmp_path / "a", capsys, before="the old one")

    assert line == f"tandem: There is no review {team.review_id}."


def test_a_folder_that_is_not_there(
    team: Team, sign_in: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sign_in(team.owner)

    line = failed(team, tmp_path / "nowhere" / "a", capsys, before=None)

    assert line == f"tandem: Cannot write {tmp_path}/nowhere/a: No such file or directory."


def test_no_server(
    team: Team,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "TANDEM_TOKEN" in failed(team, tmp_path / "a", capsys, before=None)
    monkeypatch.setenv("TANDEM_TOKEN", "tdm_x")
    monkeypatch.setenv("TANDEM_URL", "http://127.0.0.1:1")

    assert "Set TANDEM_URL" in failed(team, tmp_path / "a", capsys, before="the old one")


def test_without_an_address_it_is_the_installation_of_this_machine(
    team: Team, live: Live, sign_in: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(team.owner)
    monkeypatch.delenv("TANDEM_URL")
    monkeypatch.setenv("TANDEM_DATA_DIR", str(tmp_path))
    file = tmp_path / "records.jsonl"

    with InstallationLock(tmp_path, url=live.url):
        assert run(team, "--format", "jsonl", "-o", file) == 0

    assert len(file.read_text().splitlines()) == 5


def test_an_answer_that_breaks_off_leaves_the_old_file(
    team: Team,
    sign_in: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sign_in(team.owner)
    pages = iter([export._page])

    def page_once(*arguments: Any) -> Any:
        read = next(pages, None)
        if read is None:
            raise RuntimeError("the database went away")
        found = read(*arguments)
        return found * 100  # more than one piece of the answer

    monkeypatch.setattr(export, "_page", page_once)
    monkeypatch.setattr(export, "PAGE", 500)

    line = failed(team, tmp_path / "a", capsys, before="the old one")

    assert "broke off" in line
