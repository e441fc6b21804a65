"""`tandem synthesis` against a real server."""

from pathlib import Path

import pytest

from coding import Coded, coded
from service.live import Live
from tandem.cli import main as command
from tandem.reviews.policy import Stage
from world import Team, World


@pytest.fixture
def team(world: World, live: Live, monkeypatch: pytest.MonkeyPatch) -> Team:
    """One report is included, without a text."""
    made = world.team(n_records=1)
    for stage in Stage:
        if stage is Stage.FULL_TEXT:
            world.retrieve(made.review_id, made.owner, 1)
        for person in (made.ann, made.ben):
            world.decide(made.review_id, person, 1, "include", stage=stage)
    monkeypatch.setenv("TANDEM_URL", live.url)
    monkeypatch.setenv("TANDEM_TOKEN", made.owner.token)
    return made


def run(*arguments: object) -> int:
    return command.main(["synthesis", *map(str, arguments)])


def test_a_coded_project_is_sent_and_accounted_for(
    team: Team, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, back, table = (tmp_path / name for name in ("out.qdpx", "back.qdpx", "passages.csv"))
    assert command.main(["handover", str(team.review_id), "-o", str(out)]) == 0
    passage = Coded("Lee 2020 [1] (title and abstract only)", 0, 7, "Trust")
    back.write_bytes(coded(out.read_bytes(), [passage], [("Trust",)]))
    capsys.readouterr()

    assert run(team.review_id, back) == 0
    printed = capsys.readouterr().out
    assert "1 passages kept, 0 moved, 0 lost" in printed
    assert "There are no constructs" in printed

    assert run(team.review_id, "--rows", "codes") == 0
    printed = capsys.readouterr().out
    assert [line.split() for line in printed.splitlines() if "Trust" in line] == [
        ["1", "1", "Trust"]
    ]
    assert "Studies that feed none: none" in printed

    codes = tmp_path / "codes.txt"
    codes.write_text("Hope\n")
    assert run(team.review_id, "--rows", "codes", "--code-book", codes) == 0
    assert "Hope" in capsys.readouterr().out

    assert run(team.review_id, "--rows", "codes", "-o", table) == 0
    assert "Title 1" in table.read_text()
    assert run(team.review_id, "--rows", "words") == 2
