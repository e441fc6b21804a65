"""What a page needs of a review: words to highlight, and where its log stands."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.api.scene import API
from world import Person, World


def path_of(world: World, owner: Person) -> str:
    return f"{API}/reviews/{world.review(owner)}"


def test_highlights_are_kept_tidy_and_shown_to_all_members(
    client: TestClient, world: World
) -> None:
    team = world.team(n_records=0)
    path = f"{API}/reviews/{team.review_id}"
    said = {"for": [" peer   support ", "Interview*", "interview*"], "against": ["protocol"]}
    kept = {"for": ["peer support", "Interview*"], "against": ["protocol"]}

    changed = client.patch(path, json={"highlights": said}, headers=team.owner.auth)
    assert changed.json()["highlights"] == kept
    for person in (team.ann, team.observer):
        assert client.get(path, headers=person.auth).json()["highlights"] == kept
    refused = client.patch(path, json={"highlights": said}, headers=team.judge.auth)
    assert refused.status_code == 403

    client.patch(path, json={"highlights": {"against": []}}, headers=team.owner.auth)
    assert client.get(path, headers=team.ann.auth).json()["highlights"] == kept | {"against": []}
    (*_, event) = client.get(f"{path}/events", headers=team.ann.auth).json()["items"]
    assert event["data"] == {"changed": ["highlights"]}


@pytest.mark.parametrize("word", ["*", "inter*view", "* trial", "**", "", "  ", "x" * 101, 7])
def test_an_asterisk_only_ends_a_word(client: TestClient, world: World, word: Any) -> None:
    owner = world.person()
    path = path_of(world, owner)

    answer = client.patch(path, json={"highlights": {"for": ["fine", word]}}, headers=owner.auth)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith("highlights.for")


def test_highlights_are_given_with_a_new_review_and_make_no_ranking_stale(
    client: TestClient, world: World
) -> None:
    owner = world.person()
    said = {"for": ["peer*"], "against": []}
    made = client.post(
        f"{API}/reviews", json={"title": "T", "highlights": said}, headers=owner.auth
    ).json()
    path = f"{API}/reviews/{made['id']}"
    assert made["highlights"] == said

    before = client.get(f"{path}/progress", headers=owner.auth).json()
    client.patch(path, json={"highlights": {"for": ["other"]}}, headers=owner.auth)
    assert client.get(f"{path}/progress", headers=owner.auth).json() == before


def test_the_sequence_is_that_of_the_newest_event_that_one_may_know_of(
    client: TestClient, world: World
) -> None:
    team = world.team(n_records=1)
    path = f"{API}/reviews/{team.review_id}"
    world.decide(team.review_id, team.ann, 1, "include")
    world.decide(team.review_id, team.ben, 1, "exclude")
    shown = {}
    for person in (team.owner, team.eve):
        shown[person.name] = client.get(path, headers=person.auth).json()["sequence"]
        listed = client.get(f"{API}/reviews", headers=person.auth).json()["items"]
        assert listed[0]["sequence"] == shown[person.name]
        events = client.get(f"{path}/events?limit=500", headers=person.auth).json()["items"]
        assert events[-1]["sequence"] == shown[person.name] == len(events)
        latest = client.get(f"{path}/events?after=latest", headers=person.auth).json()
        assert latest == {"items": [], "next_cursor": None}
    # She sees no conflict, and counts none.
    assert shown["eve"] < shown["owner"]


@pytest.mark.parametrize("after", ["newest", "-1", "99999999999", ""])
def test_another_word_than_latest_is_refused(client: TestClient, world: World, after: str) -> None:
    owner = world.person()
    answer = client.get(f"{path_of(world, owner)}/events?after={after}", headers=owner.auth)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["after"]
