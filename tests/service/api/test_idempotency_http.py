"""A write that is sent twice under one Idempotency-Key is done once."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.domain.threads import at_once
from world import Person, World

API = "/api/v1"
KEY = {"Idempotency-Key": "6c1f"}


@pytest.fixture
def ann(world: World) -> Person:
    return world.person("ann")


def titles(client: TestClient, who: Person) -> list[str]:
    listed = client.get(f"{API}/reviews", headers=who.auth).json()["items"]
    return [item["title"] for item in listed]


def create(client: TestClient, who: Person, title: str = "T", **headers: str) -> Any:
    return client.post(f"{API}/reviews", json={"title": title}, headers=who.auth | KEY | headers)


def test_the_same_request_is_answered_as_the_first_time(client: TestClient, ann: Person) -> None:
    first, again = create(client, ann), create(client, ann)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert titles(client, ann) == ["T"]


def test_another_body_under_the_same_key_is_refused(client: TestClient, ann: Person) -> None:
    create(client, ann)

    other = create(client, ann, "U")

    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert titles(client, ann) == ["T"]


def test_another_path_or_query_under_the_same_key_is_refused(
    client: TestClient, world: World
) -> None:
    team = world.team()
    path = f"{API}/reviews/{team.review_id}"

    def put(number: int) -> int:
        return client.put(
            f"{path}/records/{number}/decision",
            json={"verdict": "include"},
            headers=team.ann.auth | KEY,
        ).status_code

    assert (put(1), put(2)) == (200, 409)
    change: dict[str, Any] = {"json": {"title": "N"}, "headers": team.owner.auth | KEY}
    assert client.patch(f"{path}?dry_run=true", **change).status_code == 200
    assert client.patch(path, **change).status_code == 409


def test_keys_of_two_people_have_nothing_to_do_with_each_other(
    client: TestClient, ann: Person, world: World
) -> None:
    ben = world.person("ben")

    assert create(client, ann).json()["id"] != create(client, ben).json()["id"]


def test_a_request_that_failed_may_be_corrected_under_its_key(
    client: TestClient, ann: Person
) -> None:
    assert create(client, ann, "").status_code == 422
    assert create(client, ann, "T").status_code == 201


def test_a_request_that_was_refused_is_judged_again(client: TestClient, world: World) -> None:
    team = world.team()
    path, body = f"{API}/reviews/{team.review_id}/queue", {"limit": 1}

    def ask() -> int:
        return client.post(path, json=body, headers=team.observer.auth | KEY).status_code

    before = ask()
    member = f"{API}/reviews/{team.review_id}/members/{team.observer.id}"
    client.put(member, json={"role": "reviewer"}, headers=team.owner.auth)

    assert (before, ask()) == (403, 200)


def test_a_batch_that_is_sent_again_enters_nothing_that_was_withdrawn_meanwhile(
    client: TestClient, world: World
) -> None:
    team = world.team(n_records=2)
    at, ann = f"{API}/reviews/{team.review_id}", team.ann.auth
    items = [{"record_id": n, "verdict": "include", "basis": None} for n in ("1", "2")]
    sent = client.post(f"{at}/decisions", json={"items": items}, headers=ann | KEY)
    assert sent.status_code == 207
    assert client.delete(f"{at}/records/1/decision", headers=ann).status_code == 200

    again = client.post(f"{at}/decisions", json={"items": items}, headers=ann | KEY)

    assert again.json() == sent.json()
    assert client.get(f"{at}/records/1", headers=ann).json()["my_decision"] is None


def test_an_answer_without_a_body_is_repeated_too(client: TestClient, world: World) -> None:
    team = world.team()
    path = f"{API}/reviews/{team.review_id}/members/{team.eve.id}"

    first = client.delete(path, headers=team.owner.auth | KEY)
    again = client.delete(path, headers=team.owner.auth | KEY)

    assert (first.status_code, again.status_code, again.content) == (204, 204, b"")
    assert client.delete(path, headers=team.owner.auth).status_code == 404


def test_a_secret_is_never_stored_to_be_repeated(client: TestClient, ann: Person) -> None:
    def make() -> Any:
        return client.post(f"{API}/me/tokens", json={"name": "x"}, headers=ann.auth | KEY)

    first, again = make(), make()

    assert first.status_code == 201
    assert (again.status_code, again.json()["code"]) == (409, "idempotency_key_reused")
    assert "token" not in again.json()
    listed = client.get(f"{API}/me/tokens", headers=ann.auth).json()["items"]
    assert [item["name"] for item in listed] == ["test", "x"]


@pytest.mark.both_engines
def test_two_at_the_same_instant_are_done_once(client: TestClient, ann: Person) -> None:
    answers = at_once([lambda: create(client, ann)] * 4)

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert titles(client, ann) == ["T"]


@pytest.mark.both_engines
def test_of_two_different_at_the_same_instant_one_is_refused(
    client: TestClient, ann: Person
) -> None:
    answers = at_once([lambda: create(client, ann, "T"), lambda: create(client, ann, "U")])

    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert len(titles(client, ann)) == 1


@pytest.mark.parametrize("key", ["", "k" * 201, "a\x00b"])
def test_a_key_has_one_to_200_characters(client: TestClient, ann: Person, key: str) -> None:
    answer = create(client, ann, **{"Idempotency-Key": key})

    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["field"], error["location"]) == ("Idempotency-Key", "header")
