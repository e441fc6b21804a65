"""Signing in against a flood of guesses, and what tokens of each scope may do."""

import asyncio
import threading
from collections import Counter
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from application import document_of_the_api
from service.api.scene import API, Scene, build
from service.api.test_permissions import BODIES, ROUTES
from service.domain.threads import at_once
from tandem.accounts import service as accounts
from tandem.accounts.models import Attempts, Scope
from tandem_api import hashing, scopes
from tandem_api.hashing import MOST, MOST_OF_A_SOURCE, Passwords
from world import World

EMAIL, PASSWORD, NEW = "ann@example.org", "correct horse battery", "staple orbit lantern"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refusals are held for a second elsewhere."""
    monkeypatch.setattr(hashing, "HOLD_SECONDS", 0.001)


@pytest.fixture
def ann(client: TestClient, world: World) -> Any:
    with world.database.write.begin() as session:
        user = accounts.add_user(
            session, email=EMAIL, name="Ann", password=PASSWORD, is_admin=False
        )
    return user


def login(client: TestClient, email: str = EMAIL, password: str = "wrong") -> Any:
    return client.post(f"{API}/auth/login", json={"email": email, "password": password})


def unblock(world: World) -> None:
    with world.database.write.begin() as session:
        session.execute(update(Attempts).values(blocked_until=None))


@pytest.mark.parametrize("email", [EMAIL, "nobody@example.org"])
def test_five_failures_are_answered_and_then_there_is_a_pause(
    client: TestClient, ann: object, email: str
) -> None:
    answers = [login(client, email) for _ in range(7)]

    assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 2
    assert answers[5].json()["code"] == "too_many_attempts"
    assert 1 <= int(answers[5].headers["retry-after"]) <= 10
    # The right password is not checked either: else the answer would show that it is right.
    assert login(client, email, PASSWORD).status_code == 429


def test_after_the_pause_the_right_password_lets_in_and_clears(
    client: TestClient, ann: object, world: World
) -> None:
    for _ in range(6):
        login(client)
    unblock(world)

    assert login(client, password=PASSWORD).status_code == 204
    assert [login(client).status_code for _ in range(5)] == [401] * 5


@pytest.mark.both_engines
def test_of_a_flood_no_more_than_five_are_looked_at(client: TestClient, ann: object) -> None:
    answers = at_once([lambda: login(client).status_code] * 30)

    assert Counter(answers) == {401: 5, 429: 25}


def test_all_that_may_be_guessed_is_counted(client: TestClient, ann: object, world: World) -> None:
    login(client, password=PASSWORD)
    made = build(world)
    client.cookies.clear()

    def reset() -> Any:
        return client.post(f"{API}/auth/reset", json={"token": "x", "password": NEW})

    def join() -> Any:
        body = {"name": "X", "email": "x@example.org", "password": NEW}
        return client.post(f"{API}/invitations/guessed/acceptance", json=body)

    def by_form() -> Any:
        return client.post("/reset/guessed", data={"password": NEW})

    assert [reset().status_code for _ in range(6)] == [403] * 5 + [429]
    assert by_form().status_code == 429
    assert int(by_form().headers["retry-after"]) >= 1
    assert [join().status_code for _ in range(6)] == [404] * 5 + [429]

    def change() -> Any:
        body = {"current": "x", "new": NEW}
        return client.put(f"{API}/me/password", json=body, headers=made.admin.auth)

    assert [change().status_code for _ in range(6)] == [403] * 5 + [429]


def test_only_so_many_wait_and_of_one_source_no_more_than_half(client: TestClient) -> None:
    """Counted where they wait: nothing is read or written for those that are too many."""
    passwords: Passwords = client.app.state.runtime.passwords  # type: ignore[attr-defined]
    go, portal = threading.Event(), client.portal
    assert portal is not None

    async def crowd() -> tuple[list[asyncio.Task[bool]], list[str]]:
        def start(source: str) -> asyncio.Task[bool]:
            return asyncio.ensure_future(passwords.run(source, go.wait))

        waiting = [start("a") for _ in range(MOST_OF_A_SOURCE)]
        waiting += [start("b") for _ in range(MOST - MOST_OF_A_SOURCE)]
        await asyncio.sleep(0)
        refused = await asyncio.gather(start("a"), start("c"), return_exceptions=True)
        return waiting, [type(error).__name__ for error in refused]

    async def end(waiting: list[asyncio.Task[bool]]) -> bool:
        go.set()
        await asyncio.gather(*waiting)
        return await passwords.run("a", go.wait)

    waiting, refused = portal.call(crowd)
    # Those who do not sign in go on meanwhile.
    assert client.get(f"{API}/setup").status_code == 200
    assert login(client).status_code == 503
    assert login(client).json()["code"] == "busy"
    assert login(client).headers["retry-after"] == "1"
    assert refused == ["TooManyAttempts", "ManyWait"]
    assert portal.call(end, waiting) is True


def test_scopes_by_route(scene: Scene, client: TestClient, world: World) -> None:
    """A token of a small scope is refused exactly where the table says so, and before the body."""
    with world.database.write.begin() as session:
        made = {
            scope: accounts.add_token(
                session, user_id=scene.team.owner.id, name=scope, expires_at=None, scope=scope
            )[1]
            for scope in Scope
        }
    names = {
        (method.upper(), path): operation["operationId"]
        for path, operations in document_of_the_api()["paths"].items()
        for method, operation in operations.items()
    }
    assert set(names.values()) >= scopes.SCREENING
    assert set(names.values()) >= scopes.MANAGING
    for method, path in ROUTES:
        if "/auth/" in path or path.startswith(("/metrics", "/healthz", "/readyz")):
            continue
        if path.endswith(("/setup", "/invitations/{token}")):
            continue
        least = scopes.least(method, names[method, path])
        for scope in Scope:
            if scope.reaches(least):
                continue
            answer = client.request(
                method,
                scene.path(path),
                headers={"Authorization": f"Bearer {made[scope]}"},
                **BODIES.get((method, path), {}),
            )
            said = (method, path, scope)
            assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope"), said


def test_a_token_that_screens_screens_and_one_that_reads_reads(
    scene: Scene, client: TestClient, world: World
) -> None:
    with world.database.write.begin() as session:
        made = {
            scope: accounts.add_token(
                session, user_id=scene.team.eve.id, name=scope, expires_at=None, scope=scope
            )[1]
            for scope in (Scope.READ, Scope.SCREEN)
        }
    reads, screens = ({"Authorization": f"Bearer {token}"} for token in made.values())

    assert client.get(scene.review, headers=reads).status_code == 200
    assert client.get(f"{API}/me", headers=screens).status_code == 200
    served = client.post(f"{scene.review}/queue", json={"limit": 1}, headers=screens)
    number = served.json()["items"][0]["record"]["id"]
    path = f"{scene.review}/records/{number}/decision"
    assert client.put(path, json={"verdict": "include"}, headers=screens).status_code == 200
    listed = client.get(f"{API}/me/tokens", headers=screens).json()["items"]
    assert {item["scope"] for item in listed} == {"read", "screen", "manage"}
