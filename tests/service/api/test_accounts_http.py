"""The first account, passwords, sessions, people who come and go."""

import json
import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import structlog
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import func, select, update

from application import application
from service.domain.threads import at_once
from tandem.accounts import setup
from tandem.accounts.models import AccountLink, IdempotentRequest, SignIn, Token, User
from tandem.config import Settings
from tandem.db.base import now
from tandem.db.session import Database
from world import Person, World

API = "/api/v1"
PASSWORD, NEW = "correct horse battery", "staple orbit lantern"
ANN = {"email": "ann@example.org", "name": "Ann", "password": PASSWORD}
both_engines = pytest.mark.both_engines


@pytest.fixture
def app(client: TestClient) -> FastAPI:
    made = client.app
    assert isinstance(made, FastAPI)
    return made


def add_ann(client: TestClient, admin: Person) -> str:
    made = client.post(f"{API}/users", json=ANN, headers=admin.auth)
    assert made.status_code == 201
    return str(made.json()["id"])


def sign_in(client: TestClient, password: str = PASSWORD) -> int:
    body = {"email": ANN["email"], "password": password}
    return client.post(f"{API}/auth/login", json=body).status_code


class TestSetup:
    def token(self, world: World) -> str:
        with world.database.write.begin() as session:
            token = setup.offer(session)
        assert token is not None
        return token

    def test_the_first_account_is_an_administrators_and_signed_in(
        self, client: TestClient, world: World
    ) -> None:
        token = self.token(world)
        assert client.get(f"{API}/setup").json() == {"needed": True}

        made = client.post(f"{API}/setup", json={**ANN, "token": token})

        assert made.status_code == 201
        assert client.get(f"{API}/me").json() == made.json()
        assert made.json()["is_admin"] is True
        assert client.get(f"{API}/setup").json() == {"needed": False}
        again = client.post(f"{API}/setup", json={**ANN, "token": token})
        assert (again.status_code, again.json()["code"]) == (409, "setup_done")
        with world.database.write.begin() as session:
            assert setup.offer(session) is None

    def test_only_the_newest_token_is_good(self, client: TestClient, world: World) -> None:
        old, new = self.token(world), self.token(world)

        for token in (old, "", new[:-1], new.swapcase()):
            refused = client.post(f"{API}/setup", json={**ANN, "token": token})
            assert (refused.status_code, refused.json()["code"]) == (403, "wrong_token")
        assert client.post(f"{API}/setup", json={**ANN, "token": new}).status_code == 201

    def test_it_is_not_good_for_ever(self, client: TestClient, world: World) -> None:
        token = self.token(world)
        with world.database.write.begin() as session:
            session.execute(update(AccountLink).values(expires_at=now()))

        assert client.post(f"{API}/setup", json={**ANN, "token": token}).status_code == 403

    def test_a_weak_password_leaves_the_token_good(self, client: TestClient, world: World) -> None:
        token = self.token(world)
        weak = client.post(f"{API}/setup", json={**ANN, "token": token, "password": "password1"})
        assert (weak.status_code, weak.json()["code"]) == (422, "weak_password")
        assert weak.json()["errors"][0]["field"] == "password"

        assert client.post(f"{API}/setup", json={**ANN, "token": token}).status_code == 201

    @both_engines
    def test_of_two_who_set_up_at_once_one_does(self, client: TestClient, world: World) -> None:
        token = self.token(world)

        def go(name: str) -> int:
            body = {**ANN, "email": f"{name}@example.org", "token": token}
            return client.post(f"{API}/setup", json=body).status_code

        assert sorted(at_once([lambda: go("a"), lambda: go("b")])) == [201, 409]
        with world.database.read() as session:
            assert session.scalar(select(func.count()).select_from(User)) == 1

    def test_the_token_is_stored_as_its_hash_only(self, world: World) -> None:
        token = self.token(world)
        with world.database.read() as session:
            assert session.scalars(select(AccountLink.secret_hash)).one() != token

    def test_the_form_works_without_scripts(self, client: TestClient, world: World) -> None:
        path = f"/setup/{self.token(world)}"
        form = client.get(path)
        assert form.status_code == 200
        assert "<script" not in form.text
        assert "form-action 'self'" in form.headers["content-security-policy"]
        assert form.headers["cache-control"] == "no-store"

        weak = client.post(path, data={**ANN, "name": '<b>"{prefix}', "password": "12345678"})
        assert weak.status_code == 422
        assert "commonest" in weak.text
        assert 'value="&lt;b&gt;&quot;&#123;prefix}"' in weak.text
        made = client.post(path, data=ANN)
        assert made.status_code == 200
        assert client.get(f"{API}/me").json()["email"] == ANN["email"]

    def test_another_sites_page_cannot_send_the_form(
        self, client: TestClient, world: World
    ) -> None:
        path = f"/setup/{self.token(world)}"
        evil = {"Origin": "https://evil.example"}

        assert client.post(path, data=ANN, headers=evil).status_code == 403
        assert client.get(f"{API}/setup").json() == {"needed": True}


class TestOneself:
    def test_the_name_and_what_a_client_keeps(self, client: TestClient, admin: Person) -> None:
        kept = {"theme": "dark", "columns": ["title", "year"], "é": {"n": 1.5, "x": None}}

        changed = client.patch(
            f"{API}/me", json={"name": " New ", "preferences": kept}, headers=admin.auth
        )

        assert changed.status_code == 200
        assert changed.json() == client.get(f"{API}/me", headers=admin.auth).json()
        assert (changed.json()["name"], changed.json()["preferences"]) == ("New", kept)
        only_name = client.patch(f"{API}/me", json={"name": "X"}, headers=admin.auth).json()
        assert only_name["preferences"] == kept
        emptied = client.patch(f"{API}/me", json={"preferences": {}}, headers=admin.auth).json()
        assert (emptied["name"], emptied["preferences"]) == ("X", {})

    @pytest.mark.parametrize(
        "content",
        [
            '{"preferences": {"a": "%s"}}' % ("x" * 16_384),
            '{"preferences": {"a": "\\u0000"}}',
            '{"preferences": {"a": NaN}}',
            '{"preferences": [1]}',
            '{"preferences": {"a": %s}}' % ("[" * 500 + "]" * 500),
            '{"name": " "}',
        ],
        ids=["large", "nul", "nan", "list", "deep", "no name"],
    )
    @both_engines
    def test_what_cannot_be_kept_is_refused(
        self, client: TestClient, admin: Person, content: str
    ) -> None:
        headers = admin.auth | {"Content-Type": "application/json"}
        assert client.patch(f"{API}/me", content=content, headers=headers).status_code == 422

    def test_a_new_password_ends_all_other_sessions(
        self, client: TestClient, app: FastAPI, admin: Person
    ) -> None:
        add_ann(client, admin)
        elsewhere = TestClient(app)
        assert sign_in(elsewhere) == sign_in(client) == 204
        before = client.cookies["tandem_session"]

        changed = client.put(f"{API}/me/password", json={"current": PASSWORD, "new": NEW})

        assert (changed.status_code, changed.content) == (204, b"")
        assert client.get(f"{API}/me").status_code == 200
        assert client.cookies["tandem_session"] != before
        assert elsewhere.get(f"{API}/me").status_code == 401
        assert (sign_in(elsewhere), sign_in(elsewhere, NEW)) == (401, 204)

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({"current": "not this one", "new": NEW}, 403, "wrong_password"),
            ({"current": PASSWORD, "new": "short"}, 422, "invalid"),
            ({"current": PASSWORD, "new": "12345678"}, 422, "weak_password"),
            ({"current": PASSWORD, "new": " " * 8}, 422, "weak_password"),
            ({"current": PASSWORD, "new": "zyzyzyzyzyzyzy"}, 422, "weak_password"),
            ({"current": PASSWORD, "new": "ANN@example.org"}, 422, "weak_password"),
            ({"current": PASSWORD}, 422, "invalid"),
        ],
    )
    def test_a_refused_change_changes_nothing(
        self, client: TestClient, admin: Person, body: dict[str, str], status: int, code: str
    ) -> None:
        add_ann(client, admin)
        sign_in(client)

        refused = client.put(f"{API}/me/password", json=body)

        assert (refused.status_code, refused.json()["code"]) == (status, code)
        assert body["current"] not in refused.text
        assert body.get("new", "-" * 9) not in refused.text
        assert sign_in(client) == 204

    def test_who_has_no_password_changes_none(self, client: TestClient, admin: Person) -> None:
        body = {"current": "", "new": NEW}
        refused = client.put(f"{API}/me/password", json=body, headers=admin.auth)

        assert (refused.status_code, refused.json()["code"]) == (403, "wrong_password")


class TestSessions:
    def test_they_are_listed_and_ended(
        self, client: TestClient, app: FastAPI, admin: Person
    ) -> None:
        add_ann(client, admin)
        elsewhere = TestClient(app, headers={"User-Agent": "Another " + "x" * 500})
        assert sign_in(elsewhere) == sign_in(client) == 204
        listed = client.get(f"{API}/me/sessions")

        here, there = listed.json()["items"]
        assert (here["current"], there["current"]) == (True, False)
        assert there["user_agent"].startswith("Another xxx")
        assert len(there["user_agent"]) == 200
        assert there["source"] == "testclient"
        for secret in (client.cookies["tandem_session"], elsewhere.cookies["tandem_session"]):
            assert secret not in listed.text
        assert client.get(f"{API}/me/sessions/{there['id']}").json() == there

        assert client.delete(f"{API}/me/sessions/{there['id']}").status_code == 204
        assert elsewhere.get(f"{API}/me").status_code == 401
        assert client.delete(f"{API}/me/sessions/{there['id']}").status_code == 404
        assert client.delete(f"{API}/me/sessions/{here['id']}").status_code == 204
        assert client.get(f"{API}/me").status_code == 401

    def test_the_id_says_nothing_of_the_secret(
        self, client: TestClient, admin: Person, world: World
    ) -> None:
        add_ann(client, admin)
        sign_in(client)
        listed = client.get(f"{API}/me/sessions").text
        with world.database.read() as session:
            assert session.scalars(select(SignIn.secret_hash)).one() not in listed

    def test_all_others_end_at_once(self, client: TestClient, app: FastAPI, admin: Person) -> None:
        add_ann(client, admin)
        others = [TestClient(app), TestClient(app)]
        assert {sign_in(other) for other in [client, *others]} == {204}

        assert client.delete(f"{API}/me/sessions").status_code == 204

        assert client.get(f"{API}/me").status_code == 200
        assert {other.get(f"{API}/me").status_code for other in others} == {401}

    def test_signing_in_gives_a_new_secret_and_ends_the_old_one(
        self, client: TestClient, admin: Person
    ) -> None:
        add_ann(client, admin)
        sign_in(client)
        before = client.cookies["tandem_session"]
        sign_in(client)

        assert len(client.get(f"{API}/me/sessions").json()["items"]) == 1
        client.cookies.clear()
        client.cookies.set("tandem_session", before)
        assert client.get(f"{API}/me").status_code == 401

    def test_one_that_is_not_used_ends(
        self, client: TestClient, admin: Person, world: World
    ) -> None:
        add_ann(client, admin)
        sign_in(client)
        with world.database.write.begin() as session:
            idle = session.scalars(select(SignIn.idle_until)).one()
            session.execute(update(SignIn).values(idle_until=now()))

        assert timedelta(hours=71) < idle - now() < timedelta(hours=73)
        assert client.get(f"{API}/me").status_code == 401

    @both_engines
    def test_use_is_noted_now_and_then_and_keeps_it_alive(
        self, settings: Settings, world: World, admin: Person
    ) -> None:
        long_ago = now() - timedelta(hours=50)
        with TestClient(application(settings)) as client:
            add_ann(client, admin)
            sign_in(client)
            client.get(f"{API}/me", headers=admin.auth)
            with world.database.write.begin() as session:
                until = long_ago + timedelta(hours=72)
                session.execute(update(SignIn).values(last_used_at=long_ago, idle_until=until))
            assert client.get(f"{API}/me").status_code == 200
        # What was noted is written when the server stops, at the latest.
        with world.database.read() as session:
            used, idle = session.execute(select(SignIn.last_used_at, SignIn.idle_until)).one()
            token_used = session.scalars(
                select(Token.last_used_at).where(Token.user_id == admin.id)
            ).one()
        assert now() - used < timedelta(minutes=5)
        assert idle - used == timedelta(hours=72)
        assert token_used is not None

    def test_a_session_does_not_outlast_its_end_by_being_used(
        self, settings: Settings, world: World, admin: Person
    ) -> None:
        with TestClient(application(settings)) as client:
            add_ann(client, admin)
            sign_in(client)
            with world.database.write.begin() as session:
                session.execute(
                    update(SignIn).values(
                        last_used_at=now() - timedelta(hours=1),
                        expires_at=now() + timedelta(hours=1),
                    )
                )
            client.get(f"{API}/me")
        with world.database.read() as session:
            expires, idle = session.execute(select(SignIn.expires_at, SignIn.idle_until)).one()
        assert idle == expires


class TestTokens:
    def make(self, client: TestClient, auth: dict[str, str], **said: Any) -> Any:
        return client.post(f"{API}/me/tokens", json={"name": "x", **said}, headers=auth)

    def test_one_never_outlives_the_token_that_makes_it(
        self, client: TestClient, admin: Person
    ) -> None:
        soon = (now() + timedelta(minutes=5)).isoformat()
        later = (now() + timedelta(minutes=6)).isoformat()
        short = self.make(client, admin.auth, expires_at=soon).json()
        by = {"Authorization": f"Bearer {short['token']}"}

        assert self.make(client, by).json()["expires_at"] == short["expires_at"]
        refused = self.make(client, by, expires_at=later)
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["field"] == "expires_at"
        assert self.make(client, admin.auth).json()["expires_at"] is None


class TestAdministration:
    def change(self, client: TestClient, by: Person, user_id: object, **said: Any) -> Any:
        return client.patch(f"{API}/users/{user_id}", json=said, headers=by.auth)

    def test_people_are_found_by_words(self, client: TestClient, admin: Person) -> None:
        add_ann(client, admin)

        def found(q: str) -> list[str]:
            answer = client.get(f"{API}/users", params={"q": q}, headers=admin.auth)
            return [item["name"] for item in answer.json()["items"]]

        assert found("ANN") == ["Ann"]
        assert found("ann example.org") == ["Ann"]
        assert found("%") == found("nobody") == []
        assert found("") == ["admin", "Ann"]

    def test_switching_off_ends_sessions_and_tokens_at_once_and_votes_stay(
        self, client: TestClient, world: World, admin: Person
    ) -> None:
        team = world.team()
        world.decide(team.review_id, team.ann, 1, "include")
        before = client.get(f"{API}/reviews/{team.review_id}/progress", headers=team.owner.auth)

        off = self.change(client, admin, team.ann.id, is_active=False)

        assert (off.status_code, off.json()["is_active"]) == (200, False)
        assert client.get(f"{API}/me", headers=team.ann.auth).status_code == 401
        after = client.get(f"{API}/reviews/{team.review_id}/progress", headers=team.owner.auth)
        assert after.json()["stages"] == before.json()["stages"]
        on = self.change(client, admin, team.ann.id, is_active=True)
        assert on.json()["is_active"] is True
        assert client.get(f"{API}/me", headers=team.ann.auth).status_code == 401

    def test_who_is_switched_off_cannot_sign_in_and_reads_why(
        self, client: TestClient, admin: Person
    ) -> None:
        ann = add_ann(client, admin)
        sign_in(client)
        self.change(client, admin, ann, is_active=False)

        assert client.get(f"{API}/me").status_code == 401
        body = {"email": ANN["email"], "password": PASSWORD}
        refused = client.post(f"{API}/auth/login", json=body)
        assert refused.status_code == 401
        assert "switched off" in refused.json()["detail"]
        wrong = client.post(f"{API}/auth/login", json=body | {"password": "wrong"})
        assert wrong.json()["detail"] == "The e-mail address or the password is wrong."

    def test_one_active_administrator_is_always_left(
        self, client: TestClient, world: World, admin: Person
    ) -> None:
        for said in ({"is_admin": False}, {"is_active": False}):
            refused = self.change(client, admin, admin.id, **said)
            assert (refused.status_code, refused.json()["code"]) == (409, "last_admin")
        other = world.person("other")
        self.change(client, admin, other.id, is_admin=True)
        assert self.change(client, admin, admin.id, is_admin=False).status_code == 200
        assert client.get(f"{API}/users", headers=admin.auth).status_code == 403
        assert self.change(client, other, other.id, is_active=False).status_code == 409

    @both_engines
    def test_two_administrators_who_demote_each_other_leave_one(
        self, client: TestClient, world: World
    ) -> None:
        def status(by: Person, of: object, **said: bool) -> int:
            found: int = self.change(client, by, of, **said).status_code
            return found

        for _ in range(3):
            first, second = world.people("a", "b", is_admin=True)
            with world.database.write.begin() as session:
                others = update(User).where(User.id.not_in([first.id, second.id]))
                session.execute(others.values(is_admin=False))

            statuses = at_once(
                [
                    partial(status, first, second.id, is_admin=False),
                    partial(status, second, first.id, is_active=False),
                ]
            )

            assert statuses.count(200) == 1, statuses
            with world.database.read() as session:
                left = select(func.count()).select_from(User).where(User.is_admin, User.is_active)
                assert session.scalar(left) == 1

    def test_an_unknown_account_is_not_found(self, client: TestClient, admin: Person) -> None:
        assert self.change(client, admin, admin.id, nonsense=1).status_code == 422
        for unknown in ("00000000-0000-4000-8000-000000000000", "x"):
            assert self.change(client, admin, unknown, name="X").status_code == 404
            path = f"{API}/users/{unknown}/reset"
            assert client.post(path, headers=admin.auth).status_code == 404


class TestReset:
    def link(self, client: TestClient, admin: Person, ann: str) -> Any:
        made = client.post(f"{API}/users/{ann}/reset", headers=admin.auth)
        assert made.status_code == 201
        return made.json()

    def use(self, client: TestClient, token: str, password: str = NEW) -> Any:
        return client.post(f"{API}/auth/reset", json={"token": token, "password": password})

    def test_a_link_is_good_once_and_ends_all_sessions(
        self, client: TestClient, admin: Person
    ) -> None:
        ann = add_ann(client, admin)
        sign_in(client)
        made = self.link(client, admin, ann)
        base, _, token = made["link"].rpartition("/")
        assert re.fullmatch(r"http://[^/]+/reset", base)

        assert self.use(client, token).status_code == 204

        assert client.get(f"{API}/me").status_code == 401
        assert (sign_in(client), sign_in(client, NEW)) == (401, 204)
        again = self.use(client, token)
        assert (again.status_code, again.json()["code"]) == (403, "wrong_token")

    def test_it_lasts_a_day_and_a_newer_one_voids_it(
        self, client: TestClient, admin: Person, world: World
    ) -> None:
        ann = add_ann(client, admin)
        old, new = (self.link(client, admin, ann)["link"].rpartition("/")[2] for _ in range(2))
        with world.database.read() as session:
            expires = session.scalars(select(AccountLink.expires_at)).one()
        assert timedelta(hours=23) < expires - now() < timedelta(hours=25)
        assert self.use(client, old).status_code == 403
        with world.database.write.begin() as session:
            session.execute(update(AccountLink).values(expires_at=now()))
        assert self.use(client, new).status_code == 403

    def test_a_weak_password_leaves_the_link_good_however_often(
        self, client: TestClient, admin: Person
    ) -> None:
        token = self.link(client, admin, add_ann(client, admin))["link"].rpartition("/")[2]
        for _ in range(7):
            assert self.use(client, token, "ann@example.org").json()["code"] == "weak_password"

        assert self.use(client, token).status_code == 204

    @both_engines
    def test_of_two_who_use_it_at_once_one_does(self, client: TestClient, admin: Person) -> None:
        token = self.link(client, admin, add_ann(client, admin))["link"].rpartition("/")[2]

        def use(password: str) -> int:
            status: int = self.use(client, token, password).status_code
            return status

        assert sorted(at_once([lambda: use(NEW), lambda: use(NEW + "!")])) == [204, 403]

    def test_switching_off_voids_it(self, client: TestClient, admin: Person) -> None:
        ann = add_ann(client, admin)
        token = self.link(client, admin, ann)["link"].rpartition("/")[2]
        client.patch(f"{API}/users/{ann}", json={"is_active": False}, headers=admin.auth)

        assert self.use(client, token).status_code == 403
        refused = client.post(f"{API}/users/{ann}/reset", headers=admin.auth)
        assert (refused.status_code, refused.json()["code"]) == (409, "account_off")

    def test_it_is_in_no_idempotent_answer(
        self, client: TestClient, admin: Person, world: World
    ) -> None:
        ann = add_ann(client, admin)
        headers = admin.auth | {"Idempotency-Key": "k"}
        made = client.post(f"{API}/users/{ann}/reset", headers=headers)
        assert made.status_code == 201
        again = client.post(f"{API}/users/{ann}/reset", headers=headers)
        assert again.json()["code"] == "idempotency_key_reused"

    def test_the_form_works_without_scripts(self, client: TestClient, admin: Person) -> None:
        link = self.link(client, admin, add_ann(client, admin))["link"]
        path = "/reset/" + link.rpartition("/")[2]

        assert "<form" in client.get(path).text
        assert "commonest" in client.post(path, data={"password": "password1"}).text
        assert client.post(path, data={}).status_code == 422
        assert client.post(path, data={"password": NEW}).status_code == 200
        assert client.post(path, data={"password": NEW}).status_code == 403
        assert sign_in(client, NEW) == 204


@pytest.fixture
def every_log_line() -> Iterator[None]:
    """Those of requests, too, which tests do without otherwise."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    yield
    structlog.configure(**before)


def test_no_secret_is_logged_or_kept(
    client: TestClient,
    admin: Person,
    database: Database,
    capfd: pytest.CaptureFixture[str],
    every_log_line: None,
) -> None:
    headers = admin.auth | {"Idempotency-Key": "first"}
    ann = client.post(f"{API}/users", json=ANN, headers=headers).json()["id"]
    # The same again, but for the password: what is kept to compare by must not depend on it.
    again = client.post(f"{API}/users", json=ANN | {"password": "other words"}, headers=headers)
    assert again.headers["idempotency-replayed"] == "true"
    token = client.post(f"{API}/users/{ann}/reset", headers=admin.auth).json()["link"]
    token = token.rpartition("/")[2]
    client.get(f"/reset/{token}")
    client.post(f"/reset/{token}", data={"password": "12345678"})
    client.get(f"/join/{token}")
    client.get(f"/setup/{token}")
    client.post(f"{API}/auth/reset", json={"token": token, "password": NEW})
    sign_in(client, NEW)
    secrets = [PASSWORD, NEW, token, client.cookies["tandem_session"], admin.token]

    derived = "".join(capfd.readouterr())
    with database.read() as session:
        kept = json.dumps([row.body for row in session.scalars(select(IdempotentRequest))])
    assert "/reset/***" in derived
    for secret in secrets:
        assert secret not in derived
        assert secret not in kept
