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
from tandem.log import configure
from world import Team, World

API = "/api/v1"


@pytest.fixture
def derived(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the server logs meanwhile."""
    stream, root = io.StringIO(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr("sys.stderr", stream)
    configure(settings.model_copy(update={"log_format": "json"}), process="api")
    yield stream
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@pytest.fixture
def team(world: World) -> Team:
    return world.team(n_records=1)


def requests(derived: io.StringIO) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in derived.getvalue().splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("event") == "request"]


def test_a_request_is_logged_with_who_and_from_where(
    client: TestClient, team: Team, derived: io.StringIO
) -> None:
    path = f"{API}/reviews/{team.review_id}"
    assert client.get(path, headers=team.ann.auth).status_code == 200
    assert client.delete(f"{path}/members/{team.ben.id}", headers=team.ann.auth).status_code == 403
    assert client.get(path).status_code == 401

    read, refused, unknown = requests(derived)

    assert (read["user"], read["status"]) == (str(team.ann.id), 200)
    assert (refused["user"], refused["status"]) == (str(team.ann.id), 403)
    assert (unknown["user"], unknown["status"]) == (None, 401)
    assert {line["client"] for line in (read, refused, unknown)} == {"testclient"}
    assert read["timestamp"].endswith("Z")
