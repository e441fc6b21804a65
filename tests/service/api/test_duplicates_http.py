"""Duplicates over HTTP: looked at side by side, merged, kept apart, split again."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.domain.importing import Importer, ris
from tandem.artifacts import Artifacts
from tandem.config import Settings
from world import Team, World

TITLE = "Exercise therapy after hip replacement: a randomised controlled trial"
HERE = {"TI": TITLE, "AU": "Smith, Ann", "PY": "2015", "JO": "Physio", "AB": "We randomised."}
ALIKE = HERE | {"TI": TITLE.replace("randomised", "randomized"), "DO": "10.1000/hip"}


@pytest.fixture
def team(world: World) -> Team:
    return world.team(n_records=3)


@pytest.fixture
def root(team: Team) -> str:
    return f"/api/v1/reviews/{team.review_id}"


def get(client: TestClient, team: Team, path: str) -> Any:
    answer = client.get(path, headers=team.owner.auth)
    assert answer.status_code == 200
    return answer.json()


def post(client: TestClient, team: Team, path: str, body: Any = None, *, expect: int = 200) -> Any:
    answer = client.post(path, json=body, headers=team.owner.auth)
    assert answer.status_code == expect
    return answer.json()


def test_a_proposal_is_settled_and_settled_again(
    client: TestClient, world: World, settings: Settings
) -> None:
    importer = Importer(world, Artifacts(settings.resolved_artifact_url()))
    importer.read(ris(HERE), source="Medline")
    importer.read(ris(ALIKE), source="Embase")
    auth, root = importer.owner.auth, f"/api/v1/reviews/{importer.review_id}"

    (proposed,) = client.get(f"{root}/duplicates?state=proposed", headers=auth).json()["items"]
    assert [record["id"] for record in proposed["records"]] == ["1", "2"]
    assert [record["source"]["source"] for record in proposed["records"]] == ["Medline", "Embase"]
    assert proposed["evidence"]
    assert proposed["representative"] is None
    path = f"{root}/duplicates/{proposed['id']}"

    kept = client.post(f"{path}/keep", headers=auth).json()
    assert (kept["state"], kept["settled_by"]) == ("kept", str(importer.owner.id))
    merged = client.post(f"{path}/merge", headers=auth).json()
    assert (merged["state"], merged["representative"]) == ("linked", "2")
    again = client.post(f"{path}/merge", headers=auth)
    assert (again.status_code, again.json()["state"]) == (200, "linked")
    shown = client.get(f"{root}/records/2", headers=auth).json()
    assert [source["source"] for source in shown["sources"]] == ["Embase", "Medline"]
    assert [other["id"] for other in shown["duplicates"]] == ["1"]
    assert client.get(f"{root}/duplicates?state=linked", headers=auth).json()["items"] == [merged]

    split = client.post(f"{path}/split", headers=auth).json()
    assert split["state"] == "kept"
    assert client.get(f"{root}/records/1", headers=auth).json()["duplicate_of"] is None
    assert client.get(path, headers=auth).json() == split


def test_two_screened_records_that_are_one_meet_in_a_conflict(
    client: TestClient, world: World, team: Team, root: str
) -> None:
    world.decide(team.review_id, team.ann, 1, "include")
    world.decide(team.review_id, team.ben, 2, "exclude", reasons=["wrong population"])
    group_id = world.propose(team.review_id, 1, 2)

    post(client, team, f"{root}/duplicates/{group_id}/merge")

    (conflict,) = get(client, team, f"{root}/conflicts?state=open")["items"]
    assert conflict["record"]["id"] == "1"
    assert {vote["verdict"] for vote in conflict["decisions"]} == {"include", "exclude"}
    types = [event["type"] for event in get(client, team, f"{root}/events?limit=500")["items"]]
    assert "tandem.duplicates.merged" in types
    post(client, team, f"{root}/duplicates/{group_id}/split")
    assert get(client, team, f"{root}/conflicts?state=open")["items"] == []
    stages = get(client, team, f"{root}/progress")["stages"]
    assert stages["title_abstract"]["counts"]["awaiting"] == 2


def test_some_leave_a_group(client: TestClient, world: World, team: Team, root: str) -> None:
    group_id = world.merge(team.review_id, team.owner, 1, 2, 3)
    path = f"{root}/duplicates/{group_id}/split"

    left = post(client, team, path, {"record_ids": ["3"]})

    assert [record["id"] for record in left["records"]] == ["1", "2"]
    assert left["state"] == "linked"
    found = post(client, team, path, {"record_ids": ["3"]}, expect=404)
    assert found["detail"] == "Record 3 is not in this group."


@pytest.mark.parametrize(
    ("body", "status"),
    [({"record_ids": []}, 422), ({"record_ids": ["x"]}, 404), ({"records": ["1"]}, 422), ([], 422)],
)
def test_bad_splits_are_refused(
    body: Any, status: int, client: TestClient, world: World, team: Team, root: str
) -> None:
    group_id = world.merge(team.review_id, team.owner, 1, 2)
    post(client, team, f"{root}/duplicates/{group_id}/split", body, expect=status)
    assert get(client, team, f"{root}/duplicates/{group_id}")["state"] == "linked"


def test_what_does_not_fit_is_a_conflict(
    client: TestClient, world: World, team: Team, root: str
) -> None:
    proposed = world.propose(team.review_id, 1, 2)
    linked = world.merge(team.review_id, team.owner, 2, 3)

    found = post(client, team, f"{root}/duplicates/{proposed}/split", expect=409)
    assert found["code"] == "not_linked"
    found = post(client, team, f"{root}/duplicates/{linked}/keep", expect=409)
    assert found["code"] == "is_linked"


def test_earlier_decisions_count_when_the_team_takes_them(
    client: TestClient, world: World, settings: Settings
) -> None:
    importer = Importer(world, Artifacts(settings.resolved_artifact_url()))
    auth, root = importer.owner.auth, f"/api/v1/reviews/{importer.review_id}"
    table = b"title,abstract,label_included\nOne,a,1\nTwo,b,0\nThree,c,\n"
    row = importer.read(table)
    records = f"{root}/records"
    assert {item["status"] for item in client.get(records, headers=auth).json()["items"]} == {
        "unscreened"
    }
    assert client.get(f"{root}/imports/{row.id}", headers=auth).json()["n_priors"] == 2

    taken = client.post(f"{root}/imports/{row.id}/prior-decisions", headers=auth)

    assert taken.status_code == 200
    assert taken.json()["priors_taken_at"]
    items = client.get(records, headers=auth).json()["items"]
    assert [item["status"] for item in items] == ["awaiting", "awaiting", "unscreened"]
    stages = client.get(f"{root}/progress", headers=auth).json()["stages"]
    (person,) = stages["title_abstract"]["reviewers"]
    assert (person["name"], person["n_decided"]) == ("Imported", 2)
    again = client.post(f"{root}/imports/{row.id}/prior-decisions", headers=auth)
    assert again.json() == taken.json()


def test_a_search_is_reported_with_its_source(client: TestClient, team: Team, root: str) -> None:
    said = {
        "source": "Medline",
        "platform": "Ovid",
        "searched_on": "2026-11-20",
        "strategy": "exp Hip/ AND exercise.ti,ab.\n1 or 2",
    }
    answer = client.post(
        f"{root}/imports", files={"file": ("a.ris", ris(HERE))}, data=said, headers=team.owner.auth
    )
    assert answer.status_code == 202
    assert {name: answer.json()[name] for name in said} == said
