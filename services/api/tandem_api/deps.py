"""What routes ask for: who is calling, a session to read, a page of a list.

What waits for nothing is `async`: FastAPI runs all else in a thread, and on a busy server each
change of threads waits up to 5 ms for the interpreter.
"""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Query, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param
from sqlalchemy.orm import Session

from tandem.accounts import access
from tandem.accounts.access import Access
from tandem.accounts.models import User
from tandem.accounts.shown_secrets import Secret
from tandem.db.keyset import Cursor
from tandem.errors import Forbidden, Unauthenticated
from tandem.ids import ReviewId, parse_uuid
from tandem.reviews import service as reviews
from tandem.reviews.service import Viewer
from tandem_api import scopes
from tandem_api.addresses import origin as origin_of
from tandem_api.addresses import public_url
from tandem_api.runtime import Runtime, runtime
from tandem_api.schemas.base import PlainText

COOKIE = "tandem_session"

USER_HEADER = "tandem-user"
"""Whose page sends a request, optional: so that it is never taken for somebody else's."""


async def _here(request: Request) -> Runtime:
    return runtime(request)


Here = Annotated[Runtime, Depends(_here)]

_bearer = HTTPBearer(
    scheme_name="token",
    auto_error=False,
    description="For machines: a token of `tandem token add` or `POST /me/tokens`.",
)
_cookie = APIKeyCookie(
    name=COOKIE,
    scheme_name="session",
    auto_error=False,
    description="For browsers: set by `POST /auth/login`. Writes from other sites are refused.",
)


def read_session(here: Here) -> Iterator[Session]:
    with here.database.read() as session:
        yield session


Read = Annotated[Session, Depends(read_session)]


def authenticate(request: Request) -> User:
    """Return who is calling, by token or by cookie. Looks it up each time."""
    token, cookie = _token(request), request.cookies.get(COOKIE)
    here = runtime(request)
    with here.database.alone.connect() as connection:
        if token is not None:
            found = access.of_token(connection, token)
        elif cookie is None:
            raise Unauthenticated("Send a token as `Authorization: Bearer …`, or sign in.")
        else:
            refuse_cross_site(request)
            found = access.of_sign_in(connection, cookie)
            _refuse_somebody_else(request, found.user)
    scopes.require(request, found.scope)
    here.uses.note(found)
    request.state.access = found
    return found.user


def _refuse_somebody_else(request: Request, user: User) -> None:
    """Refuse what the page of one person sends with the cookie of another.

    A browser has one cookie for all of its tabs. Without this, what somebody decided before
    another signed in there would become the other's decision.
    """
    named = request.headers.get(USER_HEADER)
    if named is not None and named != str(user.id):
        raise Unauthenticated("Somebody else has signed in in this browser. Sign in again.")


def access_of(request: Request) -> Access:
    """Return what an authenticated caller's secret gives access to."""
    found: Access = request.state.access
    return found


def secret_of(request: Request) -> Secret:
    """Return what an authenticated caller has shown."""
    token = _token(request)
    if token is not None:
        return Secret.of_token(token)
    return Secret.of_sign_in(request.cookies[COOKIE])


def _token(request: Request) -> str | None:
    scheme, token = get_authorization_scheme_param(request.headers.get("authorization"))
    return token if scheme.lower() == "bearer" else None


async def current_user(
    request: Request,
    _: Annotated[object, Security(_bearer)],
    __: Annotated[object, Security(_cookie)],
) -> User:
    """Return who is calling; the route has found out before it read the body."""
    user: User = request.state.user
    return user


def refuse_cross_site(request: Request) -> None:
    """Refuse a write that another site's page makes with this browser's cookie.

    Browsers say where a request comes from: by Sec-Fetch-Site, older ones by Origin. What
    sends neither is no browser, and carries no cookie that it was not given.
    """
    if request.method in scopes.SAFE:
        return
    site = request.headers.get("sec-fetch-site")
    if site in ("same-origin", "none"):
        return
    origin = request.headers.get("origin", "").lower()
    settings = runtime(request).settings
    if origin in settings.other_origins:
        return
    here = request.headers.get("host", "").lower()
    # A proxy may have put another Host into the request than the browser has asked for.
    own = origin.partition("://")[2] == here or origin == origin_of(public_url(request, settings))
    if site is not None or (origin and not own):
        raise Forbidden(
            "This request comes from another site's page. If it is Tandem's own, its administrator "
            "sets TANDEM_PUBLIC_URL to the address in the browser."
        )


Me = Annotated[User, Depends(current_user)]


def optional_user(
    request: Request,
    _: Annotated[object, Security(_bearer)],
    __: Annotated[object, Security(_cookie)],
) -> User | None:
    """Return who is calling, None where nobody says so; what is wrong is refused all the same."""
    if _token(request) is None and COOKIE not in request.cookies:
        return None
    return authenticate(request)


OptionalUser = Annotated[User | None, Depends(optional_user)]


async def administrator(me: Me) -> User:
    if not me.is_admin:
        raise Forbidden("Only administrators of this installation may do this.")
    return me


Administrator = Annotated[User, Depends(administrator)]


async def review_id(review_id: str) -> ReviewId:
    return ReviewId(parse_uuid(review_id, kind="review"))


InReview = Annotated[ReviewId, Depends(review_id)]


def viewer(session: Read, me: Me, review_id: InReview) -> Viewer:
    return reviews.viewer(session, review_id=review_id, user_id=me.id)


AsViewer = Annotated[Viewer, Depends(viewer)]

Limit = Annotated[int, Query(ge=1, le=500, description="At most so many items.")]
CursorText = Annotated[
    PlainText | None, Query(description="`next_cursor` of the page before.", max_length=500)
]


async def cursor(cursor: CursorText = None) -> Cursor:
    return Cursor.parse(cursor)


PageFrom = Annotated[Cursor, Depends(cursor)]


DryRun = Annotated[bool, Query(description="Show what it would do, and do not do it.")]
