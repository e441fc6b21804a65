"""Errors are problem documents with a code, and say nothing of the code inside."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from application import application
from engines import Broker
from service.api.scene import API, METHODS
from tandem.config import Settings
from tandem.reviews import policy_versions
from tandem.reviews import service as reviews
from world import Person, Team, World

JSON = {"Content-Type": "application/json"}
SECRET = "the password is hunter2"


@pytest.fixture
def ann(world: World) -> Person:
    return world.person("ann")


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    """Check an answer's form as RFC 9457 has it, and return it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found.keys() - {"errors"} == {"type", "title", "status", "code", "detail", "request_id"}
    assert (found["type"], found["status"], found["code"]) == ("about:blank", status, code)
    assert found["request_id"] == answer.headers["x-request-id"]
    assert found["detail"]
    return found


MALFORMED = {
    "no json": b"{",
    "nothing": b"",
    "not utf-8": b'{"title": "\xff"}',
    "nested too deeply": b"[" * 100_000,
    "a number too long": b'{"title": ' + b"9" * 5000 + b"}",
    "half a character": b'{"title": "\\ud800"}',
    "half a character as a name": b'{"title": "T", "\\udfff": 1}',
    "a list": b"[]",
    "null": b"null",
}


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED)
def test_a_body_that_cannot_be_read_is_malformed(
    client: TestClient, ann: Person, content: bytes
) -> None:
    answer = client.post(f"{API}/reviews", content=content, headers=JSON | ann.auth)

    found = problem(answer, 422, "invalid")
    (error,) = found["errors"]
    assert (error["field"], error["location"]) == ("body", "body")


def test_a_patch_that_says_nothing_changes_nothing(client: TestClient, world: World) -> None:
    team = world.team(n_records=1)
    path = f"{API}/reviews/{team.review_id}"
    for place in (path, f"{path}/records/1"):
        before = client.get(place, headers=team.owner.auth).json()
        for content in (b"", b"{}"):
            answer = client.patch(place, content=content, headers=JSON | team.owner.auth)

            assert answer.status_code == 200, answer.text
            assert client.get(place, headers=team.owner.auth).json() == before


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "", "\xff", "multipart/mixed"])
def test_a_body_that_is_not_said_to_be_json_is_malformed(
    client: TestClient, ann: Person, kind: str
) -> None:
    headers: dict[str, Any] = ann.auth | ({"Content-Type": kind.encode("latin-1")} if kind else {})

    answer = client.post(f"{API}/reviews", content=b'{"title": "T"}', headers=headers)

    assert "Content-Type: application/json" in problem(answer, 422, "invalid")["detail"]


@pytest.mark.parametrize("content", [b"{", b"{}", b"[" * 100_000])
def test_without_a_token_everything_is_answered_401(client: TestClient, content: bytes) -> None:
    problem(client.post(f"{API}/reviews", content=content, headers=JSON), 401, "unauthenticated")


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "["},
        {"Host": ""},
        {"Origin": "http://["},
        {"Origin": b"\xff"},
        {"Sec-Fetch-Site": b"\xff"},
        {"Accept": b"\xff"},
        {"Accept": "text/html"},
        {"Accept-Language": "tlh"},
        {"Idempotency-Key": b"\xff"},
        {"Cookie": b"\xff=\xff; tandem_session"},
        {"X-Request-ID": b"\xff"},
        {"X-Forwarded-For": "not an address"},
    ],
    ids=str,
)
def test_odd_headers_do_no_harm(client: TestClient, ann: Person, headers: dict[str, Any]) -> None:
    made = client.post(f"{API}/reviews", json={"title": "T"}, headers=headers | ann.auth)

    assert made.status_code == 201
    assert client.get(f"{API}/nothing", headers=headers).status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/elsewhere", "/api", f"{API}/", f"{API}/reviews/", f"{API}//reviews", f"{API}/reviews/%00",
     f"{API}/reviews/%FF", f"{API}/reviews/a%2Fb", f"{API}/reviews/..%2F..", f"{API}/%E2%98%83",
     f"{API}/reviews/{'x' * 5000}", f"{API}/reviews/{'%EF%BC%91' * 32}"],
)  # fmt: skip
def test_odd_paths_lead_nowhere(client: TestClient, ann: Person, path: str) -> None:
    answer = client.get(path, headers=ann.auth, follow_redirects=False)

    problem(answer, 404, "not_found")


def test_a_method_that_a_path_has_not(client: TestClient) -> None:
    document = client.get(f"{API}/openapi.json").json()
    for path, operations in document["paths"].items():
        has = {method.upper() for method in operations}
        for method in {"TRACE", *(method.upper() for method in METHODS)} - has:
            answer = client.request(method, path.replace("{", "").replace("}", ""))
            found = problem(answer, 405, "method_not_allowed")
            assert set(answer.headers["allow"].split(", ")) == has
            assert method in found["detail"]


def test_the_document_is_for_reading(client: TestClient) -> None:
    answer = client.post(f"{API}/openapi.json")

    problem(answer, 405, "method_not_allowed")
    assert "GET" in answer.headers["allow"]


def test_a_request_id_is_echoed_if_it_is_sane(client: TestClient) -> None:
    def echoed(**headers: str) -> str:
        return str(client.get("/healthz", headers=headers).headers["x-request-id"])

    assert echoed(**{"X-Request-ID": "front-end.17_a"}) == "front-end.17_a"
    assert len({echoed(), echoed()}) == 2
    for odd in ("", "a b", "x" * 65, "a;b", "<script>"):
        assert echoed(**{"X-Request-ID": odd}) != odd


@pytest.fixture
def broken(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """Return an API in which listing reviews fails as nobody foresaw."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(reviews, "reviews_of", fail)
    return client


def test_an_unforeseen_error_shows_no_details(
    broken: TestClient, ann: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    headers = ann.auth | {"X-Request-ID": "mine"}

    answer = broken.get(f"{API}/reviews", headers=headers)

    found = problem(answer, 500, "internal")
    assert found["request_id"] == "mine"
    derived = capsys.readouterr().out
    assert "RuntimeError" in derived
    assert ann.token not in derived
    for inside in (SECRET, "RuntimeError", "Traceback", ".py"):
        assert inside not in answer.text


def test_a_failure_rolls_everything_back(
    client: TestClient, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy_versions, "policies_in_force", lambda *_: 1 / 0)
    headers = ann.auth | {"Idempotency-Key": "k"}
    failed = client.post(f"{API}/reviews", json={"title": "T"}, headers=headers)
    monkeypatch.undo()

    problem(failed, 500, "internal")
    assert client.get(f"{API}/reviews", headers=ann.auth).json()["items"] == []
    assert client.post(f"{API}/reviews", json={"title": "T"}, headers=headers).status_code == 201


def test_a_busy_database_asks_to_try_again(
    client: TestClient, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> None:
        raise OperationalError("SELECT 1", {}, Exception("database is locked"))

    monkeypatch.setattr(reviews, "reviews_of", busy)

    answer = client.get(f"{API}/reviews", headers=ann.auth)

    problem(answer, 503, "unavailable")
    assert answer.headers["retry-after"] == "2"
    assert "SELECT" not in answer.text


@pytest.fixture
def no_database(settings: Settings) -> Iterator[TestClient]:
    """Yield an API whose database server is not there."""
    gone = settings.model_copy(
        update={"database_url": "postgresql+psycopg://nobody@127.0.0.1:1/nothing"}
    )
    with TestClient(application(gone), raise_server_exceptions=False) as client:
        yield client


def test_without_its_database_the_api_lives_but_is_not_ready(no_database: TestClient) -> None:
    bearer = {"Authorization": "Bearer tandem_x"}

    assert no_database.get("/healthz").json() == {"status": "ok"}
    ready = no_database.get("/readyz")
    assert ready.status_code == 503
    assert ready.json() == {
        "status": "unavailable",
        "database": False,
        "broker": False,
        "n_stale_reviews": None,
        "n_waiting_imports": None,
        "problems": ["The database does not answer. Nothing was changed; try again."],
    }
    problem(no_database.get(f"{API}/me", headers=bearer), 503, "unavailable")
    login = {"email": "a@example.org", "password": "x"}
    problem(no_database.post(f"{API}/auth/login", json=login), 503, "unavailable")


def test_a_404_says_where_to_look(client: TestClient) -> None:
    answer = client.get("/nothing")
    assert answer.status_code == 404
    assert client.get("/api/v1/openapi.json").status_code == 200
    assert "/api/v1/openapi.json describes" in answer.json()["detail"]


def test_without_its_broker_the_api_is_ready_but_degraded(client: TestClient) -> None:
    ready = client.get("/readyz")

    assert ready.status_code == 200
    assert (ready.json()["status"], ready.json()["broker"]) == ("degraded", False)


@pytest.mark.processes
def test_with_everything_there_it_is_ready(settings: Settings, broker: Broker) -> None:
    whole = settings.model_copy(update={"redis_url": broker.url})
    with TestClient(application(whole)) as client:
        assert client.get("/readyz").json() == {
            "status": "ok",
            "database": True,
            "broker": True,
            "n_stale_reviews": 0,
            "n_waiting_imports": 0,
            "problems": [],
        }


@pytest.mark.parametrize(
    "redis_url", ["unix:///nobody", "redis://127.0.0.1:1", "redis://192.0.2.1"]
)
def test_without_its_broker_decisions_are_taken_and_fast(
    redis_url: str, settings: Settings, world: World
) -> None:
    team = world.team(n_records=12)
    away = settings.model_copy(update={"redis_url": redis_url})
    with TestClient(application(away)) as client:
        took = []
        for number in range(1, 13):
            began = time.perf_counter()
            answer = client.put(
                f"{API}/reviews/{team.review_id}/records/{number}/decision",
                json={"verdict": "include"},
                headers=team.ann.auth,
            )
            took.append(time.perf_counter() - began)
            assert answer.status_code == 200

    # To wait for the broker would take two seconds each time.
    assert min(took) < 1


def test_the_upload_folder_being_full_writes_no_import(
    client: TestClient, world: World, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    team: Team = world.team(n_records=0)
    path = f"{API}/reviews/{team.review_id}/imports"

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tandem.artifacts.Artifacts.write", full)
    before = client.get(path, headers=team.owner.auth).json()

    answer = client.post(path, files={"file": ("f", b"TY  - JOUR")}, headers=team.owner.auth)

    problem(answer, 503, "storage_full")
    assert client.get(path, headers=team.owner.auth).json() == before
    assert not list(Path(settings.resolved_artifact_url()).rglob("*.partial"))
