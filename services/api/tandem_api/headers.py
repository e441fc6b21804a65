"""What every answer says to browsers: what they may do with it, and whether to keep it."""

import re

from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tandem.config import Settings

_NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

_POLICIES = {
    # Our own pages: scripts, styles and calls of this server, and nothing that stands in the page.
    "text/html": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    # A plot that is opened by itself; it brings its own style.
    "image/svg+xml": f"{_NOTHING}; style-src 'unsafe-inline'; sandbox",
}
"""Content security policies by media type. All else is not to be run or shown as a page."""

_YEAR = 365 * 24 * 3600

_PACKED = (
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/pdf",
)
"""Media types of files that are compressed in themselves."""

_SMALLEST_COMPRESSED = 1024
_LEVEL = 5
"""Level 9 takes three times as long, for 3 % less."""

_EXPOSED = ["X-Request-Id", "Idempotency-Replayed", "Retry-After", "Content-Disposition"]
_TAKEN = [
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "Last-Event-ID",
    "Tandem-User",
    "X-Request-ID",
]
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


class SecurityHeaders:
    """Adds the headers for browsers to every answer. What a route says itself is kept."""

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self.app = app
        self._always = {
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        if not settings.other_origins:
            self._always["Cross-Origin-Resource-Policy"] = "same-origin"
        if (settings.public_url or "").lower().startswith("https:"):
            self._always["Strict-Transport-Security"] = f"max-age={_YEAR}; includeSubDomains"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", [])
                headers = MutableHeaders(scope=message)
                for name, value in self._always.items():
                    headers.setdefault(name, value)
                kind = headers.get("content-type", "").partition(";")[0]
                headers.setdefault("Content-Security-Policy", _POLICIES.get(kind, _NOTHING))
                if scope["path"].startswith("/api/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self.app(scope, receive, with_headers)


class Compression:
    """Compresses what is read, where the client takes it and it is not small.

    Secrets (tokens, links) are only ever in answers to writes. Those are not compressed: from the
    size of a compressed answer that also repeats what was sent, a secret in it can be guessed.
    """

    _QUEUE = re.compile(r"/api/v1/reviews/[^/]+/queue")

    def __init__(self, app: ASGIApp) -> None:
        self._plain = app
        self._compressing = GZipMiddleware(
            app,
            minimum_size=_SMALLEST_COMPRESSED,
            compresslevel=_LEVEL,
            exclude_content_types=(*DEFAULT_EXCLUDED_CONTENT_TYPES, *_PACKED),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wanted = scope["type"] == "http" and (
            scope["method"] == "GET" or self._QUEUE.fullmatch(scope["path"])
        )
        await (self._compressing if wanted else self._plain)(scope, receive, send)


def for_other_origins(app: ASGIApp, settings: Settings) -> ASGIApp:
    """Let the pages of `cors_origins`, and no others, read answers and send credentials."""
    return CORSMiddleware(
        app,
        allow_origins=settings.other_origins,
        allow_credentials=True,
        allow_methods=_METHODS,
        allow_headers=_TAKEN,
        expose_headers=_EXPOSED,
    )
