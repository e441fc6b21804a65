"""Decisions that say what their client knew, and when they were made."""

import csv
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.domain.tables import assert_in_step
from service.domain.threads import at_once
from world import Person, Team, World

TA = "title_abstract"
OLD = "00000000-0000-4000-8000-000000000000"


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

    def decide(self, who: Person, number: int, verdict: str, expect: int = 200, **said: Any) -> Any:
        path, body = f"/records/{number}/decision", {"verdict": verdict} | said
        return self(who, "PUT", path, expect=expect, json=body)

    def batch(self, who: Person, *items: Any) -> list[Any]:
        sent = {"items": list(items)}
        found: list[Any] = self(who, "POST", "/decisions", expect=207, json=sent)["items"]
        return found

    def n_entries(self, who: Person) -> int:
        kinds = [item["type"] for item in self(who, "GET", "/events?limit=500")["items"]]
        return sum(kind.startswith("tandem.decision.") for kind in kinds)


@pytest.fixture
def team(world: World) -> Team:
    return world.team(n_records=4)


@pytest.fixture
def api(client: TestClient, team: Team) -> Api:
    return Api(client, team)


def test_a_decision_on_what_is_known_replaces_it(api: Api, team: Team) -> None:
    first = api.decide(team.ann, 1, "exclude", basis=None)["decision"]
    second = api.decide(team.ann, 1, "include", basis=first["id"])["decision"]

    assert second["verdict"] == "include"
    assert api.decide(team.ann, 1, "maybe")["decision"]["verdict"] == "maybe", "nothing is checked"


@pytest.mark.parametrize("basis", [None, OLD, "the first"])
def test_who_does_not_know_of_a_newer_decision_is_shown_it(
    api: Api, team: Team, basis: str | None
) -> None:
    first = api.decide(team.ann, 1, "exclude")["decision"]
    newer = api.decide(team.ann, 1, "include", labels=["rct"])["decision"]
    known = first["id"] if basis == "the first" else basis

    problem = api.decide(team.ann, 1, "maybe", expect=409, basis=known)

    assert problem["code"] == "newer_decision"
    assert problem["decision"] == newer
    assert api(team.ann, "GET", "/records/1")["my_decision"] == newer
    assert api.n_entries(team.owner) == 2


def test_the_same_again_is_harmless_whatever_it_was_based_on(api: Api, team: Team) -> None:
    first = api.decide(team.ann, 1, "include", basis=None, note="n")

    assert api.decide(team.ann, 1, "include", basis=None, note="n") == first
    assert api.decide(team.ann, 1, "include", basis=OLD, note="n") == first
    assert api.n_entries(team.owner) == 1
    # Another note would be overwritten unseen.
    assert api.decide(team.ann, 1, "include", expect=409, basis=None)["decision"]["note"] == "n"


def test_others_decisions_are_no_newer_ones(api: Api, team: Team, world: World) -> None:
    world.decide(team.review_id, team.ben, 1, "exclude")

    assert api.decide(team.ann, 1, "include", basis=None)["decision"]["verdict"] == "include"


def test_a_withdrawal_is_newer_than_what_it_withdrew(api: Api, team: Team) -> None:
    first = api.decide(team.ann, 1, "include")["decision"]["id"]
    api(team.ann, "DELETE", f"/records/1/decision?basis={first}")

    problem = api.decide(team.ann, 1, "exclude", expect=409, basis=first)

    assert (problem["code"], problem.get("decision")) == ("newer_decision", None)
    assert "withdrawn" in problem["detail"]
    assert api.decide(team.ann, 1, "exclude", basis=None)["decision"]["verdict"] == "exclude"


def test_a_withdrawal_of_what_was_replaced_is_refused(api: Api, team: Team) -> None:
    first = api.decide(team.ann, 1, "include")["decision"]["id"]
    newer = api.decide(team.ann, 1, "exclude")["decision"]

    problem = api(team.ann, "DELETE", f"/records/1/decision?basis={first}", expect=409)

    assert (problem["code"], problem["decision"]) == ("newer_decision", newer)


def test_a_batch_records_and_withdraws(api: Api, team: Team) -> None:
    first = api.decide(team.ann, 1, "include")["decision"]["id"]
    second = api.decide(team.ann, 2, "include")["decision"]["id"]
    newer = api.decide(team.ann, 2, "exclude")["decision"]
    items = [
        {"record_id": "1", "verdict": None, "basis": first},
        {"record_id": "2", "verdict": None, "basis": second},
        {"record_id": "2", "verdict": "maybe", "basis": second},
        {"record_id": "3", "verdict": "include", "basis": None},
        {"record_id": "4", "verdict": None},
        {"record_id": "3"},
    ]

    results = api.batch(team.ann, *items)
    n_entries = api.n_entries(team.owner)
    again = api.batch(team.ann, *items)

    assert [one["status"] for one in results] == [200, 409, 409, 200, 404, 422]
    assert results[0]["record"] == {"status": "unscreened", "stage": TA}
    assert [one["decision"] for one in results[:3]] == [None, newer, newer]
    assert [one["error"] and one["error"]["code"] for one in results] == [
        None, "newer_decision", "newer_decision", None, "no_decision", "invalid"
    ]  # fmt: skip
    assert again == results, "to send a batch again changes nothing"
    assert api.n_entries(team.owner) == n_entries == 5


def test_the_answer_says_what_is_left_as_the_queue_does(api: Api, team: Team, world: World) -> None:
    api(team.owner, "PATCH", f"/members/{team.ann.id}", json={"share": 0.25})
    world.decide(team.review_id, team.ben, 3, "exclude")

    made = api.decide(team.ann, 1, "include")
    same = api.decide(team.ann, 1, "include")
    queue = api(team.ann, "POST", "/queue", json={"limit": 1})
    gone = api(team.ann, "DELETE", "/records/1/decision")

    left = {"remaining": queue["remaining"], "workload": queue["workload"]}
    assert left == {"remaining": 1, "workload": {"decided": 1, "target": 2, "left": 1}}
    assert {name: made[name] for name in left} == left
    assert {name: same[name] for name in left} == left
    assert (gone["remaining"], gone["workload"]["decided"]) == (2, 0)


def test_the_client_s_time_is_kept_beside_the_server_s(api: Api, team: Team) -> None:
    long_ago = "2026-11-20T10:00:00.25+02:00"
    first = api.decide(team.ann, 1, "include", made_at="2026-11-21T10:00:00Z")["decision"]

    second = api.decide(team.ann, 1, "exclude", made_at=long_ago)["decision"]

    assert second["made_at"] == "2026-11-20T08:00:00.250000Z"
    assert second["decided_at"] > first["decided_at"]
    assert api(team.ann, "GET", "/records/1")["my_decision"]["verdict"] == "exclude"
    api(team.ann, "DELETE", f"/records/1/decision?made_at={long_ago.replace('+', '%2B')}")
    export = api.client.get(f"{api.root}/export?format=decisions", headers=team.owner.auth).text
    rows = list(csv.DictReader(StringIO(export)))
    assert [row["made_at"] for row in rows] == [
        "2026-11-21T10:00:00Z",
        "2026-11-20T08:00:00.250000Z",
        "2026-11-20T08:00:00.250000Z",
    ]


@pytest.mark.parametrize(
    "made_at", ["2026-11-21T10:00:00", "1999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", 17, ""]
)
def test_a_time_that_cannot_be_is_refused(api: Api, team: Team, made_at: Any) -> None:
    problem = api.decide(team.ann, 1, "include", expect=422, made_at=made_at)
    (item,) = api.batch(team.ann, {"record_id": "1", "verdict": "include", "made_at": made_at})

    assert [error["field"] for error in problem["errors"]] == ["made_at"]
    assert item["status"] == 422
    assert api.n_entries(team.owner) == 0


def test_a_clock_may_be_a_little_ahead(api: Api, team: Team) -> None:
    ahead = {m: (datetime.now(UTC) + timedelta(minutes=m)).isoformat() for m in (1, 10)}

    problem = api.decide(team.ann, 1, "include", expect=422, made_at=ahead[10])
    gone = api(team.ann, "DELETE", f"/records/1/decision?made_at={ahead[10][:-6]}Z", expect=422)

    assert problem["errors"][0]["field"] == gone["errors"][0]["field"] == "made_at"
    assert api.decide(team.ann, 1, "include", made_at=ahead[1])["decision"]["made_at"]


@pytest.mark.both_engines
def test_of_two_tabs_that_know_the_same_one_comes_first(api: Api, team: Team, world: World) -> None:
    """Each round both know the newest decision, and send another verdict at the same instant."""
    basis: str | None = None
    for verdicts in (("include", "exclude"), ("maybe", "include"), ("exclude", "maybe")) * 4:

        def send(verdict: str, basis: str | None = basis) -> Any:
            body = {"verdict": verdict, "basis": basis}
            path = f"{api.root}/records/1/decision"
            return api.client.put(path, json=body, headers=team.ann.auth)

        answers = at_once([lambda v=v: send(v) for v in verdicts])  # type: ignore[misc]

        (won,) = [one.json() for one in answers if one.status_code == 200]
        (lost,) = [one.json() for one in answers if one.status_code == 409]
        assert lost["decision"] == won["decision"]
        basis = won["decision"]["id"]
        _withdraw_and_decide_again(api, team)
        basis = api(team.ann, "GET", "/records/1")["my_decision"]["id"]
    assert_in_step(world.database, team.review_id)


def _withdraw_and_decide_again(api: Api, team: Team) -> None:
    api(team.ann, "DELETE", "/records/1/decision")
    api.decide(team.ann, 1, "exclude", basis=None, labels=["again"])


@pytest.mark.both_engines
def test_two_devices_that_were_offline_never_overwrite_each_other(
    api: Api, team: Team, world: World
) -> None:
    """Both send a batch at once, made on the same knowledge: each record has the first one's."""
    start = {n: api.decide(team.ann, n, "maybe")["decision"]["id"] for n in (1, 2, 3)}
    phone = [{"record_id": str(n), "verdict": "include", "basis": id} for n, id in start.items()]
    laptop = [{"record_id": str(n), "verdict": None, "basis": id} for n, id in start.items()]

    one, other = at_once(
        [lambda: api.batch(team.ann, *phone), lambda: api.batch(team.ann, *laptop)]
    )

    first, second = (one, other) if one[0]["status"] == 200 else (other, one)
    assert [item["status"] for item in first] == [200] * 3
    assert [item["status"] for item in second] == [409] * 3
    assert [item["error"]["code"] for item in second] == ["newer_decision"] * 3
    for item in second:
        now = api(team.ann, "GET", f"/records/{item['record_id']}")["my_decision"]
        assert now == item["decision"]
    assert_in_step(world.database, team.review_id)
