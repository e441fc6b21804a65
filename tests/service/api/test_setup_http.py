"""The first account of an installation."""

from fastapi.testclient import TestClient
from sqlalchemy import func, select, update

from service.api.accounts import ANN, API, both_engines
from service.domain.threads import at_once
from tandem.accounts import setup
from tandem.accounts.models import AccountLink, User
from tandem.db.base import now
from world import World


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

    def test_its_form_is_gone_once_there_is_an_account(
        self, client: TestClient, world: World
    ) -> None:
        path = f"/setup/{self.token(world)}"
        assert "<form" in client.get(path).text
        client.post(path, data=ANN)

        shown = client.get(path)
        assert "Tandem is set up already" in shown.text
        assert "<form" not in shown.text

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
