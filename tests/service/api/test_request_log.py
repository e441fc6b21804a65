"""What the server's log says of a request."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from fastapi.testclient import TestClient

from tandem.config import Settings
from tandem.log import configure, without_secrets
from world import Team, World

API = "/api/v1"


@pytest.fixture
def logged(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the server logs meanwhile."""
    stream, root = io.StringIO(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr(logging.getLogger("httpx2"), "level", logging.WARNING)  # the client's
    configure(settings.model_copy(update={"log_format": "json"}), process="api")
    yield stream
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@pytest.fixture
def team(world: World) -> Team:
    return world.team(n_records=1)


def requests(logged: io.StringIO) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in logged.getvalue().splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("event") == "request"]


def test_a_request_is_logged_with_who_and_from_where(
    client: TestClient, team: Team, logged: io.StringIO
) -> None:
    path = f"{API}/reviews/{team.review_id}"
    assert client.get(path, headers=team.ann.auth).status_code == 200
    assert client.delete(f"{path}/members/{team.ben.id}", headers=team.ann.auth).status_code == 403
    assert client.get(path).status_code == 401

    read, refused, unknown = requests(logged)

    assert (read["user"], read["status"]) == (str(team.ann.id), 200)
    assert (refused["user"], refused["status"]) == (str(team.ann.id), 403)
    assert (unknown["user"], unknown["status"]) == (None, 401)
    assert {line["client"] for line in (read, refused, unknown)} == {"testclient"}
    assert read["timestamp"].endswith("Z")


def test_no_log_line_has_the_secret(logged: io.StringIO, client: TestClient, team: Team) -> None:
    made = client.post(
        f"{API}/reviews/{team.review_id}/invitations",
        json={"role": "reviewer"},
        headers=team.owner.auth,
    )
    token = made.json()["token"]
    client.get(f"{API}/invitations/{token}")
    client.post(f"{API}/invitations/{token}/acceptance", headers=team.ann.auth)
    client.get(f"{API}/invitations//{token}/nowhere")

    paths = [line["path"] for line in requests(logged)]
    assert f"{API}/invitations/***/acceptance" in paths
    assert token not in logged.getvalue()


def test_paths_without_secrets_stay() -> None:
    assert without_secrets(f"{API}/reviews/1/records/2") == f"{API}/reviews/1/records/2"
    assert without_secrets("/x/INVITATIONS/abc") == "/x/INVITATIONS/***"
