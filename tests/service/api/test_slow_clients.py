"""Clients that begin and do not finish: each is ended, and nobody else waits for them."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

import httpx
import pytest
import uvicorn

from application import application
from service.live import NO_TLS
from tandem.config import Settings
from tandem_api.connections import guarded
from world import Team, World

API = "/api/v1"
SOON = 60.0
LIMITS = {"request_head_seconds": 2.0, "request_stall_seconds": 3.0, "request_min_rate": 500}
"""Long enough for who is not slow, on a machine with much else to do."""
LOGIN = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@dataclass(frozen=True)
class Live:
    port: int
    server: uvicorn.Server

    def connect(self) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self.port), timeout=SOON)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def get(self, path: str, **headers: str) -> httpx.Response:
        url = f"http://127.0.0.1:{self.port}{path}"
        return httpx.get(url, headers=headers, timeout=SOON, verify=NO_TLS)

    def wait_until_nobody_is_connected(self) -> None:
        give_up_at = time.monotonic() + SOON
        while self.server.server_state.connections:
            assert time.monotonic() < give_up_at
            time.sleep(0.02)


@contextmanager
def serve(settings: Settings, **limits: object) -> Iterator[Live]:
    changed = settings.model_copy(update={**LIMITS, **limits})
    app = application(changed)
    config = uvicorn.Config(app, port=0, log_config=None, access_log=False, http=guarded(changed))
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield Live(server.servers[0].sockets[0].getsockname()[1], server)
    finally:
        app.state.runtime.event_streams.closing = True
        server.should_exit = True
        thread.join(SOON)
        assert not thread.is_alive()


@pytest.fixture
def live(settings: Settings) -> Iterator[Live]:
    with serve(settings) as running:
        yield running


@pytest.fixture
def team(world: World) -> Team:
    return world.team()


def read_to_the_end(connection: socket.socket) -> bytes:
    found = b""
    try:
        while piece := connection.recv(65536):
            found += piece
    except ConnectionResetError:
        pass
    return found


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


HALVES = {
    "nothing at all": b"",
    "half a request line": b"GET /hea",
    "half of the headers": b"GET /healthz HTTP/1.1\r\nHost: x\r\n",
    "half of a body": LOGIN + b'Content-Length: 100\r\n\r\n{"email": ',
    "half of a chunked body": LOGIN + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
}


@pytest.mark.parametrize("half", HALVES)
def test_what_is_half_sent_is_ended_while_others_are_served(live: Live, half: str) -> None:
    with closing(live.connect()) as connection:
        connection.sendall(HALVES[half])
        assert live.get("/healthz").status_code == 200
        answer = read_to_the_end(connection)

    assert status(answer) == 408
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "request_timeout"
    live.wait_until_nobody_is_connected()


@pytest.mark.parametrize(
    "begin", [b"GET / HTTP/1.1\r\nX-Padding: ", LOGIN + b"Content-Length: 9999\r\n\r\n"]
)
def test_bytes_that_drip_do_not_hold_a_connection(live: Live, begin: bytes) -> None:
    with closing(live.connect()) as connection:
        connection.sendall(begin)
        connection.settimeout(0.05)
        answer, give_up_at = b"", time.monotonic() + SOON
        while not answer and time.monotonic() < give_up_at:
            try:
                connection.sendall(b"x")
                answer = connection.recv(65536)
            except TimeoutError:
                pass
            except (ConnectionResetError, BrokenPipeError):
                break

    live.wait_until_nobody_is_connected()


def test_a_slow_upload_that_moves_takes_as_long_as_it_takes(live: Live, team: Team) -> None:
    """Three times the limit for a body that stands still."""
    text = "".join(f"TY  - JOUR\r\nTI  - Study {n}\r\nER  - \r\n\r\n" for n in range(2000))
    form = (
        "--b\r\nContent-Disposition: form-data; name=file; filename=x.ris\r\n\r\n"
        f"{text}\r\n--b--\r\n"
    ).encode()
    head = (
        f"POST {API}/reviews/{team.review_id}/imports HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {team.owner.token}\r\nConnection: close\r\n"
        f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {len(form)}\r\n\r\n"
    ).encode()
    size = len(form) // 60 + 1
    with closing(live.connect()) as connection:
        connection.sendall(head)
        for start in range(0, len(form), size):
            connection.sendall(form[start : start + size])
            time.sleep(3 * LIMITS["request_stall_seconds"] / 60)
        answer = read_to_the_end(connection)

    assert status(answer) == 202


def test_a_client_that_does_not_read_its_answers_is_cut_off(live: Live) -> None:
    asked = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n"
    with closing(socket.socket()) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", live.port))
        connection.sendall(asked * 10)
        live.wait_until_nobody_is_connected()


def test_a_connection_waits_for_its_next_request(live: Live) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{live.port}", timeout=SOON) as client:
        client.get("/healthz")
        time.sleep(2 * LIMITS["request_head_seconds"])
        assert len(live.server.server_state.connections) == 1
        assert client.get("/healthz").status_code == 200


def test_one_source_has_only_so_many_connections(settings: Settings) -> None:
    with (
        serve(settings, trusted_proxies="192.0.2.1", max_connections_per_source=3) as live,
        ExitStack() as opened,
    ):
        held = [opened.enter_context(closing(live.connect())) for _ in range(3)]
        with closing(live.connect()) as one_more:
            answer = read_to_the_end(one_more)
        held[0].close()
        while len(live.server.server_state.connections) > 2:
            time.sleep(0.01)
        later = live.get("/healthz")

    assert status(answer) == 503
    assert b"Retry-After" in answer
    assert later.status_code == 200


def test_when_all_connections_are_taken_the_oldest_that_waits_makes_room(
    settings: Settings,
) -> None:
    patient = {"request_head_seconds": SOON, "request_stall_seconds": SOON}
    with serve(settings, max_connections=3, **patient) as live, ExitStack() as opened:
        held = [opened.enter_context(closing(live.connect())) for _ in range(3)]
        for connection in held:
            connection.sendall(b"GET / HTTP/1.1\r\n")
        assert live.get("/healthz").status_code == 200
        assert read_to_the_end(held[0]) == b""
        held[1].sendall(b"Host: x\r\nConnection: close\r\n\r\n")
        assert status(read_to_the_end(held[1])) == 200


def test_clients_behind_a_proxy_are_limited_one_by_one(settings: Settings) -> None:
    one, other = "203.0.113.9", "203.0.113.10"
    half = LOGIN + f"X-Forwarded-For: {one}\r\nContent-Length: 100\r\n\r\n".encode()
    patient = {"request_head_seconds": SOON, "request_stall_seconds": SOON}
    with serve(settings, max_connections_per_source=1, **patient) as live:
        with closing(live.connect()) as connection:
            connection.sendall(half)
            while not live.server.server_state.tasks:
                time.sleep(0.01)
            refused = live.get("/healthz", **{"X-Forwarded-For": one})
            taken = live.get("/healthz", **{"X-Forwarded-For": other})
        while live.server.server_state.tasks:
            time.sleep(0.01)
        later = live.get("/healthz", **{"X-Forwarded-For": one})

    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
    assert refused.headers["retry-after"]
    assert taken.status_code == 200
    assert later.status_code == 200


def test_event_streams_have_a_limit_of_their_own(settings: Settings, team: Team) -> None:
    url = f"{API}/reviews/{team.review_id}/events"
    headers = {**team.owner.auth, "Accept": "text/event-stream", "X-Forwarded-For": "203.0.113.9"}
    with (
        serve(
            settings, max_streams=2, max_streams_per_source=1, max_connections_per_source=1
        ) as live,
        httpx.Client(base_url=f"http://127.0.0.1:{live.port}", timeout=SOON) as client,
        client.stream("GET", url, headers=headers) as followed,
    ):
        begun = followed.iter_raw()  # let go, it would end the stream
        next(begun)
        again = client.get(url, headers=headers)
        listed = client.get(url, headers=headers | {"Accept": "application/json"})
        elsewhere = headers | {"X-Forwarded-For": "203.0.113.10"}
        with client.stream("GET", url, headers=elsewhere) as other:
            begun_too = other.iter_raw()
            next(begun_too)
            third = client.get(url, headers=headers | {"X-Forwarded-For": "203.0.113.11"})

    assert (again.status_code, again.json()["code"]) == (429, "too_many_streams")
    assert (third.status_code, third.json()["code"]) == (429, "too_many_streams")
    assert listed.status_code == 200  # a stream is none of the requests that come and go
