"""People over HTTP: invitations, pauses and shares, removals, pilot rounds, own papers."""

import io
import json
import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import structlog
from fastapi.testclient import TestClient
from sqlalchemy import select

from service.domain.threads import at_once
from tandem.accounts.administration import change_user
from tandem.accounts.models import User
from tandem.config import Settings
from tandem.db.base import now
from tandem.log import configure, without_secrets
from tandem.reviews.models import Invitation, Member, Role
from world import Person, Team, World

API = "/api/v1"
BEN = {"name": "Ben Stone", "password": "correct horse battery"}


@pytest.fixture
def team(world: World) -> Team:
    return world.team()


@pytest.fixture
def root(team: Team) -> str:
    return f"{API}/reviews/{team.review_id}"


def invite(client: TestClient, root: str, who: Person, **said: Any) -> dict[str, Any]:
    body = {"role": "reviewer"} | said
    answer = client.post(f"{root}/invitations", json=body, headers=who.auth)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def accept(
    client: TestClient, token: str, who: Person | None = None, body: dict[str, str] | None = None
) -> Any:
    headers = who.auth if who else {}
    sent: dict[str, Any] = {} if body is None else {"json": body}
    return client.post(f"{API}/invitations/{token}/acceptance", headers=headers, **sent)


class TestInvitations:
    def test_the_secret_is_shown_once_and_stored_as_its_hash(
        self, client: TestClient, team: Team, root: str, world: World
    ) -> None:
        made = invite(client, root, team.owner, email="Ben@Example.org", expires_days=3)

        (listed,) = client.get(f"{root}/invitations", headers=team.owner.auth).json()["items"]
        assert made["link"] == f"http://testserver/join/{made['token']}"
        assert listed == {key: made[key] for key in made if key not in ("link", "token")}
        assert (listed["state"], listed["email"]) == ("open", "ben@example.org")
        with world.database.read() as session:
            stored = session.scalars(select(Invitation)).one()
        assert stored.expires_at - stored.created_at == timedelta(days=3)
        assert made["token"] not in str(vars(stored))

    def test_who_has_the_link_sees_what_it_is(
        self, client: TestClient, team: Team, root: str, world: World
    ) -> None:
        somebody = invite(client, root, team.owner)
        new = invite(client, root, team.owner, email="ben@example.org")
        with world.database.read() as session:
            email = session.get_one(User, team.ann.id).email
        known = invite(client, root, team.owner, email=email)

        def shown(made: dict[str, Any]) -> Any:
            return client.get(f"{API}/invitations/{made['token']}").json()

        assert shown(new) == {
            "review_title": "A review",
            "role": "reviewer",
            "invited_by": "owner",
            "email": "ben@example.org",
            "expires_at": new["expires_at"],
            "needs_account": True,
            "to_accept": f"POST {API}/invitations/{new['token']}/acceptance with a `name` and a "
            "`password` makes your account and lets you in.",
        }
        assert shown(known)["needs_account"] is False
        assert shown(known)["to_accept"].startswith("Sign in")
        assert shown(somebody)["needs_account"] is None
        assert "`email`" in shown(somebody)["to_accept"]

    def test_a_stranger_makes_an_account_and_is_signed_in(
        self, client: TestClient, team: Team, root: str
    ) -> None:
        token = invite(client, root, team.owner)["token"]

        answer = accept(client, token, body=BEN | {"email": "Ben@example.org"})

        assert answer.status_code == 200
        assert "HttpOnly" in answer.headers["set-cookie"]
        assert "correct horse" not in answer.text
        me = client.get(f"{API}/me").json()
        assert (me["email"], me["name"], me["is_admin"]) == ("ben@example.org", "Ben Stone", False)
        assert answer.json() == {
            "review_id": str(team.review_id),
            "user_id": me["id"],
            "user_name": "Ben Stone",
            "role": "reviewer",
        }
        assert client.get(root).json()["role"] == "reviewer"
        client.cookies.clear()
        again = {"email": "ben@example.org", "password": BEN["password"]}
        assert client.post(f"{API}/auth/login", json=again).status_code == 204

    def test_an_address_in_the_invitation_need_not_be_given_again(
        self, client: TestClient, team: Team, root: str
    ) -> None:
        token = invite(client, root, team.owner, email="ben@example.org")["token"]
        other = accept(client, token, body=BEN | {"email": "eve@example.org"})
        assert (other.status_code, other.json()["code"]) == (403, "not_your_invitation")
        assert accept(client, token, body=BEN).status_code == 200

    def test_without_an_address_it_must_be_given(
        self, client: TestClient, team: Team, root: str
    ) -> None:
        token = invite(client, root, team.owner)["token"]
        answer = accept(client, token, body=BEN)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "email")

    @pytest.mark.parametrize("how", ["demoted", "removed"])
    def test_who_is_owner_no_longer_does_not_come_back_by_an_own_link(
        self, how: str, client: TestClient, team: Team, root: str
    ) -> None:
        person = f"{root}/members/{team.judge.id}"
        client.put(person, json={"role": "owner"}, headers=team.owner.auth)
        mine = invite(client, root, team.judge, role="owner")
        others = invite(client, root, team.owner, role="owner")
        if how == "demoted":
            client.put(person, json={"role": "reviewer"}, headers=team.owner.auth)
        else:
            client.delete(person, headers=team.owner.auth)

        answer = accept(client, mine["token"], team.judge)

        assert (answer.status_code, answer.json()["code"]) == (404, "no_invitation")
        assert client.get(f"{API}/invitations/{others['token']}").status_code == 200

    def test_who_is_switched_off_does_not_come_back_by_an_own_link(
        self, client: TestClient, team: Team, root: str, world: World
    ) -> None:
        token = invite(client, root, team.owner, role="owner")["token"]
        path, new = f"{API}/invitations/{token}", {"name": "Me", "email": "me@example.org"}
        with world.database.write.begin() as session:
            change_user(session, user_id=team.owner.id, by=None, is_active=False)
        assert client.get(path).status_code == 404
        refused = client.post(f"{path}/acceptance", json=new | {"password": "four plain words"})
        assert (refused.status_code, refused.json()["code"]) == (404, "no_invitation")

    def test_who_is_signed_in_needs_no_body(
        self, client: TestClient, team: Team, root: str, world: World
    ) -> None:
        zoe = world.person("zoe")
        token = invite(client, root, team.owner, role="adjudicator")["token"]
        assert accept(client, token).status_code == 401

        assert accept(client, token, zoe).json()["role"] == "adjudicator"
        assert client.get(root, headers=zoe.auth).json()["role"] == "adjudicator"
        (listed,) = client.get(f"{root}/invitations", headers=team.owner.auth).json()["items"]
        assert (listed["state"], listed["accepted_by"]) == ("accepted", str(zoe.id))
        events = client.get(f"{root}/events?limit=500", headers=zoe.auth).json()["items"]
        assert events[-1]["type"] == "tandem.member.added"

    def test_an_address_that_has_an_account_signs_in_first(
        self, client: TestClient, team: Team, root: str, world: World
    ) -> None:
        zoe = world.person("zoe")
        with world.database.read() as session:
            email = session.get_one(User, zoe.id).email
        token = invite(client, root, team.owner, email=email)["token"]

        taken = accept(client, token, body=BEN)

        assert (taken.status_code, taken.json()["code"]) == (409, "email_taken")
        wrong = accept(client, token, team.ann)
        assert (wrong.status_code, wrong.json()["code"]) == (403, "not_your_invitation")
        assert accept(client, token, zoe).status_code == 200

    @pytest.mark.parametrize(
        ("invited", "role"), [("observer", "reviewer"), ("adjudicator", "adjudicator")]
    )
    def test_the_higher_role_is_kept(
        self, client: TestClient, team: Team, root: str, invited: str, role: str
    ) -> None:
        token = invite(client, root, team.owner, role=invited)["token"]
        assert accept(client, token, team.ann).json()["role"] == role

    def test_all_that_do_not_work_answer_alike(
        self, client: TestClient, team: Team, root: str, world: World
    ) -> None:
        zoe = world.person("zoe")
        used, revoked, expired = (invite(client, root, team.owner) for _ in range(3))
        accept(client, used["token"], zoe)
        path = f"{root}/invitations/{revoked['id']}"
        assert client.delete(path, headers=team.owner.auth).status_code == 204
        with world.database.write.begin() as session:
            rows = session.scalars(select(Invitation)).all()
            next(row for row in rows if str(row.id) == expired["id"]).expires_at = now()

        tokens = ("nothing", used["token"], revoked["token"], expired["token"])
        answers = []
        for token in tokens:
            answers += [client.get(f"{API}/invitations/{token}"), accept(client, token, zoe)]
            answers.append(accept(client, token, body=BEN | {"email": "new@example.org"}))
        problems = [
            {key: value for key, value in answer.json().items() if key != "request_id"}
            for answer in answers
        ]
        assert problems == [problems[0]] * len(problems)
        assert (problems[0]["status"], problems[0]["code"]) == (404, "no_invitation")
        assert "Ask an owner" in problems[0]["detail"]
        listed = client.get(f"{root}/invitations", headers=team.owner.auth).json()["items"]
        states = {item["id"]: item["state"] for item in listed}
        assert [states[one["id"]] for one in (used, revoked, expired)] == [
            "accepted",
            "revoked",
            "expired",
        ]

    def test_of_many_who_accept_at_once_one_comes_in(
        self, client: TestClient, team: Team, root: str, world: World
    ) -> None:
        guests = world.people(*(f"guest{number}" for number in range(8)))
        token = invite(client, root, team.owner)["token"]

        answers = at_once([partial(accept, client, token, who) for who in guests])

        assert sorted(answer.status_code for answer in answers) == [200] + [404] * 7
        with world.database.read() as session:
            ids = set(session.scalars(select(Member.user_id)))
        assert len(ids & {guest.id for guest in guests}) == 1

    def test_another_sites_page_accepts_nothing(
        self, client: TestClient, team: Team, root: str
    ) -> None:
        token = invite(client, root, team.owner)["token"]
        answer = client.post(
            f"{API}/invitations/{token}/acceptance",
            json=BEN | {"email": "ben@example.org"},
            headers={"Sec-Fetch-Site": "cross-site"},
        )
        assert answer.status_code == 403

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"role": "king"},
            {"role": "owner", "expires_days": 0},
            {"role": "owner", "expires_days": 91},
            {"role": "owner", "email": "nobody"},
        ],
    )
    def test_malformed_invitations_are_refused(
        self, client: TestClient, team: Team, root: str, body: dict[str, Any]
    ) -> None:
        answer = client.post(f"{root}/invitations", json=body, headers=team.owner.auth)
        assert answer.status_code == 422

    def test_invitations_of_another_review_are_not_found(
        self, client: TestClient, team: Team, root: str, world: World
    ) -> None:
        made = invite(client, root, team.owner)
        zoe = world.person("zoe")
        other = f"{API}/reviews/{world.review(zoe)}/invitations/{made['id']}"
        assert client.delete(other, headers=zoe.auth).status_code == 404
        assert client.get(f"{API}/invitations/{made['token']}").status_code == 200


@pytest.fixture
def derived(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the server logs meanwhile."""
    stream, root = io.StringIO(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr(logging.getLogger("httpx2"), "level", logging.WARNING)  # the client's
    configure(settings.model_copy(update={"log_format": "json"}), process="api")
    yield stream
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def test_no_log_line_has_the_secret(
    derived: io.StringIO, client: TestClient, team: Team, root: str
) -> None:
    token = invite(client, root, team.owner)["token"]
    client.get(f"{API}/invitations/{token}")
    accept(client, token, team.ann)
    client.get(f"{API}/invitations//{token}/nowhere")

    lines = [json.loads(line) for line in derived.getvalue().splitlines() if line.startswith("{")]
    paths = [line["path"] for line in lines if line.get("event") == "request"]
    assert f"{API}/invitations/***/acceptance" in paths
    assert token not in derived.getvalue()


def test_paths_without_secrets_stay() -> None:
    assert without_secrets(f"{API}/reviews/1/records/2") == f"{API}/reviews/1/records/2"
    assert without_secrets("/x/INVITATIONS/abc") == "/x/INVITATIONS/***"


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


def test_roles_have_an_order() -> None:
    order = [Role.OWNER, Role.ADJUDICATOR, Role.REVIEWER, Role.OBSERVER]
    for at, role in enumerate(order):
        assert [role.reaches(other) for other in order] == [False] * at + [True] * (4 - at)
    assert re.fullmatch("[a-z]+", Role.OWNER)
