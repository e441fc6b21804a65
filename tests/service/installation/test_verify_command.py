"""`tandem verify`: what it says of a file or a review, in one line where something is wrong."""

import gzip
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from prepared import Prepared
from service.live import Live
from tandem.audit import trail
from tandem.cli import main as command
from world import Team, World


@pytest.fixture
def team(world: World, prepared: Prepared) -> Team:
    return prepared(build, world)


def build(world: World) -> Team:
    team = world.team(n_records=3)
    world.decide(team.review_id, team.ann, 1, "include")
    world.decide(team.review_id, team.ben, 1, "exclude")
    return team


@pytest.fixture
def lines(world: World, team: Team) -> list[str]:
    found = trail.lines(world.database, review_id=team.review_id, user_id=team.owner.id)
    return list(found)


@pytest.fixture
def file(lines: list[str], tmp_path: Path) -> Path:
    written = tmp_path / "trail.jsonl"
    written.write_text("".join(lines), encoding="utf-8")
    return written


@pytest.fixture
def offline(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on, the file being there, neither a database nor a server can be asked."""
    del file

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("it went to the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr("tandem.db.session.Database.__init__", refuse)
    monkeypatch.delenv("TANDEM_URL", raising=False)
    monkeypatch.delenv("TANDEM_TOKEN", raising=False)


def run(*arguments: object) -> int:
    return command.main(["verify", *map(str, arguments)])


@pytest.mark.usefixtures("offline")
def test_a_file_that_holds(
    file: Path, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(file) == 0

    said = capsys.readouterr()
    header = json.loads(lines[0])
    assert said.err == ""
    assert ["entries", str(header["last_seq"])] in [line.split() for line in said.out.splitlines()]
    assert header["last_hash"] in said.out
    assert "Everything follows from the log" in said.out


@pytest.mark.usefixtures("offline")
def test_a_packed_file_and_json(
    file: Path, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    packed = file.with_suffix(".gz")
    packed.write_bytes(gzip.compress(file.read_bytes()))

    assert run(packed, "--json") == 0

    answer = json.loads(capsys.readouterr().out)
    assert (answer["ok"], answer["first_difference"]) == (True, None)
    assert answer["last_hash"] == json.loads(lines[0])["last_hash"]
    assert (answer["n_decisions"], answer["n_conflicts"], answer["n_statuses"]) == (2, 1, 1)


@pytest.mark.usefixtures("offline")
def test_a_file_that_does_not_hold(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(file.read_text().replace('"verdict":"exclude"', '"verdict":"include"', 1))

    assert run(file) == 1
    said = capsys.readouterr()
    (complaint,) = said.err.splitlines()
    assert complaint.startswith("tandem: The trail does not hold at entry ")
    assert "Everything" not in said.out

    assert run(file, "--json") == 1
    first = json.loads(capsys.readouterr().out)["first_difference"]
    assert f"at entry {first['seq']}:" in complaint


@pytest.mark.usefixtures("offline")
def test_a_hash_that_was_noted(
    file: Path, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    noted = json.loads(lines[3])["hash"]
    assert run(file, "--expect-hash", noted.upper()) == 0
    assert run(file, "--expect-hash", "0" * 64) == 1
    assert "the history was rewritten" in capsys.readouterr().err


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "Missing argument"),
        (["nothing-like-that"], "nothing-like-that is no file, and no review's id"),
        (["{folder}"], "{folder} is a folder"),
        (["{file}", "--expect-hash", "abc"], "a hash has 64 hexadecimal digits"),
    ],
)
def test_wrong_usage_is_2(
    arguments: list[str], complaint: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = {"folder": file.parent, "file": file}

    assert run(*(argument.format(**known) for argument in arguments)) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert complaint.format(**known) in line


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "the file is empty"),
        (b"TY  - JOUR\n", "its first line is not JSON"),
        (b'{"id": "17"}\n', "export one with format=trail"),
        (b"\xff\xfe\n", "it is not UTF-8"),
        (b"\x1f\x8b\x08nothing", "Cannot unpack"),
    ],
)
def test_something_else_is_one_line_and_1(
    content: bytes, complaint: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_bytes(content)

    assert run(file) == 1

    (line,) = capsys.readouterr().err.splitlines()
    assert complaint in line


def test_a_review_is_fetched(
    live: Live, team: Team, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TANDEM_URL", live.url)

    def as_person(person: Any) -> int:
        monkeypatch.setenv("TANDEM_TOKEN", person.token)
        return run(team.review_id)

    assert as_person(team.owner) == 0
    assert str(team.review_id) in capsys.readouterr().out
    assert as_person(team.judge) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "tandem: Only an owner of this review may export its audit trail."
