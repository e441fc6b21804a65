"""Around every request: an id, a log line, and a limit to what is read."""

import re
import time
from collections import Counter
from functools import partial
from uuid import uuid4

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tandem.config import Settings
from tandem.errors import TooLarge, TooMany
from tandem.log import logger, without_secrets
from tandem_api.addresses import client_source, is_trusted
from tandem_api.errors import expected, problem, unexpected

_log = logger(__name__)
_MIB = 1024 * 1024
_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_LONGEST_LENGTH = 20
"""Digits of a Content-Length that count; no body has more bytes than that."""
_UPLOAD = re.compile(
    r"/api/v1/reviews/[^/]+/(?:imports|texts|reports/[^/]+/texts|synthesis/imports)"
)
_OPEN_TO_ALL = re.compile(r"/api/v1/(auth|setup|invitations)(/.*)?")
_SMALL = 64 * 1024
"""Bytes of a body that is read before anybody has signed in."""


class RequestLog:
    """Gives each request an id (the caller's X-Request-ID, if sane) and logs its outcome."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"x-request-id", b"")
        request_id = given.decode() if _ID.fullmatch(given) else uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started, status = time.perf_counter(), 0

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        try:
            await self.app(scope, receive, note_status)
        except Exception as error:
            if status:
                raise  # the answer has begun: all that is left is to break it off
            await unexpected(Request(scope), error)(scope, receive, note_status)
        finally:
            _log.info(
                "request",
                method=scope["method"],
                path=without_secrets(scope["path"]),
                status=status,
                client=(scope.get("client") or ("",))[0],
                user=_caller(scope),
                ms=round((time.perf_counter() - started) * 1000, 1),
            )


def _caller(scope: Scope) -> str | None:
    """Return the id of who was authenticated; None where nobody was."""
    user = scope["state"].get("user")
    return None if user is None else str(user.id)


class InFlight:
    """Refuses a client that asks for too much at a time. Event streams are counted elsewhere.

    A proxy's connections are not limited by their source, so the clients behind it are here.
    """

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self.app = app
        self._trusted, self._most = settings.trusted_proxies, settings.max_connections_per_source
        self._n_of: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope) if scope["type"] == "http" else None
        host = request.client.host if request is not None and request.client else ""
        if request is None or is_trusted(host, self._trusted):
            await self.app(scope, receive, send)
            return
        source = client_source(request)
        if self._n_of[source] >= self._most:
            refusal = TooMany(
                "This address has too many requests under way. Wait for some of them."
            )
            await expected(request, refusal)(scope, receive, send)
            return
        self._n_of[source] += 1
        try:
            await self.app(scope, receive, partial(self._unless_stream, source, scope, send))
        finally:
            if not scope["state"].get("is_stream"):
                self._leave(source)

    async def _unless_stream(self, source: str, scope: Scope, send: Send, message: Message) -> None:
        await send(message)
        if message["type"] == "http.response.start" and scope["state"].get("is_stream"):
            self._leave(source)

    def _leave(self, source: str) -> None:
        self._n_of[source] -= 1
        if not self._n_of[source]:
            del self._n_of[source]


class BodyLimit:
    """Refuses a body that is too large: at once where it says so, else when it gets there.

    What the client still sends is read and dropped by the server, or the client, still
    sending, would see a broken connection and not the answer.
    """

    def __init__(self, app: ASGIApp, *, upload_mb: int, other_mb: int) -> None:
        self.app, self.upload_mb, self.other_mb = app, upload_mb, other_mb

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self._limit(scope)
        if _declared(scope) > limit:
            response = problem(Request(scope), 413, TooLarge.code, _too_large(limit))
            await response(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                # The one kind that FastAPI, reading the body, lets pass.
                raise HTTPException(413, _too_large(limit))
            return message

        await self.app(scope, counted, send)

    def _limit(self, scope: Scope) -> int:
        if _OPEN_TO_ALL.fullmatch(scope["path"]):
            return _SMALL
        is_upload = scope["method"] == "POST" and _UPLOAD.fullmatch(scope["path"])
        return (self.upload_mb if is_upload else self.other_mb) * _MIB


def _declared(scope: Scope) -> int:
    text = dict(scope["headers"]).get(b"content-length", b"0")
    return int(text[:_LONGEST_LENGTH]) if text.isdigit() else 0


def _too_large(limit: int) -> str:
    size = f"{limit // _MIB} MiB" if limit >= _MIB else f"{limit // 1024} KiB"
    return f"The request is larger than the {size} accepted here."
