"""Conflicts as clients meet them: filters, second votes, discussion, previews."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.domain.tables import events
from world import Person, Team, World

TA = "title_abstract"


class Api:
    """One person's requests about one review."""

    def __init__(self, client: TestClient, team: Team) -> None:
        self.client, self.root = client, f"/api/v1/reviews/{team.review_id}"

    def __call__(
        self, who: Person, method: str, path: str, expect: int = 200, json: Any = None
    ) -> Any:
        answer = self.client.request(method, self.root + path, json=json, headers=who.auth)
        assert answer.status_code == expect, answer.text
        return answer.json() if answer.content else None

    def numbers(self, who: Person, query: str) -> list[str]:
        items = self(who, "GET", f"/conflicts?{query}")["items"]
        return [item["record"]["id"] for item in items]


def differ(world: World, team: Team, *numbers: int) -> None:
    for number in numbers:
        world.decide(team.review_id, team.ann, number, "include")
        world.decide(team.review_id, team.ben, number, "exclude", reasons=["wrong design"])


def conflict_on(api: Api, who: Person, number: int) -> str:
    (found,) = api(who, "GET", f"/conflicts?record_id={number}")["items"]
    return f"/conflicts/{found['id']}"


def test_conflicts_are_found_by_what_they_are(client: TestClient, world: World) -> None:
    team = world.team(n_records=5, policy={"maybe": "conflict"})
    api = Api(client, team)
    differ(world, team, 1, 2, 3)
    world.decide(team.review_id, team.eve, 4, "maybe")
    world.decide(team.review_id, team.ben, 4, "maybe")
    world.decide(team.review_id, team.ben, 3, "include")
    body = {"verdict": "include", "cause": "scope", "criterion": "Trials only"}
    settled = api(team.judge, "POST", f"{conflict_on(api, team.judge, 1)}/resolution", json=body)
    assert settled["resolution"].items() >= body.items()

    expected = {
        "": ["1", "2", "3", "4"],
        "state=open": ["2", "4"],
        "kind=maybe": ["4"],
        "cause=scope": ["1"],
        "cause=misread": [],
        "settled_by=agreement": ["3"],
        "settled_by=resolution": ["1"],
        "record_id=2": ["2"],
        f"reviewer_id={team.eve.id}": ["4"],
        f"reviewer_id={team.ann.id}&state=resolved": ["1", "3"],
        "mine=true": [],
    }
    assert {query: api.numbers(team.judge, query) for query in expected} == expected
    assert api.numbers(team.ann, "mine=true") == ["1", "3"]
    for query in ("kind=quarrel", "cause=luck", "settled_by=chance", "cursor=MQ==", "mine=perhaps"):
        api(team.judge, "GET", f"/conflicts?{query}", expect=422)
    api(team.judge, "GET", "/conflicts?record_id=none", expect=404)


@pytest.mark.parametrize("sees", ["nothing", "anonymous"])
def test_whose_conflicts_they_are_is_for_those_who_see_the_names(
    client: TestClient, world: World, sees: str
) -> None:
    team = world.team(policy={"adjudicator_sees": sees})
    api, query = Api(client, team), f"/conflicts?reviewer_id={team.ann.id}"
    differ(world, team, 1)

    for who in (team.judge, team.ann, team.observer):
        assert api(who, "GET", query, expect=403)["code"] == "forbidden"


def test_pages_stay_in_place_while_conflicts_end(client: TestClient, world: World) -> None:
    team = world.team(n_records=4)
    api = Api(client, team)
    differ(world, team, 2, 1, 4, 3)

    first = api(team.judge, "GET", "/conflicts?state=open&limit=2")
    world.resolve(team.review_id, team.judge, 2, "include")
    second = api(team.judge, "GET", f"/conflicts?state=open&limit=2&cursor={first['next_cursor']}")

    numbers = [item["record"]["id"] for item in first["items"] + second["items"]]
    assert numbers == ["2", "1", "4", "3"]
    assert second["next_cursor"] is None


def test_voters_talk_and_vote_once_more(client: TestClient, world: World) -> None:
    team = world.team(policy={"resolution": "consensus"})
    api = Api(client, team)
    differ(world, team, 1)
    conflict = conflict_on(api, team.ann, 1)
    shown = api(team.ann, "GET", conflict)
    mine = {vote["letter"]: vote["mine"] for vote in shown["decisions"]}
    own = next(letter for letter, is_mine in mine.items() if is_mine)
    assert (shown["needs"], shown["second_votes"], shown["history"]) == ("voters", [], [])

    sent = api(team.ann, "POST", f"{conflict}/messages", 201, {"text": "Why?"})
    assert (sent["author"], sent["author_id"], sent["mine"]) == (own, None, True)
    for text in ("Because.", "It is a letter."):
        api(team.ben, "POST", f"{conflict}/messages", 201, {"text": text})
    first = api(team.judge, "GET", f"{conflict}/messages?limit=2")
    rest = api(team.judge, "GET", f"{conflict}/messages?cursor={first['next_cursor']}")
    assert [(one["author"], one["text"]) for one in first["items"] + rest["items"]] == [
        ("ann", "Why?"),
        ("ben", "Because."),
        ("ben", "It is a letter."),
    ]
    for bad in ("", "   ", "x" * 10_001, 7, None):
        api(team.ann, "POST", f"{conflict}/messages", 422, {"text": bad})

    stood_by = api(team.ann, "POST", f"{conflict}/vote", json={"verdict": "include"})
    assert (stood_by["state"], stood_by["second_votes"]) == ("open", [own])
    again = api(team.ann, "POST", f"{conflict}/vote", 409, {"verdict": "include"})
    assert again["code"] == "voted_again"
    not_mine = api(team.judge, "POST", f"{conflict}/vote", 403, {"verdict": "include"})
    assert not_mine["code"] == "not_a_voter"
    over = api(team.ben, "POST", f"{conflict}/vote", json={"verdict": "include", "seconds": 3.5})
    assert (over["state"], over["resolved_by"], over["needs"]) == ("resolved", "agreement", None)
    assert {vote["reviewer"] for vote in over["decisions"]} == {"ann", "ben"}
    api(team.ben, "POST", f"{conflict}/messages", 201, {"text": "Thanks."})


def test_nobody_can_tell_a_hidden_conflict_from_none(client: TestClient, world: World) -> None:
    team = world.team()
    api, nowhere = Api(client, team), "/conflicts/00000000-0000-4000-8000-000000000000"
    differ(world, team, 1)
    conflict = conflict_on(api, team.judge, 1)

    asked: list[tuple[str, str, Any]] = [
        ("GET", "", None),
        ("GET", "/messages", None),
        ("POST", "/messages", {"text": "?"}),
        ("POST", "/vote", {"verdict": "include"}),
    ]
    for who in (team.ann, team.eve, team.observer):
        for method, path, body in asked:
            hidden, none = (api(who, method, c + path, 404, body) for c in (conflict, nowhere))
            assert hidden | {"request_id": ""} == none | {"request_id": ""}


def test_a_resolution_is_taken_back_and_kept(client: TestClient, world: World) -> None:
    team = world.team()
    api = Api(client, team)
    differ(world, team, 1)
    conflict = conflict_on(api, team.judge, 1)
    assert api(team.judge, "POST", f"{conflict}/reopen", 409)["code"] == "not_resolved"
    body = {"verdict": "include", "cause": "misread"}
    api(team.judge, "POST", f"{conflict}/resolution", json=body)
    assert api(team.ann, "POST", f"{conflict}/reopen", 403)["code"] == "own_conflict"

    opened = api(team.owner, "POST", f"{conflict}/reopen", json={"note": "read again"})

    assert (opened["state"], opened["resolution"]) == ("open", None)
    (earlier,) = opened["history"]
    assert earlier["cause"] == "misread"
    assert (earlier["taken_back_by"], earlier["taken_back_note"]) == (
        str(team.owner.id),
        "read again",
    )
    counted = api(team.judge, "GET", "/disagreements")["stages"][TA]
    assert (counted["n_open"], counted["n_resolved"], counted["by_cause"]) == (1, 0, [])
    api(team.ann, "GET", "/disagreements", expect=403)


def test_what_a_change_would_do_is_shown_and_not_done(client: TestClient, world: World) -> None:
    team = world.team()
    api = Api(client, team)
    differ(world, team, 1)
    conflict, decision = conflict_on(api, team.judge, 1), "/records/1/decision"
    n_events = len(events(world.database, team.review_id))

    def previewed(who: Person, method: str, path: str, body: Any = None) -> Any:
        answer = api(who, method, f"{path}?dry_run=true", json=body)
        assert answer.keys() == {"preview"}
        assert len(events(world.database, team.review_id)) == n_events
        return answer["preview"]

    include = {"verdict": "include"}
    settled = {
        "status_before": "conflict",
        "status_after": "included",
        "conflict": "resolved",
        "n_others_touched": 0,
    }
    blinded = {
        "status_before": "done",
        "status_after": "done",
        "conflict": None,
        "n_others_touched": 0,
    }
    assert previewed(team.judge, "POST", f"{conflict}/resolution", include) == settled
    assert previewed(team.ben, "PUT", decision, include) == blinded
    assert previewed(team.ben, "PUT", decision, {"verdict": "exclude"}) == blinded
    assert previewed(team.ben, "DELETE", decision) == blinded | {"status_after": "unscreened"}
    assert previewed(team.eve, "PUT", decision, include) == blinded | {
        "status_before": "unscreened"
    }
    api(team.judge, "POST", f"{conflict}/resolution", json=include)
    n_events = len(events(world.database, team.review_id))
    assert previewed(team.judge, "POST", f"{conflict}/reopen") == {
        "status_before": "included",
        "status_after": "conflict",
        "conflict": "reopened",
        "n_others_touched": 0,
    }
    assert previewed(team.ann, "DELETE", decision)["status_after"] == "included"
    missing = api(team.eve, "DELETE", f"{decision}?dry_run=true", 404)
    assert missing["code"] == "no_decision"


def test_a_change_of_policy_names_the_records_it_changes(client: TestClient, world: World) -> None:
    team = world.team(n_records=4)
    api = Api(client, team)
    differ(world, team, 2)
    world.decide(team.review_id, team.ann, 3, "exclude")
    change = {"policy": {TA: {"reviewers_per_record": 3}}}

    (effect,) = api(team.owner, "PATCH", "?dry_run=true", json=change)["effects"]
    assert effect["records_changed"] == [
        {"record_id": "2", "from": "conflict", "to": "awaiting"},
    ]
    assert (effect["conflicts_opened"], effect["conflicts_closed"]) == ([], ["2"])
    assert api(team.owner, "PATCH", "", json=change)["effects"] == [effect]
