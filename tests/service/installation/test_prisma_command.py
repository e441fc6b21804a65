"""`tandem prisma` against a real server: the flow as a file of each kind."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from service.live import Live
from tandem.cli import main as command
from world import Team, World


def test_it_writes_the_flow_in_each_format(
    live: Live, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    team: Team = world.team(n_records=3)
    monkeypatch.setenv("TANDEM_URL", live.url)
    monkeypatch.setenv("TANDEM_TOKEN", team.owner.token)

    def written(name: str, *more: str) -> bytes:
        file = tmp_path / name
        assert command.main(["prisma", str(team.review_id), "-o", str(file), *more]) == 0
        return file.read_bytes()

    assert ElementTree.fromstring(written("flow.svg", "--template", "updated_v2")) is not None
    assert written("flow.png").startswith(b"\x89PNG")
    assert written("flow.csv").startswith(b"data,node,box")
    answer = json.loads(written("flow.json", "--wave", "1"))
    assert (answer["boxes"]["database_results"]["n"], answer["wave"]) == (3, 1)
    assert command.main(["prisma", str(team.review_id), "-o", str(tmp_path / "flow.pdf")]) == 2
    monkeypatch.setenv("TANDEM_TOKEN", team.ann.token)
    assert command.main(["prisma", str(team.review_id), "-o", str(tmp_path / "no.svg")]) == 1
    assert not (tmp_path / "no.svg").exists()
