"""One's own account, and those that administrators care for; no secret is logged or kept."""

import json
import logging
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import structlog
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import func, select, update

from service.api.accounts import ANN, API, NEW, PASSWORD, add_ann, both_engines, sign_in
from service.domain.threads import at_once
from tandem.accounts import service as accounts
from tandem.accounts.models import IMPORTED, IdempotentRequest, User
from tandem.db.session import Database
from world import Person, World


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

        ended = client.get(f"{API}/me")
        assert (ended.status_code, ended.json()["code"]) == (401, "unauthenticated")
        assert ended.json()["detail"] == "This account is switched off. Ask an administrator."
        body = {"email": ANN["email"], "password": PASSWORD}
        refused = client.post(f"{API}/auth/login", json=body)
        assert refused.status_code == 401
        assert "switched off" in refused.json()["detail"]
        wrong = client.post(f"{API}/auth/login", json=body | {"password": "wrong"})
        assert wrong.json()["detail"] == "The e-mail address or the password is wrong."

    def test_switched_on_again_a_browser_has_to_sign_in(
        self, client: TestClient, admin: Person
    ) -> None:
        ann = add_ann(client, admin)
        sign_in(client)
        for is_active in (False, True):
            self.change(client, admin, ann, is_active=is_active)

        assert client.get(f"{API}/me").json()["detail"] == "This sign-in has ended. Sign in again."

    @both_engines
    def test_who_has_another_address_signs_in_with_it(
        self, client: TestClient, admin: Person
    ) -> None:
        ann = add_ann(client, admin)
        sign_in(client)

        changed = self.change(client, admin, ann, email="  Ann.Lee@Example.org ")

        assert changed.json()["email"] == "ann.lee@example.org"
        assert client.get(f"{API}/me").json()["email"] == "ann.lee@example.org", "still signed in"
        body = {"email": "ann.lee@example.org", "password": PASSWORD}
        assert client.post(f"{API}/auth/login", json=body).status_code == 204
        old = client.post(f"{API}/auth/login", json=body | {"email": ANN["email"]})
        assert old.status_code == 401
        free = client.post(f"{API}/users", json=ANN, headers=admin.auth)
        assert free.status_code == 201, "the old address is somebody else's now"

    @both_engines
    def test_an_address_is_one_person_however_it_is_spelled(
        self, client: TestClient, admin: Person
    ) -> None:
        composed, marked = "jos\u00e9@example.org", "JOSE\u0301@example.org"
        jose = client.post(
            f"{API}/users",
            json={"email": marked, "name": "Jos\u00e9", "password": PASSWORD},
            headers=admin.auth,
        ).json()
        assert jose["email"] == composed
        again = client.post(
            f"{API}/users", json={"email": composed, "name": "J"}, headers=admin.auth
        )
        assert again.json()["code"] == "email_taken"
        for email in (composed, marked):
            body = {"email": email, "password": PASSWORD}
            assert client.post(f"{API}/auth/login", json=body).status_code == 204
        ann = add_ann(client, admin)
        for email in (composed, marked):
            refused = self.change(client, admin, ann, email=email)
            assert (refused.status_code, refused.json()["code"]) == (409, "email_taken")
        assert self.change(client, admin, jose["id"], email=marked).json() == jose

    def test_addresses_of_people_in_files_are_neither_given_nor_changed(
        self, client: TestClient, world: World, admin: Person
    ) -> None:
        ann = add_ann(client, admin)
        with world.database.write.begin() as session:
            imported = accounts.add_user(
                session, email=f"ben{IMPORTED}", name="Ben", password=None, is_admin=False
            ).id
        for who, email in ((ann, f"x{IMPORTED}"), (imported, "ben@example.org"), (ann, "nobody")):
            refused = self.change(client, admin, who, email=email)
            assert refused.status_code == 422
            assert refused.json()["errors"][0]["field"] == "email"

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
    caplog: pytest.LogCaptureFixture,
    every_log_line: None,
) -> None:
    caplog.set_level(logging.INFO)
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

    # Loggers that were used when a test before had configured them still write as they did then.
    ours = [one.getMessage() for one in caplog.records if one.name.startswith("tandem")]
    derived = "".join([*capfd.readouterr(), *ours])
    with database.read() as session:
        kept = json.dumps([row.body for row in session.scalars(select(IdempotentRequest))])
    assert "/reset/***" in derived
    for secret in secrets:
        assert secret not in derived
        assert secret not in kept
