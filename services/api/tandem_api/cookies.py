"""The cookie that a browser's session is."""

from fastapi import Request, Response

from tandem.accounts.service import NewSecret
from tandem_api.addresses import public_url
from tandem_api.deps import COOKIE
from tandem_api.runtime import Runtime


def give(response: Response, request: Request, here: Runtime, made: NewSecret) -> None:
    """Sign the browser in that gets this answer."""
    response.set_cookie(
        COOKIE,
        made.secret,
        expires=made.expires_at,
        httponly=True,
        samesite="lax",
        secure=public_url(request, here.settings).startswith("https:")
        or request.scope["scheme"] == "https",
        path=_path(here),
    )


def take(response: Response, here: Runtime) -> None:
    """Let the browser forget its sign-in."""
    response.delete_cookie(COOKIE, httponly=True, samesite="lax", path=_path(here))


def _path(here: Runtime) -> str:
    return here.settings.path_prefix or "/"
