"""`tandem stopping` against a real server: what an owner reads, and what a reviewer may."""

import json

import httpx
import pytest

from prepared import Prepared
from service.live import Live
from tandem.cli import main as command
from world import Person, Team, World


@pytest.fixture
def team(world: World, prepared: Prepared) -> Team:
    return prepared(build, world)


def build(world: World) -> Team:
    made = world.team(n_records=30)
    for number in range(1, 11):
        for who in (made.ann, made.ben):
            world.decide(made.review_id, who, number, "include" if number < 8 else "exclude")
    world.decide(made.review_id, made.ann, 11, "include")
    world.decide(made.review_id, made.ben, 11, "exclude")
    return made


def printed(
    live: Live, team: Team, who: Person, monkeypatch: pytest.MonkeyPatch, *more: str
) -> int:
    monkeypatch.setenv("TANDEM_URL", live.url)
    monkeypatch.setenv("TANDEM_TOKEN", who.token)
    return command.main(["stopping", str(team.review_id), *more])


def test_an_owner_reads_counts_costs_and_what_blocks(
    live: Live,
    team: Team,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert printed(live, team, team.owner, monkeypatch) == 0
    shown = capsys.readouterr().out
    assert "30 records: 10 settled, 7 included, 1 pending, 19 unread" in shown
    assert "No audit is registered" in shown
    assert "none found" in shown
    assert "100.0%" in shown

    asked = {"stage": "title_abstract", "target_recall": 0.9, "confidence": 0.9}
    url = f"{live.url}/api/v1/reviews/{team.review_id}/audits"
    httpx.post(url, json=asked, headers=team.owner.auth, timeout=60).raise_for_status()
    assert printed(live, team, team.owner, monkeypatch) == 0
    shown = capsys.readouterr().out
    assert "Audit, registered: recall ≥ 0.9 at 0.9" in shown
    assert "waits for records in conflict: 1" in shown

    assert printed(live, team, team.owner, monkeypatch, "--json") == 0
    line = next(one for one in capsys.readouterr().out.splitlines() if one.startswith('{"stage'))
    assert json.loads(line)["n_included"] == 7


def test_a_reviewer_reads_no_more_than_the_api_tells_them(
    live: Live,
    team: Team,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert printed(live, team, team.ann, monkeypatch) == 0
    shown = capsys.readouterr().out
    assert "19 records are left for you to decide." in shown
    assert "included" not in shown


def test_a_stage_that_there_is_not_is_refused(team: Team) -> None:
    assert command.main(["stopping", str(team.review_id), "--stage", "abstracts"]) == 2
