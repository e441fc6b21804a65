"""Reviews, policies and members as clients meet them."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from world import Person, World

API = "/api/v1"
DEFAULT = {
    "reviewers_per_record": 2,
    "blind": True,
    "maybe": "as_include",
    "reasons_must_match": False,
    "resolution": "adjudicator",
    "voter_may_adjudicate": False,
    "adjudicator_sees": "all",
    "single_include_advances": False,
    "ranking_learns_from": "settled",
}


@pytest.fixture
def owner(world: World) -> Person:
    return world.person("owner")


def created(client: TestClient, owner: Person, **body: Any) -> dict[str, Any]:
    answer = client.post(f"{API}/reviews", json={"title": "T"} | body, headers=owner.auth)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_what_is_left_out_of_a_policy_is_the_careful_default(
    client: TestClient, owner: Person
) -> None:
    made = created(client, owner)

    assert made["policy"] == {
        "title_abstract": DEFAULT,
        "full_text": DEFAULT | {"maybe": "conflict"},
    }
    assert (made["role"], made["question"]) == ("owner", None)
    assert made["criteria"] == {"include": [], "exclude": []}


def test_any_part_of_a_policy_may_be_given(client: TestClient, owner: Person) -> None:
    made = created(client, owner, policy={"full_text": {"reviewers_per_record": 1}})

    assert made["policy"]["title_abstract"] == DEFAULT
    assert made["policy"]["full_text"] == DEFAULT | {
        "maybe": "conflict",
        "reviewers_per_record": 1,
    }
    assert client.get(f"{API}/reviews/{made['id']}", headers=owner.auth).json() == made


def test_reviews_are_listed_in_pages_for_their_members(
    client: TestClient, owner: Person, world: World
) -> None:
    ids = {created(client, owner)["id"] for _ in range(3)}
    created(client, world.person())
    first = client.get(f"{API}/reviews?limit=2", headers=owner.auth).json()
    second = client.get(
        f"{API}/reviews?limit=2&cursor={first['next_cursor']}", headers=owner.auth
    ).json()

    assert {item["id"] for item in first["items"] + second["items"]} == ids
    assert second["next_cursor"] is None


def test_a_dry_run_shows_the_effect_and_does_nothing(client: TestClient, world: World) -> None:
    team = world.team(n_records=2)
    for person, verdict in ((team.ann, "include"), (team.ben, "exclude")):
        world.decide(team.review_id, person, 1, verdict)
    world.decide(team.review_id, team.ann, 2, "exclude")
    path, auth = f"{API}/reviews/{team.review_id}", team.owner.auth
    before = [
        client.get(f"{path}{part}", headers=auth).json() for part in ("", "/events", "/records")
    ]
    change = {"title": "New", "policy": {"title_abstract": {"reviewers_per_record": 1}}}

    shown = client.patch(f"{path}?dry_run=true", json=change, headers=auth)

    assert shown.status_code == 200
    assert shown.json()["dry_run"] is True
    assert shown.json()["policy"]["title_abstract"]["reviewers_per_record"] == 1
    assert shown.json()["effects"] == [
        {
            "stage": "title_abstract",
            "n_records_changed": 1,
            "n_conflicts_opened": 0,
            "n_conflicts_closed": 0,
            "records_changed": [{"record_id": "2", "from": "awaiting", "to": "excluded"}],
            "conflicts_opened": [],
            "conflicts_closed": [],
            "note": None,
        }
    ]
    after = [
        client.get(f"{path}{part}", headers=auth).json() for part in ("", "/events", "/records")
    ]
    assert after == before

    done = client.patch(path, json=change, headers=auth).json()

    assert done == shown.json() | {"dry_run": False, "sequence": done["sequence"]}
    assert client.get(path, headers=auth).json()["title"] == "New"
    assert client.get(f"{path}/records/2", headers=auth).json()["status"] == "excluded"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "title"),
        ({"title": ""}, "title"),
        ({"title": "x" * 501}, "title"),
        ({"title": "a\x00b"}, "title"),
        ({"title": 1}, "title"),
        ({"title": "T", "criteria": {"include": [""]}}, "criteria.include.0"),
        ({"title": "T", "criteria": {"includes": []}}, "criteria.includes"),
        (
            {"title": "T", "policy": {"title_abstract": {"blind": "yes"}}},
            "policy.title_abstract.blind",
        ),
        (
            {"title": "T", "policy": {"title_abstract": {"reviewers_per_record": True}}},
            "policy.title_abstract.reviewers_per_record",
        ),
        (
            {"title": "T", "policy": {"title_abstract": {"reviewers_per_record": 4}}},
            "policy.title_abstract.reviewers_per_record",
        ),
        ({"title": "T", "policy": {"later": {}}}, "policy.later"),
        ({"title": "T", "seed_studies": "10.1000/a"}, "seed_studies"),
        ({"title": "T", "seed_studies": None}, "seed_studies"),
        ({"title": "T", "seed_studies": [22000017]}, "seed_studies.0"),
        ({"title": "T", "seed_studies": ["ok", "x" * 2001]}, "seed_studies.1"),
        ({"title": "T", "seed_studies": ["a\x00b"]}, "seed_studies.0"),
        ({"title": "T", "seed_studies": ["same"] * 501}, "seed_studies"),
    ],
)
def test_a_malformed_review_names_its_field(
    client: TestClient, owner: Person, body: dict[str, Any], field: str
) -> None:
    answer = client.post(f"{API}/reviews", json=body, headers=owner.auth)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert client.get(f"{API}/reviews", headers=owner.auth).json()["items"] == []


def test_seed_studies_are_shown_as_given_with_the_records_that_they_are(
    client: TestClient, owner: Person
) -> None:
    given = ["https://doi.org/10.1000/A", " PMID: 22000017 ", "Walking – a trial"]
    repeated = ["", " \n", "…", "doi:10.1000/a", "22000017", "WALKING: A TRIAL"]

    made = created(client, owner, seed_studies=given + repeated)

    assert made["seed_studies"] == [text.strip() for text in given]
    assert made["seed_studies_found"] == [
        {"given": text.strip(), "record_id": None} for text in given
    ]
    assert client.get(f"{API}/reviews/{made['id']}", headers=owner.auth).json() == made
    (listed,) = client.get(f"{API}/reviews", headers=owner.auth).json()["items"]
    whole = {"seed_studies_found", "warnings"}
    assert {name: made[name] for name in made if name not in whole}.items() <= listed.items()


def test_as_many_and_as_long_seed_studies_as_allowed(client: TestClient, owner: Person) -> None:
    given = [f"{number:04}" + "x" * 1996 for number in range(500)]

    assert created(client, owner, seed_studies=given)["seed_studies"] == given


def test_everybody_in_the_review_sees_which_seed_studies_were_found(
    client: TestClient, world: World
) -> None:
    team = world.team(n_records=3)
    path = f"{API}/reviews/{team.review_id}"
    change = {"seed_studies": ["title 2.", "A study nobody found"]}
    found = [
        {"given": "title 2.", "record_id": "2"},
        {"given": "A study nobody found", "record_id": None},
    ]

    for person in (team.judge, team.ann, team.observer):
        assert client.patch(path, json=change, headers=person.auth).status_code == 403
    shown = client.patch(f"{path}?dry_run=true", json=change, headers=team.owner.auth).json()
    assert shown["seed_studies_found"] == found
    assert client.get(path, headers=team.ann.auth).json()["seed_studies"] == []
    done = client.patch(path, json=change, headers=team.owner.auth).json()

    assert done == shown | {"dry_run": False, "sequence": done["sequence"]}
    for person in (team.owner, team.judge, team.ann, team.observer):
        seen = client.get(path, headers=person.auth).json()
        assert (seen["seed_studies"], seen["seed_studies_found"]) == (change["seed_studies"], found)
    record = client.get(f"{path}/records/2", headers=team.ann.auth).json()
    assert (record["status"], record["my_decision"]) == ("unscreened", None)


def test_a_change_of_seed_studies_is_one_event_and_kept_until_the_next(
    client: TestClient, world: World
) -> None:
    team = world.team()
    path, auth = f"{API}/reviews/{team.review_id}", team.owner.auth

    def change(**body: Any) -> list[str]:
        answer = client.patch(path, json=body, headers=auth)
        assert answer.status_code == 200
        made: list[str] = answer.json()["seed_studies"]
        return made

    assert change(seed_studies=["Title 1"]) == ["Title 1"]
    assert change(seed_studies=["Title 1", " "]) == ["Title 1"]
    assert change(title="Another title") == ["Title 1"]
    assert change(seed_studies=None) == ["Title 1"]
    assert change(seed_studies=[]) == []
    events = client.get(f"{path}/events?limit=500", headers=auth).json()["items"]
    reported = [
        item["data"]["changed"] for item in events if item["type"] == "tandem.review.changed"
    ]
    assert reported == [["seed_studies"], ["title"], ["seed_studies"]]


def test_members_come_and_go(client: TestClient, owner: Person, world: World) -> None:
    ann, path = world.person("ann"), f"{API}/reviews/{created(client, owner)['id']}"
    member = f"{path}/members/{ann.id}"

    added = client.put(member, json={"role": "reviewer"}, headers=owner.auth)
    raised = client.put(member, json={"role": "adjudicator"}, headers=owner.auth)

    assert added.status_code == raised.status_code == 200
    assert (added.json()["role"], raised.json()["role"]) == ("reviewer", "adjudicator")
    listed = client.get(f"{path}/members", headers=ann.auth).json()["items"]
    assert [(item["name"], item["role"]) for item in listed] == [
        ("owner", "owner"),
        ("ann", "adjudicator"),
    ]
    assert client.delete(member, headers=owner.auth).status_code == 204
    assert client.get(path, headers=ann.auth).status_code == 404
    assert client.delete(member, headers=owner.auth).status_code == 404
    nobody = f"{path}/members/{path.rpartition('/')[2]}"
    assert client.put(nobody, json={"role": "reviewer"}, headers=owner.auth).status_code == 404


def test_a_review_keeps_an_owner(client: TestClient, owner: Person, world: World) -> None:
    ann, path = world.person("ann"), f"{API}/reviews/{created(client, owner)['id']}"
    mine = f"{path}/members/{owner.id}"

    left = client.delete(mine, headers=owner.auth)
    demoted = client.put(mine, json={"role": "observer"}, headers=owner.auth)

    assert (left.status_code, left.json()["code"]) == (409, "last_owner")
    assert (demoted.status_code, demoted.json()["code"]) == (409, "last_owner")
    client.put(f"{path}/members/{ann.id}", json={"role": "owner"}, headers=owner.auth)
    assert client.delete(mine, headers=owner.auth).status_code == 204


def test_members_are_listed_in_pages(client: TestClient, world: World) -> None:
    team = world.team()
    path, names, cursor = f"{API}/reviews/{team.review_id}/members?limit=4", [], ""
    while True:
        page = client.get(path + cursor, headers=team.ann.auth).json()
        names += [item["name"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"

    assert sorted(names) == ["ann", "ben", "eve", "judge", "observer", "owner"]


@pytest.mark.parametrize("role", ["chief", "", None, 1])
def test_an_unknown_role_is_refused(
    client: TestClient, owner: Person, world: World, role: object
) -> None:
    ann, path = world.person("ann"), f"{API}/reviews/{created(client, owner)['id']}"

    answer = client.put(f"{path}/members/{ann.id}", json={"role": role}, headers=owner.auth)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "role"


def test_a_majority_of_fewer_than_three_is_pointed_out(client: TestClient, world: World) -> None:
    owner = world.person()
    policy = {"title_abstract": {"resolution": "majority"}}
    made = client.post(f"{API}/reviews", json={"title": "A", "policy": policy}, headers=owner.auth)
    warning = made.json()["warnings"][0]
    assert warning["code"] == "majority_needs_three"
    assert warning["message"].startswith("title_abstract: a majority needs 3")

    path = f"{API}/reviews/{made.json()['id']}"
    three = {"policy": {"title_abstract": {"reviewers_per_record": 3}}}
    tried = client.patch(f"{path}?dry_run=true", json=three, headers=owner.auth).json()
    assert warning not in tried["warnings"]
    assert client.get(path, headers=owner.auth).json()["warnings"][0] == warning
