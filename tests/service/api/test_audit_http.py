"""The audit trail over HTTP: the file, a record's history, an earlier state."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.api.scene import API, Scene, build
from tandem.audit.verify import check
from world import Person, World


@pytest.fixture
def scene(world: World, client: TestClient) -> Scene:
    """Without its full text, of which there is no file."""
    made = build(world)
    path = made.path(f"{API}/reviews/{{review_id}}/texts/{{text_id}}")
    assert client.delete(path, headers=made.team.owner.auth).status_code == 204
    return made


def get(client: TestClient, scene: Scene, who: Person, path: str, expect: int = 200) -> Any:
    answer = client.get(f"{scene.review}{path}", headers=who.auth)
    assert answer.status_code == expect, answer.text
    return answer.json()


def test_the_file_holds_and_is_named_after_the_review(scene: Scene, client: TestClient) -> None:
    team = scene.team
    answer = client.get(f"{scene.review}/export?format=trail", headers=team.owner.auth)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/jsonl"
    assert 'filename="a-review-trail.jsonl"' in answer.headers["content-disposition"]
    found = check(answer.text.splitlines())
    assert found.difference is None
    assert found.n_entries == json.loads(answer.text.splitlines()[0])["last_seq"]


def test_filters_of_other_formats_change_nothing(scene: Scene, client: TestClient) -> None:
    path = f"{scene.review}/export?format=trail&status=included&stage=title_abstract"
    answer = client.get(path, headers=scene.team.owner.auth)

    assert check(answer.text.splitlines()).ok
    assert 'filename="a-review-trail.jsonl"' in answer.headers["content-disposition"]


def test_only_owners_get_the_file(scene: Scene, client: TestClient) -> None:
    team = scene.team
    for who in (team.judge, team.ann, team.observer):
        refused = get(client, scene, who, "/export?format=trail", 403)
        assert refused["code"] == "forbidden"
    get(client, scene, scene.stranger, "/export?format=trail", 404)


def test_hashes_and_details_leave_by_no_other_way(scene: Scene, client: TestClient) -> None:
    team = scene.team
    listed = client.get(f"{scene.review}/events?limit=500", headers=team.owner.auth).json()
    envelope = {"specversion", "id", "source", "type", "time", "datacontenttype"}
    for event in listed["items"]:
        assert set(event) - {"subject"} == envelope | {"data", "sequence"}
        assert not {"detail", "salt", "hash", "tx", "verdict", "records"} & set(event["data"])
    whole = client.get(f"{scene.review}/export?format=trail", headers=team.owner.auth).text
    secrets = {json.loads(line).get("hash") for line in whole.splitlines()} - {None}
    assert len(secrets) > 10
    for path in ("", "/events?limit=500", "/progress", "/records/3", "/records/3/history"):
        text = client.get(f"{scene.review}{path}", headers=team.owner.auth).text
        assert not [secret for secret in secrets if secret in text]


def test_a_records_history(scene: Scene, client: TestClient) -> None:
    reported = get(client, scene, scene.team.owner, "/records/3/history")

    assert [(one["type"].removeprefix("tandem."), one["name"]) for one in reported["items"]] == [
        ("decision.recorded", "ann"),
        ("decision.recorded", "ben"),
        ("conflict.opened", None),
        ("conflict.resolved", "judge"),
        ("record.included", None),
    ]
    assert reported["next_cursor"] is None
    page = get(client, scene, scene.team.owner, "/records/3/history?limit=2")
    rest = get(client, scene, scene.team.owner, f"/records/3/history?cursor={page['next_cursor']}")
    assert page["items"] + rest["items"] == reported["items"]
    mine = get(client, scene, scene.team.ann, "/records/3/history")["items"]
    assert [(one["name"], one["after"]) for one in mine] == [("ann", "include")]
    get(client, scene, scene.team.owner, "/records/99/history", 404)


def test_an_earlier_state(scene: Scene, client: TestClient) -> None:
    owner = scene.team.owner
    differing = next(
        one["sequence"]
        for one in get(client, scene, owner, "/records/3/history")["items"]
        if one["type"] == "tandem.conflict.opened"
    )

    record = get(client, scene, owner, f"/records/3?as_of={differing}")
    counts = get(client, scene, owner, f"/progress?as_of={differing}")["stages"]["title_abstract"]

    assert record["status"] == "conflict"
    assert {one["reviewer"]: one["verdict"] for one in record["decisions"]} == {
        "ann": "include",
        "ben": "exclude",
    }
    assert counts["counts"]["conflict"] == 2
    assert get(client, scene, owner, "/records/3")["status"] == "included"
    assert get(client, scene, owner, "/records/3?as_of=1")["status"] == "unscreened"


@pytest.mark.parametrize("path", ["/progress", "/records/3"])
def test_what_cannot_be_looked_at(path: str, scene: Scene, client: TestClient) -> None:
    team = scene.team
    for who in (team.ann, team.observer):
        assert get(client, scene, who, f"{path}?as_of=1", 403)["code"] == "forbidden"
    assert get(client, scene, team.owner, f"{path}?as_of=9999", 404)["code"] == "beyond_the_end"
    for as_of in ("0", "-1", "now", str(2**40)):
        refused = get(client, scene, team.owner, f"{path}?as_of={as_of}", 422)
        assert refused["errors"][0]["field"] == "as_of"
        assert refused["errors"][0]["location"] == "query"


def test_a_stranger_finds_nothing(scene: Scene, client: TestClient) -> None:
    for path in ("/progress?as_of=1", "/records/3?as_of=1", "/records/3/history"):
        get(client, scene, scene.stranger, path, 404)
    assert client.get(f"{API}/reviews/{scene.team.review_id}/progress").status_code == 401
