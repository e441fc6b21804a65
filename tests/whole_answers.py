"""Lets Starlette's TestClient change threads once for each request, not eight times.

TestClient hands each piece of an answer over from the thread of the event loop as it comes. That is
most of what a small request costs; only tests of endless answers need it.
"""

import asyncio
from typing import Any
from urllib.parse import unquote

import httpx2 as httpx
import pytest
from starlette import testclient
from starlette.types import Message

_PORTS = {"http": 80, "https": 443}


class WholeAnswers(testclient._TestClientTransport):
    """Returns an answer when all of it is there. Streams of events go through the original."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if "text/event-stream" in request.headers.get("accept", ""):
            return super().handle_request(request)
        with self.portal_factory() as portal:
            status, headers, body = portal.call(self._ask, self._scope(request), request.read())
        stream = httpx.ByteStream(b"" if request.method == "HEAD" else body)
        return httpx.Response(status, headers=headers, stream=stream, request=request)

    def _scope(self, request: httpx.Request) -> dict[str, Any]:
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

    async def _ask(
        self, scope: dict[str, Any], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
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
            await self.app(scope, receive, send)
        except Exception:
            if self.raise_server_exceptions:
                raise
        return status, headers, b"".join(parts)


def install(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(testclient, "_TestClientTransport", WholeAnswers)
