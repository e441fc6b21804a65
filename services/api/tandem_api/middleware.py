"""Around every request: an id, a log line, and a limit to what is read."""

import re
import time
from uuid import uuid4

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tandem.errors import TooLarge
from tandem.log import logger
from tandem_api.errors import problem

_log = logger(__name__)
_MIB = 1024 * 1024
_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_UPLOAD = re.compile(r"/api/v1/reviews/[^/]+/imports/?")


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
        finally:
            _log.info(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                ms=round((time.perf_counter() - started) * 1000, 1),
            )


class BodyLimit:
    """Refuses a body that is too large: at once where it says so, else when it gets there."""

    def __init__(self, app: ASGIApp, *, upload_mb: int, other_mb: int) -> None:
        self.app, self.upload_mb, self.other_mb = app, upload_mb, other_mb

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_upload = scope["method"] == "POST" and _UPLOAD.fullmatch(scope["path"])
        limit = (self.upload_mb if is_upload else self.other_mb) * _MIB
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        too_large = _Exceeded(limit)
        if declared.isdigit() and int(declared) > limit:
            await too_large.answer(scope, receive, send)
            return
        seen, begun = 0, False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise too_large
            return message

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, counted, noted)
        except _Exceeded:
            if begun:
                raise
            await too_large.answer(scope, receive, send)


class _Exceeded(TooLarge):
    def __init__(self, limit: int) -> None:
        super().__init__(f"The request is larger than the {limit // _MIB} MiB accepted here.")

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = problem(
            Request(scope), 413, self.code, str(self), headers={"Connection": "close"}
        )
        await response(scope, receive, send)
