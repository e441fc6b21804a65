"""The application behind a real server, and who follows its events."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from application import application
from tandem.config import Settings
from world import Person, Team

API = "/api/v1"


SOON = 120.0
"""Seconds after which what should happen at once is taken not to happen at all."""

NO_TLS = False
"""What httpx is to verify on plain HTTP: without it, a client reads all certificates for 38 ms."""


@dataclass(frozen=True)
class Live:
    url: str
    app: FastAPI

    def put(self, team: Team, who: Person, number: int, verdict: str = "include") -> None:
        path = f"{API}/reviews/{team.review_id}/records/{number}/decision"
        answer = httpx.put(
            self.url + path,
            json={"verdict": verdict},
            headers=who.auth,
            timeout=SOON,
            verify=NO_TLS,
        )
        assert answer.status_code == 200


@contextmanager
def serve(settings: Settings) -> Iterator[Live]:
    app = application(settings)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Live(f"http://127.0.0.1:{port}", app)
    finally:
        app.state.runtime.event_streams.closing = True
        server.should_exit = True
        thread.join(SOON)
        assert not thread.is_alive()


Message = dict[str, str]


@contextmanager
def listen(
    live: Live, team: Team, who: Person, query: str = "", **headers: str
) -> Iterator[Iterator[Message]]:
    """Open a stream; yield its messages as they come, a comment as `{"": text}`."""
    with listen_by(live, team, who.auth | headers, query) as messages:
        yield messages


@contextmanager
def listen_by(
    live: Live, team: Team, headers: dict[str, str], query: str = ""
) -> Iterator[Iterator[Message]]:
    asked = {"Accept": "text/event-stream"} | headers
    url = f"{live.url}{API}/reviews/{team.review_id}/events{query}"
    with (
        httpx.Client(timeout=SOON, verify=NO_TLS) as client,
        client.stream("GET", url, headers=asked) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        yield _messages(answer)


def _messages(answer: httpx.Response) -> Iterator[Message]:
    message: Message = {}
    for line in answer.iter_lines():
        if line:
            name, _, value = line.partition(":")
            message[name] = value.strip()
        elif message:
            yield message
            message = {}


def take(messages: Iterator[Message], n: int) -> list[Message]:
    return [next(messages) for _ in range(n)]


def listed(live: Live, team: Team, who: Person) -> list[dict[str, Any]]:
    url = f"{live.url}{API}/reviews/{team.review_id}/events?limit=500"
    answer = httpx.get(url, headers=who.auth, timeout=SOON, verify=NO_TLS)
    items: list[dict[str, Any]] = answer.json()["items"]
    return items
