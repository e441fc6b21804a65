import pytest
from fastapi.testclient import TestClient

from world import World


@pytest.mark.both_engines
def test_a_decision_over_http(client: TestClient, world: World) -> None:
    team = world.team(n_records=2)
    path = f"/api/v1/reviews/{team.review_id}/records/1/decision"

    answer = client.put(path, json={"verdict": "include"}, headers=team.ann.auth)

    assert answer.status_code == 200, answer.text
    assert answer.json()["record"] == {"status": "done", "stage": "title_abstract"}
