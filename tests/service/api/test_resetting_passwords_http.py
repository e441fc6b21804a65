"""Who forgot their password gets a link from an administrator."""

import re
from datetime import timedelta
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import select, update

from service.api.accounts import API, NEW, add_ann, both_engines, sign_in
from service.domain.threads import at_once
from tandem.accounts.models import AccountLink
from tandem.db.base import now
from world import Person, World


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

    def test_a_link_that_is_used_shows_no_form(self, client: TestClient, admin: Person) -> None:
        path = (
            "/reset/" + self.link(client, admin, add_ann(client, admin))["link"].rpartition("/")[2]
        )
        assert client.get(path).headers["Cache-Control"] == "no-store"
        client.post(path, data={"password": NEW})

        for gone in (path, "/reset/never"):
            shown = client.get(gone)
            assert shown.status_code == 403
            assert "Ask an administrator for a new one." in shown.text
            assert "<form" not in shown.text
            assert shown.headers["Cache-Control"] == "no-store"
