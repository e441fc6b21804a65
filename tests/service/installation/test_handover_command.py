"""`tandem handover` and `tandem report` against a real server."""

from pathlib import Path

import pytest

import refi
from service.live import Live
from tandem.cli import main as command
from world import Team, World


@pytest.fixture
def team(world: World, live: Live, monkeypatch: pytest.MonkeyPatch) -> Team:
    made = world.team(n_records=1)
    monkeypatch.setenv("TANDEM_URL", live.url)
    monkeypatch.setenv("TANDEM_TOKEN", made.owner.token)
    return made


def test_the_ending_names_the_format(team: Team, tmp_path: Path) -> None:
    file = tmp_path / "x.qdpx"

    assert command.main(["handover", str(team.review_id), "-o", str(file)]) == 0

    assert refi.read(file.read_bytes()).all("User")


def test_an_unknown_ending_is_wrong_usage(team: Team, tmp_path: Path) -> None:
    file = tmp_path / "x.nvp"

    assert command.main(["handover", str(team.review_id), "-o", str(file)]) == 2

    assert not file.exists()


def test_the_methods_are_reported(team: Team, tmp_path: Path) -> None:
    file = tmp_path / "methods.md"

    assert command.main(["report", str(team.review_id), "-o", str(file)]) == 0

    assert file.read_text().startswith("# Methods of: A review\n")
