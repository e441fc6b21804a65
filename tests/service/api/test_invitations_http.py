"""Invitations over HTTP: who may make one, see it and come in by it."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from service.domain.threads import at_once
from tandem.accounts.administration import change_user
from tandem.accounts.models import User
from tandem.db.base import now
from tandem.reviews.models import Invitation, Member
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
