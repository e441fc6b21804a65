"""What the panel of stopping shows at full text: the same figures, and nothing of an audit."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.api.scene import API
from world import FT, Person, Team, World


@pytest.fixture
def team(world: World) -> Team:
    """Six full texts: two included, one excluded, one begun, one included and gone, one unread."""
    team = world.team(n_records=8)
    world.to_full_text(team, 1, 2, 3, 4, 5, 6)
    for number, verdict in ((5, "include"), (3, "exclude"), (1, "include"), (2, "include")):
        said = {"reasons": ["wrong population"]} if verdict == "exclude" else {}
        for person in (team.ann, team.ben):
            world.decide(team.review_id, person, number, verdict, stage=FT, **said)
    world.decide(team.review_id, team.ann, 4, "include", stage=FT)
    world.retrieve(team.review_id, team.ann, 5, "not_retrieved", "The link is dead")
    return team


def panel(client: TestClient, team: Team, who: Person) -> dict[str, Any]:
    answer = client.get(
        f"{API}/reviews/{team.review_id}/stopping?stage=full_text", headers=who.auth
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_its_figures_are_of_the_texts_that_are_there(client: TestClient, team: Team) -> None:
    found = panel(client, team, team.owner)
    names = ("n_records", "n_settled", "n_pending", "n_included", "n_pool")
    assert [found[name] for name in names] == [5, 3, 1, 2, 1]
    assert found["display"]["run_since_include"] == 0, "3, 1 and 2 were settled in this order"
    assert found["team"]["both"] == 2
    progress = client.get(f"{API}/reviews/{team.review_id}/progress", headers=team.owner.auth)
    counts = progress.json()["stages"]["full_text"]["counts"]
    assert counts["included"] == found["n_included"]
    assert counts["unscreened"] == found["n_pool"]


def test_it_offers_no_audit_and_says_that_all_is_read(client: TestClient, team: Team) -> None:
    found = panel(client, team, team.judge)
    assert (found["cost"], found["audit"], found["blocking"]) == ([], None, [])
    assert found["display"]["assumption"].startswith("Every full text is read")
    asked = {"stage": "full_text", "target_recall": 0.9, "confidence": 0.9}
    refused = client.post(
        f"{API}/reviews/{team.review_id}/audits", json=asked, headers=team.owner.auth
    )
    assert refused.status_code == 422


def test_it_is_drawn(client: TestClient, team: Team) -> None:
    url = f"{API}/reviews/{team.review_id}/plots/stopping.svg?stage=full_text"
    assert "2 of 3 settled" in client.get(url, headers=team.owner.auth).text
    assert client.get(url, headers=team.ann.auth).status_code == 403


def test_a_reviewer_sees_what_is_left_for_them_alone(client: TestClient, team: Team) -> None:
    assert panel(client, team, team.ann) == {
        "stage": "full_text",
        "remaining_for_you": 1,
        "note": None,
    }
    assert panel(client, team, team.ben)["remaining_for_you"] == 2
