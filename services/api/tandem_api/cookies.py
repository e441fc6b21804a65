"""The cookie that a browser's session is."""

from fastapi import Request, Response

from tandem.accounts.service import NewSecret
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
        secure="https" in (request.scope["scheme"], (here.settings.public_url or "")[:5].lower()),
    )
