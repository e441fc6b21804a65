"""Signing in with a browser, tokens for machines, and whose page a write comes from."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from application import application
from service.api.pages_of import pages_of
from service.domain.threads import at_once
from tandem.accounts.models import SignIn, Token
from tandem.config import Settings
from tandem.db.base import now
from world import Person, World

API = "/api/v1"
PASSWORD = "correct horse battery"


@pytest.fixture
def ann(client: TestClient, admin: Person) -> dict[str, str]:
    """Return Ann's address and password, to sign in with."""
    body = {"email": "Ann@Example.org", "name": "Ann", "password": PASSWORD}
    assert client.post(f"{API}/users", json=body, headers=admin.auth).status_code == 201
    return {"email": "ann@example.org", "password": PASSWORD}


def test_signing_in_sets_a_cookie_that_scripts_cannot_read(
    client: TestClient, ann: dict[str, str]
) -> None:
    answer = client.post(f"{API}/auth/login", json=ann)

    assert (answer.status_code, answer.content) == (204, b"")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("tandem_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie  # over plain http the browser would drop it
    me = client.get(f"{API}/me").json()
    assert me == {
        "id": me["id"],
        "email": "ann@example.org",
        "name": "Ann",
        "is_admin": False,
        "is_active": True,
        "preferences": {},
    }


@pytest.mark.parametrize("how", ["https", "public_url"])
def test_the_cookie_is_secure_under_https(
    how: str, settings: Settings, ann: dict[str, str]
) -> None:
    public = settings.model_copy(update={"public_url": "https://tandem.example.org"})
    app = application(public if how == "public_url" else settings)
    base = "https://testserver" if how == "https" else "http://testserver"
    with TestClient(app, base_url=base) as client:
        answer = client.post(f"{API}/auth/login", json=ann)

    assert "Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    "said",
    [
        {"password": "wrong"},
        {"email": "nobody@example.org"},
        {"email": "not an address"},
        {"password": ""},
    ],
)
def test_a_wrong_password_and_an_unknown_address_look_the_same(
    client: TestClient, ann: dict[str, str], said: dict[str, str]
) -> None:
    answer = client.post(f"{API}/auth/login", json=ann | said)

    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthenticated"
    assert answer.json()["detail"] == "The e-mail address or the password is wrong."
    assert "set-cookie" not in answer.headers


def test_an_account_without_a_password_cannot_sign_in(client: TestClient, world: World) -> None:
    world.person("machine")
    body = {"email": "machine-1@example.org", "password": ""}

    assert client.post(f"{API}/auth/login", json=body).status_code == 401


def test_signing_out_ends_the_session_on_the_server_too(
    client: TestClient, ann: dict[str, str]
) -> None:
    client.post(f"{API}/auth/login", json=ann)
    secret = client.cookies["tandem_session"]

    answer = client.post(f"{API}/auth/logout")

    assert answer.status_code == 204
    assert 'tandem_session=""' in answer.headers["set-cookie"]
    client.cookies.set("tandem_session", secret)
    assert client.get(f"{API}/me").status_code == 401
    assert client.post(f"{API}/auth/logout").status_code == 204


def test_a_session_expires(client: TestClient, ann: dict[str, str], world: World) -> None:
    client.post(f"{API}/auth/login", json=ann)
    with world.database.write.begin() as session:
        expires = session.scalars(select(SignIn.expires_at)).one()
        session.execute(update(SignIn).values(expires_at=now() - timedelta(seconds=1)))

    assert timedelta(days=13) < expires - now() < timedelta(days=15)
    assert client.get(f"{API}/me").status_code == 401


FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://["},
    {"Origin": "http://testserver.evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_write_from_another_sites_page_is_refused(
    client: TestClient, ann: dict[str, str], admin: Person, headers: dict[str, str]
) -> None:
    client.post(f"{API}/auth/login", json=ann)
    body = {"title": "A review"}

    refused = client.post(f"{API}/reviews", json=body, headers=headers)

    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert client.post(f"{API}/auth/logout", headers=headers).status_code == 403
    assert client.post(f"{API}/auth/login", json=ann, headers=headers).status_code == 403
    assert client.get(f"{API}/reviews", headers=headers).json()["items"] == []
    # A token is sent by a program that means it, from wherever.
    by_token = client.post(f"{API}/reviews", json=body, headers=headers | admin.auth)
    assert by_token.status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://TestServer"},
        {"Sec-Fetch-Site": "none"},
        {},
    ],
    ids=str,
)
def test_a_write_from_our_own_page_is_taken(
    client: TestClient, ann: dict[str, str], headers: dict[str, str]
) -> None:
    client.post(f"{API}/auth/login", json=ann, headers=headers)

    made = client.post(f"{API}/reviews", json={"title": "A review"}, headers=headers)

    assert made.status_code == 201


def test_a_token_is_shown_once(client: TestClient, admin: Person) -> None:
    made = client.post(f"{API}/me/tokens", json={"name": "front-end"}, headers=admin.auth)

    assert made.status_code == 201
    shown = made.json()
    assert shown.keys() == {
        *("id", "name", "scope", "token"),
        *("created_at", "expires_at", "last_used_at"),
    }
    bearer = {"Authorization": f"Bearer {shown['token']}"}
    assert client.get(f"{API}/me", headers=bearer).json()["id"] == str(admin.id)
    listed = client.get(f"{API}/me/tokens", headers=admin.auth)
    assert shown["token"] not in listed.text
    assert [item["name"] for item in listed.json()["items"]] == ["test", "front-end"]
    assert all("token" not in item for item in listed.json()["items"])


def test_a_token_is_stored_as_its_hash_only(
    client: TestClient, admin: Person, world: World
) -> None:
    shown = client.post(f"{API}/me/tokens", json={"name": "x"}, headers=admin.auth).json()

    with world.database.read() as session:
        stored = list(session.scalars(select(Token.secret_hash)))
    assert shown["token"] not in stored


def test_a_removed_token_is_useless_at_once(client: TestClient, admin: Person) -> None:
    shown = client.post(f"{API}/me/tokens", json={"name": "x"}, headers=admin.auth).json()
    path, bearer = f"{API}/me/tokens/{shown['id']}", {"Authorization": f"Bearer {shown['token']}"}

    assert client.delete(path, headers=admin.auth).status_code == 204
    assert client.get(f"{API}/me", headers=bearer).status_code == 401
    assert client.delete(path, headers=admin.auth).status_code == 404


def test_a_token_expires(client: TestClient, admin: Person, world: World) -> None:
    body = {"name": "short", "expires_at": (now() + timedelta(minutes=1)).isoformat()}
    shown = client.post(f"{API}/me/tokens", json=body, headers=admin.auth).json()
    bearer = {"Authorization": f"Bearer {shown['token']}"}
    assert client.get(f"{API}/me", headers=bearer).status_code == 200

    with world.database.write.begin() as session:
        session.get_one(Token, UUID(shown["id"])).expires_at = now() - timedelta(seconds=1)

    assert client.get(f"{API}/me", headers=bearer).status_code == 401


@pytest.mark.parametrize("ago", [timedelta(0), timedelta(days=1), timedelta(days=9000)])
def test_a_token_that_has_expired_already_is_not_made(
    client: TestClient, admin: Person, ago: timedelta
) -> None:
    body = {"name": "late", "expires_at": (now() - ago).isoformat()}
    refused = client.post(f"{API}/me/tokens", json=body, headers=admin.auth)

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "expires_at"


def test_tokens_are_listed_in_pages(client: TestClient, admin: Person) -> None:
    for name in "ab":
        client.post(f"{API}/me/tokens", json={"name": name}, headers=admin.auth)
    pages = pages_of(client, f"{API}/me/tokens?limit=2", admin)

    assert [[item["name"] for item in page] for page in pages] == [["test", "a"], ["b"]]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer tandem_unknown"},
        {"Authorization": "Basic YTpi"},
        {"Authorization": b"Bearer \xff"},
        {"Cookie": "tandem_session=unknown"},
        {"Cookie": b'tandem_session="\\\xff'},
    ],
    ids=str,
)
def test_without_a_valid_secret_the_answer_says_how_to_sign_in(
    client: TestClient, headers: dict[str, Any]
) -> None:
    answer = client.get(f"{API}/me", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_administrators_make_accounts(client: TestClient, admin: Person, world: World) -> None:
    body = {"email": " Eve@Example.org ", "name": "Eve"}

    made = client.post(f"{API}/users", json=body, headers=admin.auth)
    again = client.post(f"{API}/users", json=body, headers=admin.auth)
    other = client.post(f"{API}/users", json=body, headers=world.person().auth)

    assert made.status_code == 201
    assert made.json() | {"id": ""} == {
        "id": "",
        "email": "eve@example.org",
        "name": "Eve",
        "is_admin": False,
        "is_active": True,
    }
    assert (again.status_code, again.json()["code"]) == (409, "email_taken")
    assert (other.status_code, other.json()["code"]) == (403, "forbidden")


@pytest.mark.both_engines
def test_two_accounts_are_never_made_for_one_address(
    client: TestClient, admin: Person, world: World
) -> None:
    body = {"email": "twice@example.org", "name": "Twice"}

    def make() -> int:
        return client.post(f"{API}/users", json=body, headers=admin.auth).status_code

    assert sorted(at_once([make] * 3)) == [201, 409, 409]


def test_users_are_listed_in_pages(client: TestClient, admin: Person, world: World) -> None:
    world.people("a", "b", "c")
    first = client.get(f"{API}/users?limit=3", headers=admin.auth).json()
    second = client.get(
        f"{API}/users?limit=3&cursor={first['next_cursor']}", headers=admin.auth
    ).json()

    emails = [item["email"] for item in first["items"] + second["items"]]
    assert emails == sorted(emails)
    assert len(set(emails)) == 4
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "X"}, "email"),
        ({"email": "@@", "name": "X"}, "email"),
        ({"email": "a@b", "name": "  "}, "name"),
        ({"email": "a@b", "name": "X", "password": "short"}, "password"),
        ({"email": "a@b", "name": "X", "is_admin": "yes"}, "is_admin"),
        ({"email": "a@b", "name": "X", "surname": "Y"}, "surname"),
    ],
)
def test_a_malformed_account_names_its_field(
    client: TestClient, admin: Person, body: dict[str, str], field: str
) -> None:
    answer = client.post(f"{API}/users", json=body, headers=admin.auth)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize(
    "expires_at",
    [
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59",
        "2030-01-01T00:00:00",
        "tomorrow",
        5,
        True,
    ],
)
def test_a_time_must_be_one_and_say_its_offset(
    client: TestClient, admin: Person, expires_at: object
) -> None:
    body = {"name": "x", "expires_at": expires_at}

    answer = client.post(f"{API}/me/tokens", json=body, headers=admin.auth)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "expires_at"
