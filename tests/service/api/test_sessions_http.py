"""Sessions and tokens: they are listed, used and ended."""

from datetime import timedelta
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from application import application
from service.api.accounts import API, add_ann, both_engines, sign_in
from tandem.accounts.models import SignIn, Token
from tandem.config import Settings
from tandem.db.base import now
from world import Person, World


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

    def test_the_page_of_one_person_does_nothing_with_the_cookie_of_another(
        self, client: TestClient, admin: Person
    ) -> None:
        add_ann(client, admin)
        sign_in(client)
        me = client.get(f"{API}/me").json()["id"]
        assert client.get(f"{API}/reviews", headers={"Tandem-User": me}).status_code == 200
        for other in (str(admin.id), "", "somebody"):
            refused = client.get(f"{API}/reviews", headers={"Tandem-User": other})
            assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")

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
