"""What answers say to browsers; the first page and the interactive description."""

import gzip
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import Any

import pytest
from fastapi.testclient import TestClient

from application import application
from tandem.config import Settings
from world import Team, World

API = "/api/v1"
FRONT = "https://front.example.org"


@contextmanager
def opened(settings: Settings, **said: str) -> Iterator[TestClient]:
    with TestClient(application(settings.model_copy(update=said))) as client:
        yield client


@pytest.fixture
def team(world: World) -> Team:
    return world.team(n_records=30)


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/healthz", f"{API}/me", f"{API}/nothing", f"{API}/openapi.json"]
)
def test_every_answer_tells_browsers_to_do_nothing_unexpected_with_it(
    client: TestClient, path: str
) -> None:
    headers = client.get(path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "strict-transport-security" not in headers  # over plain http it must not be said


def test_a_failure_nobody_foresaw_has_the_headers_too(settings: Settings) -> None:
    app = application(settings)
    with TestClient(app, raise_server_exceptions=False) as client:
        app.state.runtime = None
        answer = client.get("/readyz")

    assert answer.status_code == 500
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_browsers_are_bound_to_https_where_the_public_address_has_it(settings: Settings) -> None:
    with opened(settings, public_url="https://screening.example.org") as client:
        said = client.get("/healthz").headers["strict-transport-security"]

    assert int(re.findall(r"max-age=(\d+)", said)[0]) >= 31_536_000


@pytest.mark.parametrize("what", ["", "/records", "/progress", "/events", "/export?format=ris"])
def test_nothing_of_a_review_is_kept_by_a_cache(client: TestClient, team: Team, what: str) -> None:
    answer = client.get(f"{API}/reviews/{team.review_id}{what}", headers=team.owner.auth)

    assert answer.headers["cache-control"] == "no-store"


def test_long_answers_are_compressed_for_those_who_take_it(client: TestClient, team: Team) -> None:
    path = f"{API}/reviews/{team.review_id}/records"
    packed = client.get(path, headers=team.owner.auth | {"Accept-Encoding": "gzip"})
    plain = client.get(path, headers=team.owner.auth | {"Accept-Encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content) / 3
    assert packed.json() == plain.json()
    assert "content-encoding" not in plain.headers
    assert "accept-encoding" in plain.headers["vary"].lower()


def test_a_text_export_is_compressed_and_a_workbook_is_not_again(
    client: TestClient, team: Team
) -> None:
    path = f"{API}/reviews/{team.review_id}/export"
    headers = team.owner.auth | {"Accept-Encoding": "gzip"}

    assert client.get(f"{path}?format=ris", headers=headers).headers["content-encoding"] == "gzip"
    assert "content-encoding" not in client.get(f"{path}?format=xlsx", headers=headers).headers


def test_an_answer_with_a_secret_is_not_compressed(client: TestClient, team: Team) -> None:
    """What is sent with it is repeated in it, and its size would tell how alike the two are."""
    body = {"name": "x" * 200}
    made = client.post(
        f"{API}/me/tokens", json=body, headers=team.owner.auth | {"Accept-Encoding": "gzip"}
    )

    assert made.status_code == 201
    assert "content-encoding" not in made.headers


def test_no_other_site_may_read_answers_by_default(client: TestClient, team: Team) -> None:
    answer = client.get(f"{API}/reviews", headers=team.owner.auth | {"Origin": FRONT})

    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_listed_front_end_may_read_and_write_with_credentials(
    settings: Settings, world: World
) -> None:
    admin = world.person("admin", is_admin=True)
    body = {"email": "ann@example.org", "name": "Ann", "password": "correct horse battery"}
    with opened(settings, cors_origins=f"{FRONT}, https://other.example.org") as client:
        client.post(f"{API}/users", json=body, headers=admin.auth)
        asked = client.options(
            f"{API}/reviews",
            headers={
                "Origin": FRONT,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "content-type,idempotency-key",
            },
        )
        client.post(
            f"{API}/auth/login",
            json={"email": body["email"], "password": body["password"]},
            headers={"Origin": FRONT, "Sec-Fetch-Site": "same-site"},
        )
        made = client.post(
            f"{API}/reviews",
            json={"title": "Mine"},
            headers={"Origin": FRONT, "Sec-Fetch-Site": "same-site"},
        )
        stranger = client.post(
            f"{API}/reviews",
            json={"title": "Mine"},
            headers={"Origin": "https://evil.example", "Sec-Fetch-Site": "same-site"},
        )

    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == FRONT
    assert asked.headers["access-control-allow-credentials"] == "true"
    assert made.status_code == 201
    assert made.headers["access-control-allow-origin"] == FRONT
    assert "x-request-id" in made.headers["access-control-expose-headers"].lower()
    assert stranger.status_code == 403
    assert "access-control-allow-origin" not in stranger.headers


class References(HTMLParser):
    """Collects what a page loads or links, and what stands in it that a strict policy forbids."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inline: list[str] = []
        self._in: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in = tag if tag in ("script", "style") else None
        for name, value in attrs:
            if name in ("src", "href", "data-document"):
                self.addresses.append(value or "")
            if name == "style" or name.startswith("on"):
                self.inline.append(f"{name}={value}")

    def handle_endtag(self, tag: str) -> None:
        self._in = None

    def handle_data(self, data: str) -> None:
        if self._in:
            self.inline.append(data)


@pytest.mark.parametrize("prefix", ["", "/tandem"])
@pytest.mark.parametrize("path", ["/", "/docs", "/nothing/here"])
def test_pages_load_nothing_from_another_host_and_all_that_they_name_is_there(
    settings: Settings, path: str, prefix: str
) -> None:
    said: dict[str, Any] = {"public_url": f"https://example.org{prefix}"} if prefix else {}
    with opened(settings, **said) as client:
        answer = client.get(f"{prefix}{path}", headers={"Accept": "text/html"})
        found = References()
        found.feed(answer.text)
        local = [one for one in found.addresses if one != "data:,"]
        answers = [client.get(one).status_code for one in local]

    assert answer.headers["content-type"].startswith("text/html")
    assert found.inline == []
    assert all(one.startswith(f"{prefix}/") and not one.startswith("//") for one in local)
    assert local
    assert set(answers) == {200}


def test_the_description_asks_no_validator_of_another_host(client: TestClient) -> None:
    begun = client.get("/docs/describe.js")

    assert begun.headers["content-type"].startswith("text/javascript")
    assert "validatorUrl: null" in begun.text
    assert "http" not in begun.text
    bundle = client.get("/docs/swagger-ui-bundle.js", headers={"Accept-Encoding": "gzip"})
    assert "SwaggerUIBundle" in bundle.text
    assert "max-age" in bundle.headers["cache-control"]
    assert client.get("/docs/../app.py").status_code == 404
    assert client.get("/docs/app.py").status_code == 404


def test_the_first_page_says_what_this_is_and_where_to_go_on(client: TestClient) -> None:
    answer = client.get("/")

    assert answer.status_code == 200
    assert "systematic reviews" in answer.text
    assert 'href="/docs"' in answer.text
    assert "README" in answer.text


@pytest.mark.parametrize("path", ["/", "/docs", "/healthz", "/readyz"])
def test_a_probe_may_ask_for_the_head_alone(client: TestClient, path: str) -> None:
    answer = client.head(path)

    assert (answer.status_code, answer.content) == (200, b"")


def test_a_missing_page_is_a_page_for_browsers_and_a_problem_for_programs(
    client: TestClient,
) -> None:
    shown = client.get("/nothing", headers={"Accept": "text/html,*/*"})
    reported = client.get("/nothing")
    data = client.get(f"{API}/nothing", headers={"Accept": "text/html,*/*"})

    assert (shown.status_code, shown.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert (reported.status_code, reported.json()["code"]) == (404, "not_found")
    assert (data.status_code, data.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["/auth/login", "/invitations/abc/acceptance"])
def test_nobody_sends_a_large_body_before_signing_in(client: TestClient, path: str) -> None:
    answer = client.post(f"{API}{path}", content=gzip.compress(b"") + b"x" * 70_000)

    assert answer.status_code == 413
    assert "64 KiB" in answer.json()["detail"]
