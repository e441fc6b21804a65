"""Around every request: an id, a log line, and a limit to what is read."""

import re
import time
from uuid import uuid4

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tandem.errors import TooLarge
from tandem.log import logger, without_secrets
from tandem_api.errors import problem, unexpected

_log = logger(__name__)
_MIB = 1024 * 1024
_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_LONGEST_LENGTH = 20
"""Digits of a Content-Length that count; no body has more bytes than that."""
_UPLOAD = re.compile(r"/api/v1/reviews/[^/]+/imports")
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
                ms=round((time.perf_counter() - started) * 1000, 1),
            )


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
