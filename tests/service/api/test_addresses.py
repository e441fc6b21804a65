"""Whose address a link, a cookie and a count of attempts go by."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import ValidationError
from starlette.requests import Request
from starlette.types import Scope

from application import application
from tandem.config import Settings
from tandem_api.addresses import Proxies, client_source, public_url, source_of
from tandem_api.app import create_app
from world import Team, World

API = "/api/v1"
PASSWORD = "correct horse battery"
PROXY = ("127.0.0.1", 40000)
STRANGER = ("203.0.113.9", 40000)


@contextmanager
def browser(
    settings: Settings,
    client: tuple[str, int] = PROXY,
    base: str = "http://testserver",
    **said: str | None,
) -> Iterator[TestClient]:
    changed = settings.model_copy(update=said)
    with TestClient(application(changed), base_url=base, client=client) as opened:
        yield opened


@pytest.fixture
def team(world: World) -> Team:
    return world.team()


def link(client: TestClient, team: Team, **headers: str) -> str:
    answer = client.post(
        f"{API}/reviews/{team.review_id}/invitations",
        json={"role": "reviewer"},
        headers={**team.owner.auth, **headers},
    )
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["link"]
    return found


def test_an_invitation_does_not_follow_a_strangers_host(settings: Settings, team: Team) -> None:
    with browser(settings, STRANGER) as client:
        made = link(client, team, Host="evil.example")
        spoofed = link(client, team, Host="evil.example", **{"X-Forwarded-Host": "evil.example"})

    assert made.startswith("http://testserver/")
    assert spoofed.startswith("http://testserver/")


def test_an_invitation_follows_the_host_that_a_trusted_proxy_passes_on(
    settings: Settings, team: Team
) -> None:
    forwarded = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    with browser(settings) as client:
        kept = link(client, team, Host="screening.example.org", **forwarded)
        rewritten = link(
            client, team, Host="backend:8000", **forwarded, **{"X-Forwarded-Host": "s.example.org"}
        )

    assert kept.startswith("https://screening.example.org/")
    assert rewritten.startswith("https://s.example.org/")


@pytest.mark.parametrize("public", ["https://screening.example.org", "https://example.org/tandem/"])
def test_an_invitation_has_the_configured_address_whatever_was_asked_for(
    settings: Settings, team: Team, public: str
) -> None:
    configured = Settings(**(settings.model_dump() | {"public_url": public}))
    with browser(configured, STRANGER) as client:
        assert link(client, team, Host="evil.example").startswith(public.rstrip("/") + "/")


@pytest.mark.parametrize(
    ("host", "listening", "expected"),
    [
        ("localhost:8000", ("127.0.0.1", 8000), "http://localhost:8000"),
        ("127.0.0.1:8000", ("127.0.0.1", 8000), "http://127.0.0.1:8000"),
        ("[::1]:8000", ("::1", 8000), "http://[::1]:8000"),
        ("tandem.localhost:8000", ("127.0.0.1", 8000), "http://tandem.localhost:8000"),
        ("192.0.2.7:8000", ("192.0.2.7", 8000), "http://192.0.2.7:8000"),
        ("localhost:9", ("127.0.0.1", 8000), "http://127.0.0.1:8000"),
        ("localhost:8000@evil.example", ("127.0.0.1", 8000), "http://127.0.0.1:8000"),
        ("localhost:8000/evil", ("127.0.0.1", 8000), "http://127.0.0.1:8000"),
        ("evil.example:8000", ("::1", 8000), "http://[::1]:8000"),
        ("localhost:port", ("127.0.0.1", 8000), "http://127.0.0.1:8000"),
        ("", ("127.0.0.1", 80), "http://127.0.0.1"),
        ("127.0.0.1", ("127.0.0.1", 80), "http://127.0.0.1"),
    ],
)
def test_without_a_setting_the_address_is_the_one_asked_for_where_it_is_this_server(
    host: str, listening: tuple[str, int], expected: str
) -> None:
    scope: Scope = {
        "type": "http",
        "scheme": "http",
        "server": listening,
        "headers": [(b"host", host.encode())],
        "state": {},
    }

    assert public_url(Request(scope), Settings()) == expected


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("127.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        # What the client itself had written stands before what the proxy has added.
        ("127.0.0.1", ["10.9.9.9, 198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", ["10.9.9.9", "198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", ["198.51.100.1, 127.0.0.1"], "198.51.100.1"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("10.0.0.2", ["198.51.100.1"], "198.51.100.1"),
        ("10.1.0.2", ["198.51.100.1"], "10.1.0.2"),
    ],
)
def test_only_a_trusted_proxy_says_where_a_request_comes_from(
    peer: str, forwarded: list[str], expected: str
) -> None:
    app, found = FastAPI(), []

    @app.get("/")
    async def read(request: Request) -> None:
        found.append(client_source(request))

    trusted = Settings(trusted_proxies="127.0.0.1, ::1, 10.0.0.0/24")
    asking = TestClient(Proxies(app, settings=trusted), client=(peer, 1))
    asking.get("/", headers=[("X-Forwarded-For", one) for one in forwarded])

    assert found == [expected]


def test_addresses_of_one_ipv6_network_are_one_source() -> None:
    assert source_of("2001:db8:1:2::1") == source_of("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    assert source_of("2001:db8:1:3::1") != source_of("2001:db8:1:2::1")
    assert source_of("::ffff:198.51.100.1") == "198.51.100.1"
    assert len(source_of("x" * 10_000)) == 64


@pytest.fixture
def ann(client: TestClient, world: World) -> dict[str, str]:
    admin = world.person("admin", is_admin=True)
    body = {"email": "ann@example.org", "name": "Ann", "password": PASSWORD}
    assert client.post(f"{API}/users", json=body, headers=admin.auth).status_code == 201
    return {"email": "ann@example.org", "password": PASSWORD}


@pytest.mark.parametrize("known", ["configured", "forwarded"])
def test_a_browser_writes_through_a_proxy_that_rewrites_the_host(
    settings: Settings, ann: dict[str, str], known: str
) -> None:
    """An older browser says where its page is from by Origin only."""
    headers = {"Host": "127.0.0.1:8000", "Origin": "https://screening.example.org"}
    public = "https://screening.example.org" if known == "configured" else None
    if known == "forwarded":
        headers |= {"X-Forwarded-Host": "screening.example.org", "X-Forwarded-Proto": "https"}
    with browser(settings, base="https://testserver", public_url=public) as client:
        assert client.post(f"{API}/auth/login", json=ann, headers=headers).status_code == 204
        made = client.post(f"{API}/reviews", json={"title": "Mine"}, headers=headers)
        foreign = client.post(
            f"{API}/reviews",
            json={"title": "Mine"},
            headers=headers | {"Origin": "https://evil.example"},
        )

    assert made.status_code == 201
    assert foreign.status_code == 403
    assert "TANDEM_PUBLIC_URL" in foreign.json()["detail"]


def test_a_forwarded_host_of_a_stranger_opens_nothing(
    settings: Settings, ann: dict[str, str]
) -> None:
    headers = {"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example"}
    with browser(settings, STRANGER) as client:
        assert client.post(f"{API}/auth/login", json=ann, headers=headers).status_code == 403


@pytest.mark.parametrize("asked", [f"/tandem{API}", API])
def test_a_path_prefix_is_in_links_and_cookies_and_the_proxy_may_take_it_off_or_not(
    settings: Settings, team: Team, ann: dict[str, str], asked: str
) -> None:
    with browser(settings, public_url="https://example.org/tandem") as client:
        signed_in = client.post(f"{asked}/auth/login", json=ann)
        secret = link(client, team).rpartition("/")[2]
        shown = client.get(f"{asked}/invitations/{secret}").json()
        plot = client.get(f"{asked}/reviews/{team.review_id}/agreement", headers=team.owner.auth)

    assert "Path=/tandem;" in signed_in.headers["set-cookie"]
    assert f"POST /tandem{API}/invitations/{secret}/acceptance" in shown["to_accept"]
    assert plot.json()["plot"].startswith(f"/tandem{API}/reviews/")


def test_the_document_names_the_path_prefix() -> None:
    prefixed = Settings(public_url="https://example.org/tandem/")

    assert create_app(prefixed).openapi()["servers"] == [{"url": "/tandem"}]
    assert "servers" not in create_app(Settings()).openapi()


@pytest.mark.parametrize(
    "said",
    [
        {"public_url": "screening.example.org"},
        {"public_url": "ftp://example.org"},
        {"public_url": "https://example.org/api"},
        {"public_url": "https://example.org/?x=1"},
        {"public_url": "https://me:secret@example.org/"},
        {"cors_origins": "*"},
        {"cors_origins": "https://example.org/page"},
        {"trusted_proxies": "proxy.example.org"},
    ],
    ids=str,
)
def test_a_setting_that_cannot_be_meant_is_refused(said: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Settings(**said)  # type: ignore[arg-type]  # pydantic checks them
