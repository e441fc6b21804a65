"""Members over HTTP: pauses and shares, removals, pilot rounds, own papers."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tandem.accounts.models import User
from world import Person, Team, World

API = "/api/v1"


@pytest.fixture
def team(world: World) -> Team:
    return world.team()


@pytest.fixture
def root(team: Team) -> str:
    return f"{API}/reviews/{team.review_id}"


class TestMembers:
    def test_pauses_and_shares_are_shown(self, client: TestClient, team: Team, root: str) -> None:
        path = f"{root}/members/{team.ann.id}"
        patched = client.patch(path, json={"share": 0.5}, headers=team.owner.auth).json()
        assert (patched["share"], patched["paused"]) == (0.5, False)
        assert patched["workload"] == {"decided": 0, "target": 3, "left": 3}

        own = client.patch(path, json={"paused": True}, headers=team.ann.auth).json()
        assert (own["share"], own["paused"]) == (0.5, True)
        queue = client.post(f"{root}/queue", headers=team.ann.auth).json()
        assert (queue["state"], queue["items"]) == ("paused", [])
        assert queue["workload"] == {"decided": 0, "target": 3, "left": 3}

        both = {"role": "reviewer", "paused": False, "share": None}
        put = client.put(path, json=both, headers=team.owner.auth).json()
        assert (put["share"], put["paused"]) == (None, False)

    def test_who_is_switched_off_is_still_there_and_named_as_that(
        self, client: TestClient, team: Team, root: str, world: World
    ) -> None:
        world.switch_off(team.ann)
        items = client.get(f"{root}/members", headers=team.owner.auth).json()["items"]
        assert {item["name"] for item in items if not item["is_active"]} == {"ann"}

    def test_how_far_others_are_is_for_those_who_see_all(
        self, client: TestClient, team: Team, root: str, world: World
    ) -> None:
        world.decide(team.review_id, team.ben, 1, "include")

        def work(who: Person) -> dict[str, Any]:
            items = client.get(f"{root}/members", headers=who.auth).json()["items"]
            return {item["name"]: item["workload"] for item in items}

        assert work(team.owner)["ben"]["decided"] == 1
        assert work(team.ben)["ben"]["decided"] == 1
        assert {name for name, found in work(team.ann).items() if found} == {"ann"}

    @pytest.mark.parametrize("share", [0, -0.1, 1.01, "0.5", True])
    def test_a_share_is_a_part(self, client: TestClient, team: Team, root: str, share: Any) -> None:
        path = f"{root}/members/{team.ann.id}"
        answer = client.patch(path, json={"share": share}, headers=team.owner.auth)
        assert answer.status_code == 422

    def test_a_preview_of_a_removal_changes_nothing(
        self, client: TestClient, team: Team, root: str, world: World
    ) -> None:
        for number, verdict in ((1, "exclude"), (2, "include")):
            world.decide(team.review_id, team.ann, number, verdict)
            world.decide(team.review_id, team.ben, number, "include")
        path = f"{root}/members/{team.ann.id}?decisions=void"
        before = client.get(f"{root}/events?limit=500", headers=team.owner.auth).json()

        reported = client.delete(f"{path}&dry_run=true", headers=team.owner.auth)

        assert reported.status_code == 200
        assert reported.json() == {
            "n_decisions_voided": 2,
            "n_records_changed": 2,
            "note": None,
            "n_conflicts_opened": 0,
            "n_conflicts_closed": 1,
            "records": [
                {"stage": "title_abstract", "record_id": "1", "from": "conflict", "to": "awaiting"},
                {"stage": "title_abstract", "record_id": "2", "from": "included", "to": "awaiting"},
            ],
            "n_open_conflicts_of_theirs": 0,
            "n_nobody_may_settle": 0,
            "n_awaiting": 0,
        }
        after = client.get(f"{root}/events?limit=500", headers=team.owner.auth).json()
        assert after == before
        kept = f"{root}/members/{team.ann.id}?dry_run=true"
        assert (
            client.delete(kept, headers=team.owner.auth).json()["n_open_conflicts_of_theirs"] == 1
        )

        assert client.delete(path, headers=team.owner.auth).status_code == 204
        assert client.get(root, headers=team.ann.auth).status_code == 404
        assert world.status(team.review_id, 2) == "awaiting"

    def test_who_leaves_has_no_access_any_more(
        self, client: TestClient, team: Team, root: str, world: World
    ) -> None:
        world.decide(team.review_id, team.ann, 1, "include")
        path = f"{root}/members/{team.ann.id}"
        shown = client.delete(f"{path}?dry_run=true", headers=team.ann.auth)
        assert (shown.status_code, shown.json()["code"]) == (403, "forbidden")
        others = client.delete(f"{root}/members/{team.ben.id}", headers=team.ann.auth)
        assert others.status_code == 403

        assert client.delete(path, headers=team.ann.auth).status_code == 204
        assert client.get(root, headers=team.ann.auth).status_code == 404
        assert world.status(team.review_id, 1) == "awaiting"

    def test_since_is_a_time_with_its_offset(
        self, client: TestClient, team: Team, root: str, world: World
    ) -> None:
        world.decide(team.review_id, team.ann, 1, "include")
        path = f"{root}/members/{team.ann.id}"

        def asked(since: str) -> Any:
            query = {"decisions": "void", "dry_run": "true", "since": since}
            return client.delete(path, params=query, headers=team.owner.auth)

        assert asked("2020-01-01T00:00:00+02:00").json()["n_decisions_voided"] == 1
        assert asked("2120-01-01T00:00:00Z").json()["n_decisions_voided"] == 0
        assert asked("2120-01-01").json()["n_decisions_voided"] == 0
        for vague in ("2020-01-01T00:00:00", "2020", "1", "20200101", "1577836800"):
            assert asked(vague).status_code == 422, vague
        lost = client.delete(path, params={"since": "2020-01-01"}, headers=team.owner.auth)
        assert (lost.status_code, lost.json()["errors"][0]["field"]) == (422, "since")


class TestPilot:
    def test_a_round_from_begin_to_end(
        self, client: TestClient, team: Team, root: str, world: World
    ) -> None:
        path, owner = f"{root}/pilot", team.owner.auth
        assert client.get(path, headers=owner).json() == {
            "state": "none",
            "size": 0,
            "n_records": 0,
            "records_done_by": [],
            "agreement_link": None,
        }
        begun = client.post(path, json={"size": 2}, headers=owner)
        assert (begun.status_code, begun.json()["state"]) == (201, "running")
        again = client.post(path, json={"size": 2}, headers=owner)
        assert (again.status_code, again.json()["code"]) == (409, "pilot_running")

        items = client.post(f"{root}/queue", headers=team.ann.auth).json()["items"]
        assert len(items) == 2
        world.decide(team.review_id, team.ann, int(items[0]["record"]["id"]), "include")

        shown = client.get(path, headers=owner).json()
        done = {item["name"]: item["n"] for item in shown["records_done_by"]}
        assert done == {"owner": 0, "judge": 0, "ann": 1, "ben": 0, "eve": 0}
        own = client.get(path, headers=team.ben.auth).json()["records_done_by"]
        assert [item["name"] for item in own] == ["ben"]
        assert client.get(shown["agreement_link"], headers=owner).status_code == 200

        ended = client.post(f"{path}/end", headers=owner)
        assert (ended.status_code, ended.json()["state"]) == (200, "ended")
        none = client.post(f"{path}/end", headers=owner)
        assert (none.status_code, none.json()["code"]) == (409, "no_pilot")

    @pytest.mark.parametrize("size", [0, 501, "3", 1.5])
    def test_sizes_are_bounded(self, client: TestClient, team: Team, root: str, size: Any) -> None:
        answer = client.post(f"{root}/pilot", json={"size": size}, headers=team.owner.auth)
        assert answer.status_code == 422


class TestInterests:
    def test_a_match_is_shown_and_denied(
        self, client: TestClient, team: Team, root: str, world: World
    ) -> None:
        with world.database.write.begin() as session:
            session.get_one(User, team.ann.id).name = "Ann B. Lee"
        queue = client.post(f"{root}/queue", headers=team.ann.auth).json()
        assert (queue["state"], queue["remaining"], queue["withheld"]) == ("finished", 0, 3)

        path, ann = f"{root}/interests", team.ann.auth
        listed = client.get(f"{path}?limit=2", headers=ann).json()
        assert [item["record_id"] for item in listed["items"]] == ["1", "2"]
        assert listed["items"][0]["author"] == "Lee, Ann"
        cursor = listed["next_cursor"]
        (rest,) = client.get(f"{path}?limit=2&cursor={cursor}", headers=ann).json()["items"]
        assert (rest["record_id"], rest["declared"], rest["withheld"]) == ("3", None, True)

        not_me = {"has_interest": False}
        reported = client.put(f"{root}/records/3/interest", json=not_me, headers=ann).json()
        assert (reported["declared"], reported["withheld"]) == (False, False)
        queue = client.post(f"{root}/queue", headers=ann).json()
        assert [item["record"]["id"] for item in queue["items"]] == ["3"]
        assert (queue["state"], queue["remaining"], queue["withheld"]) == ("ready", 1, 2)

    def test_nobody_called_ann_wrote_everything_by_ann_lee(
        self, client: TestClient, team: Team, root: str
    ) -> None:
        queue = client.post(f"{root}/queue", headers=team.ann.auth).json()
        assert (queue["withheld"], queue["remaining"]) == (0, 3)

    @pytest.mark.parametrize("by_admin", [False, True])
    def test_who_is_renamed_is_compared_with_the_authors_again(
        self, client: TestClient, team: Team, root: str, world: World, by_admin: bool
    ) -> None:
        def held() -> tuple[int, int]:
            queue = client.post(f"{root}/queue", json={"limit": 2}, headers=team.ann.auth).json()
            return len(queue["items"]), queue["withheld"]

        assert held() == (2, 0)

        renamed = {"name": "Ann B. Lee"}
        if by_admin:
            admin = world.person("admin", is_admin=True)
            url = f"{API}/users/{team.ann.id}"
            assert client.patch(url, json=renamed, headers=admin.auth).status_code == 200
        else:
            assert client.patch(f"{API}/me", json=renamed, headers=team.ann.auth).is_success

        assert held() == (0, 3)

    def test_authors_that_are_corrected_are_compared_again(
        self, client: TestClient, team: Team, root: str, world: World
    ) -> None:
        assert client.patch(f"{API}/me", json={"name": "Ben Ng"}, headers=team.ben.auth).is_success
        queue = client.post(f"{root}/queue", json={"limit": 3}, headers=team.ben.auth).json()
        assert (len(queue["items"]), queue["withheld"]) == (3, 0)

        corrected = {"authors": ["Lee, Ann", "Ng, Ben"]}
        answer = client.patch(f"{root}/records/2", json=corrected, headers=team.owner.auth)

        assert answer.status_code == 200
        queue = client.post(f"{root}/queue", json={"limit": 3}, headers=team.ben.auth).json()
        assert [item["record"]["id"] for item in queue["items"]] == ["1", "3"]
        assert queue["withheld"] == 1
