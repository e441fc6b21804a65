"""The page that `services/web` is built into: files that the API serves as they are.

Their names carry a hash of what is in them, but for `index.html`, which names the others. It is
the answer to every address of the page: which view that is, the page knows.
"""

from functools import lru_cache
from html import escape
from importlib.resources import files
from pathlib import Path

from fastapi.responses import HTMLResponse, Response

from tandem.config import Settings

_FOLDER = "web"
_INDEX = "index.html"
_FRESH = "no-cache"
_FOR_EVER = "public, max-age=31536000, immutable"
_DAY = "public, max-age=86400"
_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}


def folder(settings: Settings) -> Path:
    """Return where the built page is, or would be."""
    return settings.page_folder or Path(str(files("tandem_api") / _FOLDER))


def index(settings: Settings) -> HTMLResponse | None:
    """Return the page with the path that it is served under; None where it is not built."""
    try:
        text = _read(folder(settings) / _INDEX).decode()
    except OSError:
        return None
    prefix = escape(settings.path_prefix, quote=True)
    text = text.replace('="./', f'="{prefix}/')
    text = text.replace('name="tandem-path" content="/"', f'name="tandem-path" content="{prefix}/"')
    return HTMLResponse(text, headers={"Cache-Control": _FRESH})


def file(settings: Settings, path: str) -> Response | None:
    """Return a file of the page; None where there is no such file, or it is of no known kind."""
    media_type = _TYPES.get(Path(path).suffix)
    if media_type is None:
        return None
    root = folder(settings).resolve()
    try:
        found = (root / path).resolve()
        content = _read(found) if found.is_relative_to(root) else None
    except (OSError, ValueError):  # no such file, or no name that a file can have
        content = None
    if content is None:
        return None
    kept = _FOR_EVER if path.startswith("assets/") else _DAY
    return Response(content, media_type=media_type, headers={"Cache-Control": kept})


def _read(path: Path) -> bytes:
    """Read a file; what was read is kept until the file changes."""
    return _content(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _content(path: Path, _changed: int) -> bytes:
    return path.read_bytes()
