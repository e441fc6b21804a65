"""Lets Starlette's TestClient change threads once for each request, not eight times.

TestClient hands each piece of an answer over from the thread of the event loop as it comes. That is
most of what a small request costs; only tests of endless answers need it. And while a test waits
for the answers of `ask_all`, the thread of the event loop has nothing else to do: it does the work
for which the application asks for a thread. All other requests get theirs, as in the product.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from contextvars import ContextVar, copy_context
from typing import Any, NamedTuple
from urllib.parse import unquote

import anyio.to_thread
import httpx2 as httpx
import pytest
from starlette import testclient
from starlette.types import ASGIApp, Message, Scope

_PORTS = {"http": 80, "https": 443}

_is_alone = ContextVar("_is_alone", default=False)
"""Whether the test does nothing but wait for this request. No broker may be there."""

_run_in_a_thread = anyio.to_thread.run_sync


class Answer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Request(NamedTuple):
    """A request whose address and headers need no work: ASCII, and no name twice."""

    method: str
    url: str
    headers: dict[str, str]
    json: Any


class WholeAnswers(testclient._TestClientTransport):
    """Returns an answer when all of it is there. Streams of events go through the original."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if "text/event-stream" in request.headers.get("accept", ""):
            return super().handle_request(request)
        with self.portal_factory() as portal:
            status, headers, body = portal.call(self._ask, self._scope(request), request.read())
        stream = httpx.ByteStream(b"" if request.method == "HEAD" else body)
        return httpx.Response(status, headers=headers, stream=stream, request=request)

    def _scope(self, request: httpx.Request) -> Scope:
        url = request.url
        sent = request.headers.multi_items()
        return {
            "type": "http",
            "http_version": "1.1",
            "method": request.method,
            "path": unquote(url.path),
            "raw_path": url.raw_path.split(b"?", 1)[0],
            "root_path": self.root_path,
            "scheme": url.scheme,
            "query_string": url.query,
            "headers": [(name.lower().encode(), value.encode()) for name, value in sent],
            "client": self.client,
            "server": [url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme]],
            "extensions": {},
            "state": self.app_state.copy(),
        }

    async def _ask(self, scope: Scope, body: bytes) -> Answer:
        return await _answer(self.app, scope, body, raises=self.raise_server_exceptions)


def ask_all(client: testclient.TestClient, requests: Sequence[Request]) -> list[Answer]:
    """Return the answers to these, asked one after the other in the thread of the event loop.

    Half of a request's time is the client's, which cares for redirects, cookies and streams.
    """
    assert client.portal is not None

    async def asked() -> list[Answer]:
        _is_alone.set(True)
        return [await _asked(client, request) for request in requests]

    return client.portal.call(asked)


async def _asked(client: testclient.TestClient, request: Request) -> Answer:
    path, _, query = request.url.partition("?")
    body = b"" if request.json is None else json.dumps(request.json).encode()
    headers = {"host": "testserver", **request.headers}
    if body:
        headers |= {"content-type": "application/json", "content-length": str(len(body))}
    scope: Scope = {
        "type": "http",
        "http_version": "1.1",
        "method": request.method,
        "path": path,
        "raw_path": path.encode("ascii"),
        "root_path": "",
        "scheme": "http",
        "query_string": query.encode("ascii"),
        "headers": [(name.lower().encode(), text.encode()) for name, text in headers.items()],
        "client": ("testclient", 50000),
        "server": ["testserver", 80],
        "extensions": {},
        "state": client.app_state.copy(),
    }
    return await _answer(client.app, scope, body, raises=False)


async def _answer(app: ASGIApp, scope: Scope, body: bytes, *, raises: bool) -> Answer:
    to_come, is_over = [body], asyncio.Event()
    status, headers, parts = 500, list[tuple[str, str]](), list[bytes]()

    async def receive() -> Message:
        if to_come:
            return {"type": "http.request", "body": to_come.pop()}
        await is_over.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status = message["status"]
            headers = [(name.decode(), value.decode()) for name, value in message["headers"]]
            return
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            is_over.set()

    try:
        await app(scope, receive, send)
    except Exception:
        if raises:
            raise
    return Answer(status, headers, b"".join(parts))


async def _run(work: Callable[..., Any], *args: Any, **options: Any) -> Any:
    if _is_alone.get():
        return copy_context().run(work, *args)
    return await _run_in_a_thread(work, *args, **options)


def install(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(anyio.to_thread, "run_sync", _run)
    patch.setattr(testclient, "_TestClientTransport", WholeAnswers)
