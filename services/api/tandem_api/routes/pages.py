"""What a browser sees: the page, and the description of the API to read and to try.

Nothing in them comes from another host.
"""

from functools import cache
from html import escape
from importlib.resources import files
from typing import Literal

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse

from tandem_api import built_page
from tandem_api.runtime import runtime

router = APIRouter(include_in_schema=False)

_DAY = "public, max-age=86400"
_FRESH = "no-cache"
_ANYTHING = "*/*"

Asset = Literal["swagger-ui-bundle.js", "swagger-ui.css", "describe.js", "page.css"]

_ASSETS: dict[str, tuple[str, str]] = {
    # Swagger UI, as the package `fastapi-offline` carries it.
    "swagger-ui-bundle.js": ("fastapi_offline", "text/javascript"),
    "swagger-ui.css": ("fastapi_offline", "text/css"),
    "describe.js": ("tandem_api", "text/javascript"),
    "page.css": ("tandem_api", "text/css"),
}


@router.api_route("/", methods=["GET", "HEAD"])
def first_page(request: Request) -> Response:
    """Show the page; where it is not built, say how it is."""
    if (built := built_page.index(runtime(request).settings)) is not None:
        return built
    body = """<h1>Tandem</h1>
<p>This is Tandem, a service for screening the records of systematic reviews: two people read each
record independently, a ranking that learns from their decisions brings the likely ones first, and
conflicts are flagged and resolved.</p>
<p><strong>The page is not built.</strong> To build it, run <code>make page</code> where the program
lies (it needs the network), then reload. Until then Tandem is used over HTTP, and by the command
<code>tandem</code>.</p>
<ul>
<li><a href="{prefix}/docs">The API, to read and to try</a>
(<a href="{prefix}/api/v1/openapi.json">as an OpenAPI document</a>)</li>
<li>First steps: the section &ldquo;A first review, over HTTP&rdquo; of the file README.md, which
lies beside the program. <code>tandem --help</code> lists the commands.</li>
</ul>"""
    return page(request, "Tandem", body)


@router.api_route("/assets/{name}", methods=["GET", "HEAD"])
def page_asset(name: str, request: Request) -> Response:
    return _built(request, f"assets/{name}")


@router.api_route("/icon.svg", methods=["GET", "HEAD"])
def icon(request: Request) -> Response:
    return _built(request, "icon.svg")


@router.api_route("/worker.js", methods=["GET", "HEAD"])
def service_worker(request: Request) -> Response:
    """Give the script that keeps the page's files in a browser; it may read them, no more."""
    script = _built(request, "worker.js")
    script.headers["Cache-Control"] = _FRESH
    script.headers["Content-Security-Policy"] = "default-src 'none'; connect-src 'self'"
    return script


def _built(request: Request, path: str) -> Response:
    found = built_page.file(runtime(request).settings, path)
    if found is None:
        raise HTTPException(404)
    return found


@router.api_route("/docs", methods=["GET", "HEAD"])
async def describe(request: Request) -> Response:
    """Show the OpenAPI document, with forms to try each operation."""
    body = """<div id="api" data-document="{prefix}/api/v1/openapi.json"></div>
<noscript><p>This page needs JavaScript. The description itself is
<a href="{prefix}/api/v1/openapi.json">an OpenAPI document</a>.</p></noscript>
<script src="{prefix}/docs/swagger-ui-bundle.js"></script>
<script src="{prefix}/docs/describe.js"></script>"""
    return page(request, "The API of Tandem", body, style="swagger-ui.css")


@router.api_route("/docs/{name}", methods=["GET", "HEAD"])
async def asset(name: str) -> Response:
    if name not in _ASSETS:
        raise HTTPException(404)
    _, media_type = _ASSETS[name]
    return Response(_content(name), media_type=media_type, headers={"Cache-Control": _DAY})


@cache
def _content(name: str) -> bytes:
    package, _ = _ASSETS[name]
    return (files(package) / "static" / name).read_bytes()


def page(
    request: Request, title: str, body: str, *, status: int = 200, style: Asset = "page.css"
) -> HTMLResponse:
    """Return a page; `body` is HTML that names the path of this server as `{prefix}`."""
    text = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{{prefix}}/docs/{style}">
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""
    prefix = escape(runtime(request).settings.path_prefix)
    return HTMLResponse(text.replace("{prefix}", prefix), status, headers={"Cache-Control": _FRESH})


def not_found(request: Request) -> Response:
    """Answer a browser's address that no route has: it is the page's to know.

    Where the page is not built, there is no such page.
    """
    if (built := built_page.index(runtime(request).settings)) is not None:
        return built
    body = """<h1>There is no such page</h1>
<p>This server has nothing at this address. <a href="{prefix}/">What it has</a>.</p>"""
    return page(request, "There is no such page", body, status=404)


OURS = ("/api/", "/assets/", "/docs/", "/healthz/", "/readyz/", "/metrics/")
"""Paths that programs ask for, with all that is under them; all others are the page's."""


def wants_page(request: Request) -> bool:
    """Whether a path is the page's, and who asks takes HTML.

    Who takes anything is answered with the page only where it is built. An image that is not there
    is not answered with HTML: who asks for one names what they would like more.
    """
    if request.method not in ("GET", "HEAD"):
        return False
    if f"{request.scope['path']}/".startswith(OURS):
        return False
    kinds = request.headers.get("accept", _ANYTHING)
    if kinds.strip() == _ANYTHING:
        return built_page.index(runtime(request).settings) is not None
    return "text/html" in kinds
