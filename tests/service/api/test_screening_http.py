"""The queue, decisions, conflicts, progress and rankings as clients meet them."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from world import Person, Team, World

TA = "title_abstract"


@pytest.fixture
def team(world: World) -> Team:
    return world.team(n_records=4)


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

    def decide(self, who: Person, number: int, verdict: str, **said: Any) -> Any:
        return self(who, "PUT", f"/records/{number}/decision", json={"verdict": verdict} | said)

    def events(self, who: Person) -> list[str]:
        items = self(who, "GET", "/events?limit=500")["items"]
        return [item["type"].removeprefix("tandem.") for item in items]


@pytest.fixture
def api(client: TestClient, team: Team) -> Api:
    return Api(client, team)


def test_the_queue_holds_records_and_asking_again_adds_none(
    client: TestClient, world: World
) -> None:
    team = world.team(n_records=4, policy={"reviewers_per_record": 1})
    api, ranking = Api(client, team), world.rank(team.review_id, 3, 1, 2, 4)

    first = api(team.ann, "POST", "/queue", json={"limit": 2})
    again = api(team.ann, "POST", "/queue", json={"limit": 2})

    assert [item["record"]["id"] for item in first["items"]] == ["3", "1"]
    assert [item["rank"] for item in first["items"]] == [1, 2]
    assert {item["ranking_id"] for item in first["items"]} == {str(ranking.id)}
    assert (first["remaining"], first["state"]) == (4, "ready")
    assert [item["record"] for item in again["items"]] == [
        item["record"] for item in first["items"]
    ]
    assert all(
        renewed["lease_expires_at"] >= given["lease_expires_at"]
        for given, renewed in zip(first["items"], again["items"], strict=True)
    )
    assert first["items"][0].keys() >= {
        "record", "rank", "score", "ranking_id", "lease_expires_at"
    }  # fmt: skip


def test_a_body_is_not_needed_to_ask_for_more(api: Api, team: Team) -> None:
    assert len(api(team.ann, "POST", "/queue")["items"]) == 4


def test_later_gives_a_record_back(api: Api, team: Team) -> None:
    api(team.ann, "POST", "/queue", json={"limit": 1})

    api(team.ann, "DELETE", "/queue/1", expect=204)

    served = api(team.ann, "POST", "/queue", json={"limit": 10})["items"]
    assert [item["record"]["id"] for item in served] == ["2", "3", "4", "1"]
    api(team.ann, "DELETE", "/queue/99", expect=404)


def test_a_queue_ends(api: Api, team: Team) -> None:
    for number in range(1, 5):
        api.decide(team.ann, number, "exclude")

    assert api(team.ann, "POST", "/queue") == {
        "items": [],
        "remaining": 0,
        "state": "finished",
        "withheld": 0,
        "workload": {"target": None, "decided": 4, "left": None},
    }


@pytest.mark.parametrize("limit", [0, 501, "5", True, 2.5, None])
def test_the_size_of_a_helping_is_bounded(api: Api, team: Team, limit: object) -> None:
    problem = api(team.ann, "POST", "/queue", expect=422, json={"limit": limit})

    assert problem["errors"][0]["field"] == "limit"


def test_a_decision_is_recorded_once_however_often_it_is_sent(api: Api, team: Team) -> None:
    said = {"reasons": ["wrong population"], "labels": ["x"], "note": "n", "seconds": 3.5}

    first = api.decide(team.ann, 1, "exclude", **said)
    found = api.events(team.owner)
    again = api.decide(team.ann, 1, "exclude", **said)

    assert again == first
    assert api.events(team.owner) == found
    assert first["record"] == {"status": "done", "stage": TA}
    assert first["decision"].items() >= (said | {"verdict": "exclude", "record_id": "1"}).items()


def test_another_verdict_replaces_the_first(api: Api, team: Team) -> None:
    first = api.decide(team.ann, 1, "exclude")
    second = api.decide(team.ann, 1, "maybe")

    assert second["decision"]["id"] != first["decision"]["id"]
    assert api(team.ann, "GET", "/records/1")["my_decision"] == second["decision"]
    assert api(team.owner, "GET", "/progress")["stages"][TA]["counts"]["awaiting"] == 1


def test_a_decision_can_be_withdrawn(api: Api, team: Team) -> None:
    api.decide(team.ann, 1, "include")

    gone = api(team.ann, "DELETE", f"/records/1/decision?stage={TA}")

    assert gone["decision"] is None
    assert gone["record"] == {"status": "unscreened", "stage": TA}
    problem = api(team.ann, "DELETE", "/records/1/decision", expect=404)
    assert problem["code"] == "no_decision"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "verdict"),
        ({"verdict": "yes"}, "verdict"),
        ({"verdict": None}, "verdict"),
        ({"verdict": "include", "reasons": ["", "b"]}, "reasons.0"),
        ({"verdict": "include", "reasons": ["r"] * 21}, "reasons"),
        ({"verdict": "include", "labels": "one"}, "labels"),
        ({"verdict": "include", "note": "a\x00"}, "note"),
        ({"verdict": "include", "note": "n" * 20_001}, "note"),
        ({"verdict": "include", "seconds": -1}, "seconds"),
        ({"verdict": "include", "seconds": "3"}, "seconds"),
        ({"verdict": "include", "stage": "abstract"}, "stage"),
        ({"verdict": "include", "reason": "typo"}, "reason"),
        ([], "body"),
        ("include", "body"),
    ],
)
def test_a_malformed_decision_names_its_field(
    api: Api, team: Team, body: object, field: str
) -> None:
    found = api.events(team.owner)

    problem = api(team.ann, "PUT", "/records/1/decision", expect=422, json=body)

    assert [error["field"] for error in problem["errors"]] == [field]
    assert api.events(team.owner) == found


def test_many_decisions_each_succeed_or_fail_alone(api: Api, team: Team) -> None:
    items: list[Any] = [
        {"record_id": "1", "verdict": "include"},
        {"record_id": "99", "verdict": "include"},
        {"record_id": "2", "verdict": "perhaps"},
        {"record_id": 3, "verdict": "include"},
        "junk",
        None,
        {"record_id": "9" * 5000, "verdict": "include"},
        {"record_id": "2", "verdict": "exclude", "reasons": ["r"]},
        {"record_id": "1", "verdict": "include"},
        {"record_id": "a\x00", "verdict": "include"},
    ]

    results = api(team.ann, "POST", "/decisions", expect=207, json={"items": items})["items"]

    assert [result["status"] for result in results] == [
        200, 404, 422, 422, 422, 422, 422, 200, 200, 422
    ]  # fmt: skip
    assert [result["record_id"] for result in results[:5]] == ["1", "99", "2", None, None]
    assert results[0]["decision"]["verdict"] == "include"
    assert results[8]["decision"] == results[0]["decision"]
    assert results[1]["error"]["code"] == "not_found"
    assert results[2]["error"]["detail"].startswith("verdict: ")
    assert api.events(team.owner).count("decision.recorded") == 2


def test_a_thousand_decisions_are_taken_and_one_more_is_not(api: Api, team: Team) -> None:
    items = [{"record_id": str(n % 4 + 1), "verdict": "exclude"} for n in range(1000)]

    problem = api(team.ann, "POST", "/decisions", expect=422, json={"items": [*items, items[0]]})
    results = api(team.ann, "POST", "/decisions", expect=207, json={"items": items})

    assert problem["errors"][0]["field"] == "items"
    assert [result["status"] for result in results["items"]] == [200] * 1000
    assert api.events(team.owner).count("decision.recorded") == 4


def test_nobody_without_the_right_writes_any_of_many(api: Api, team: Team) -> None:
    body = {"items": [{"record_id": "1", "verdict": "include"}]}

    api(team.observer, "POST", "/decisions", expect=403, json=body)

    assert "decision.recorded" not in api.events(team.owner)


def in_conflict(api: Api, team: Team) -> str:
    api.decide(team.ann, 1, "include")
    api.decide(team.ben, 1, "exclude", reasons=["wrong population"])
    (conflict,) = api(team.judge, "GET", "/conflicts?state=open")["items"]
    return str(conflict["id"])


def test_a_conflict_is_settled_by_a_third_person(api: Api, team: Team) -> None:
    conflict = f"/conflicts/{in_conflict(api, team)}"
    shown = api(team.judge, "GET", conflict)
    assert (shown["state"], shown["kind"], shown["record"]["id"]) == ("open", "verdict", "1")
    assert {(vote["reviewer"], vote["verdict"]) for vote in shown["decisions"]} == {
        ("ann", "include"),
        ("ben", "exclude"),
    }
    body = {"verdict": "include", "note": "n", "reasons": ["r"], "cause": "scope"}

    settled = api(team.judge, "POST", f"{conflict}/resolution", json=body)

    assert (settled["state"], settled["resolved_by"]) == ("resolved", "resolution")
    assert settled["resolution"].items() >= body.items()
    assert settled["resolution"]["resolver_id"] == str(team.judge.id)
    problem = api(team.owner, "POST", f"{conflict}/resolution", expect=409, json=body)
    assert problem["code"] == "already_resolved"
    assert api(team.judge, "GET", "/conflicts?state=open")["items"] == []
    assert len(api(team.judge, "GET", f"/conflicts?state=resolved&stage={TA}")["items"]) == 1
    assert api(team.ann, "GET", "/records/1")["status"] == "included"


def test_voters_do_not_settle_their_own_conflict(api: Api, team: Team, world: World) -> None:
    resolution = f"/conflicts/{in_conflict(api, team)}/resolution"
    world.decide(team.review_id, team.judge, 1, "include")
    body = {"verdict": "include"}

    for voter in (team.ann, team.judge):
        assert api(voter, "POST", resolution, expect=403, json=body)["code"] == "own_conflict"
    problem = api(team.eve, "POST", resolution, expect=403, json=body)
    assert problem["code"] == "forbidden"
    api(team.owner, "POST", resolution, json=body)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "verdict"),
        ({"verdict": "maybe"}, "verdict"),
        ({"verdict": "include", "cause": "bad luck"}, "cause"),
        ({"verdict": "include", "reasons": [1]}, "reasons.0"),
    ],
)
def test_a_malformed_resolution_names_its_field(
    api: Api, team: Team, body: dict[str, Any], field: str
) -> None:
    resolution = f"/conflicts/{in_conflict(api, team)}/resolution"

    problem = api(team.judge, "POST", resolution, expect=422, json=body)

    assert problem["errors"][0]["field"] == field


def test_conflicts_are_listed_in_pages(api: Api, team: Team) -> None:
    for number in (1, 2, 3):
        api.decide(team.ann, number, "include")
        api.decide(team.ben, number, "exclude")
    first = api(team.judge, "GET", "/conflicts?limit=2")
    second = api(team.judge, "GET", f"/conflicts?limit=2&cursor={first['next_cursor']}")

    numbers = [item["record"]["id"] for item in first["items"] + second["items"]]
    assert numbers == ["1", "2", "3"]
    assert second["next_cursor"] is None


def test_progress_counts_for_each_what_is_theirs_to_see(api: Api, team: Team) -> None:
    in_conflict(api, team)
    api.decide(team.ann, 2, "include")
    api.decide(team.ben, 2, "include")
    api.decide(team.ann, 3, "exclude")

    everything = api(team.owner, "GET", "/progress")["stages"][TA]
    own = api(team.ann, "GET", "/progress")["stages"][TA]

    assert everything["counts"] == {
        "unscreened": 1, "awaiting": 1, "conflict": 1, "included": 1, "excluded": 0
    }  # fmt: skip
    assert {(one["name"], one["n_decided"]) for one in everything["reviewers"]} == {
        ("ann", 3),
        ("ben", 2),
    }
    assert everything["recall_curve"][-1]["n_included"] == 1
    assert own["counts"] == {"unscreened": 1, "done": 3}
    assert [one["name"] for one in own["reviewers"]] == ["ann"]
    assert own["recall_curve"] is None


def test_rankings_are_listed_the_newest_first_and_asked_for(
    api: Api, team: Team, world: World
) -> None:
    older = world.rank(team.review_id, 1, 2)
    asked = api(team.ann, "POST", "/rankings", expect=202)
    newer = world.rank(team.review_id, 2, 1)

    listed = api(team.owner, "GET", "/rankings")["items"]

    assert [item["id"] for item in listed] == [str(newer.id), str(older.id)]
    assert asked["labels_seq"] == listed[1]["labels_seq"] + 1
    assert api(team.owner, "GET", f"/rankings/{newer.id}") == listed[0]
    blinded = api(team.ann, "GET", f"/rankings/{newer.id}")
    assert (blinded["n_labels"], blinded["n_relevant"]) == (None, None)


def test_a_decision_keeps_where_its_record_stood_also_where_it_was_not_served(
    api: Api, team: Team, world: World
) -> None:
    def decided(record_id: str) -> tuple[int | None, str | None]:
        body = {"verdict": "exclude"}
        made = api(team.ann, "PUT", f"/records/{record_id}/decision", json=body)["decision"]
        return made["rank"], made["ranking_id"]

    assert decided("4") == (None, None)  # before there is any ranking
    world.rank(team.review_id, 3, 1, 2)
    (served,) = api(team.ann, "POST", "/queue", json={"limit": 1})["items"]
    second = world.rank(team.review_id, 2, 3, 1)
    one, other = (n for n in (2, 3, 1) if str(n) != served["record"]["id"])

    assert decided(served["record"]["id"]) == (served["rank"], served["ranking_id"])
    assert decided(str(one)) == ((2, 3, 1).index(one) + 1, str(second.id))
    items = [{"record_id": str(number), "verdict": "include"} for number in (other, 4)]
    bulk = api(team.ann, "POST", "/decisions", json={"items": items}, expect=207)["items"]
    assert [(item["decision"]["rank"], item["decision"]["ranking_id"]) for item in bulk] == [
        ((2, 3, 1).index(other) + 1, str(second.id)),
        (None, None),
    ]


def test_rankings_are_paged_by_what_was_seen(api: Api, team: Team, world: World) -> None:
    made = [str(world.rank(team.review_id, 1).id) for _ in range(4)]
    first = api(team.owner, "GET", "/rankings?limit=2")
    world.rank(team.review_id, 2)  # comes in before the first page, and moves nothing
    rest = api(team.owner, "GET", f"/rankings?cursor={first['next_cursor']}")

    assert [item["id"] for item in first["items"] + rest["items"]] == made[::-1]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    "accept",
    [
        "application/json;q=0.9, text/event-stream;q=0.1",
        "text/event-stream;q=0, application/json",
        "text/event-stream;q=0, */*",
        "text/event-stream;q=much",
        "*/*",
    ],
)
def test_who_prefers_json_gets_a_list(client: TestClient, team: Team, accept: str) -> None:
    answer = client.get(
        f"/api/v1/reviews/{team.review_id}/events", headers=team.owner.auth | {"Accept": accept}
    )
    assert answer.json()["items"][0]["sequence"] == 1


def test_the_log_can_be_replayed_from_any_number(api: Api, team: Team) -> None:
    in_conflict(api, team)
    whole = api(team.owner, "GET", "/events")["items"]
    numbers = [event["sequence"] for event in whole]

    assert numbers == list(range(1, len(whole) + 1))
    assert whole[-1].keys() == {
        "specversion", "id", "source", "type", "time", "subject", "datacontenttype", "data",
        "sequence",
    }  # fmt: skip
    assert whole[-1]["type"] == "tandem.conflict.opened"
    assert "subject" not in whole[0]  # not null: libraries for CloudEvents refuse that
    assert api(team.owner, "GET", "/events?after=3")["items"] == whole[3:]
    page = api(team.owner, "GET", "/events?limit=3")
    assert page["items"] == whole[:3]
    rest = api(team.owner, "GET", f"/events?cursor={page['next_cursor']}")
    assert rest == {"items": whole[3:], "next_cursor": None}
    assert api(team.owner, "GET", f"/events?after={len(whole)}")["items"] == []
    assert api(team.owner, "GET", f"/events?after={2**31 - 1}")["items"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("after=-1", "after"),
        ("after=x", "after"),
        (f"after={'9' * 5000}", "after"),
        ("cursor=x", "cursor"),
        (f"cursor={'9' * 5000}", "cursor"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
    ],
)
def test_a_malformed_position_names_its_field(api: Api, team: Team, query: str, field: str) -> None:
    problem = api(team.owner, "GET", f"/events?{query}", expect=422)

    assert problem["errors"][0]["field"] == field


@pytest.mark.parametrize("last", ["x", "-1", "9" * 5000, b"\xff"])
def test_a_stream_does_not_begin_behind_what_is_no_event(
    client: TestClient, team: Team, last: str | bytes
) -> None:
    headers: dict[str, Any] = {"Accept": "text/event-stream", "Last-Event-ID": last}

    answer = client.get(
        f"/api/v1/reviews/{team.review_id}/events", headers=headers | team.owner.auth
    )

    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["field"], error["location"]) == ("Last-Event-ID", "header")


@pytest.mark.parametrize("last", ["9" * 5000, str(2**64), str(2**31), "900"])
def test_a_last_event_that_is_too_large_is_said_to_be(
    client: TestClient, team: Team, last: str
) -> None:
    for who in (team.owner, team.ann):
        listed = client.get(f"/api/v1/reviews/{team.review_id}/events", headers=who.auth).json()
        newest = listed["items"][-1]["sequence"]
        headers = {"Accept": "text/event-stream", "Last-Event-ID": last}

        answer = client.get(f"/api/v1/reviews/{team.review_id}/events", headers=headers | who.auth)

        assert answer.status_code == 422
        assert "too large" in answer.json()["detail"]
        assert last != "900" or f"is {newest}." in answer.json()["detail"]
