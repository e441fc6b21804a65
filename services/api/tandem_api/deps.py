"""What routes ask for: who is calling, a session to read, a way to write once.

What waits for nothing is `async`: FastAPI runs all else in a thread, and on a busy server each
change of threads waits up to 5 ms for the interpreter.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Query, Request, Security
from fastapi.responses import JSONResponse, Response
from fastapi.security import APIKeyCookie, HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param
from pydantic import BaseModel
from sqlalchemy.orm import Session

from tandem.accounts import access, idempotency
from tandem.accounts.access import Access
from tandem.accounts.models import User
from tandem.accounts.service import Secret
from tandem.db.keyset import Cursor
from tandem.errors import Forbidden, NotFound, TandemError, Unauthenticated
from tandem.ids import ReviewId, UserId, parse_uuid
from tandem.reviews import service as reviews
from tandem.reviews.service import Viewer
from tandem_api import scopes
from tandem_api.addresses import origin as origin_of
from tandem_api.addresses import public_url
from tandem_api.runtime import Runtime, runtime
from tandem_api.schemas.base import PlainText

COOKIE = "tandem_session"
_FORMS = ("multipart/", "application/x-www-form-urlencoded")
_PASSWORDS = frozenset({"password", "current", "new"})


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
    with here.database.glance() as session:
        if token is not None:
            found = access.of_token(session, token)
        elif cookie is None:
            raise Unauthenticated("Send a token as `Authorization: Bearer …`, or sign in.")
        else:
            refuse_cross_site(request)
            found = access.of_sign_in(session, cookie)
    scopes.require(request, found.scope)
    here.uses.note(found)
    request.state.access = found
    return found.user


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


async def body_digest(request: Request) -> str:
    if request.headers.get("content-type", "").lower().startswith(_FORMS):
        return ""  # The form's stream is consumed; the route names the file's own digest.
    return hashlib.sha256(_without_passwords(await request.body())).hexdigest()


def _without_passwords(body: bytes) -> bytes:
    """Leave passwords out of what is hashed and stored: by a fast hash they could be guessed."""
    if b'"' not in body or not any(name.encode() in body for name in _PASSWORDS):
        return body
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return body  # refused in a moment
    if not isinstance(said, dict) or _PASSWORDS.isdisjoint(said):
        return body
    kept = {name: value for name, value in said.items() if name not in _PASSWORDS}
    return json.dumps(kept, sort_keys=True).encode()


@dataclass(frozen=True, slots=True)
class Writer:
    """Does a write once: in one transaction, remembered under the caller's Idempotency-Key.

    `write(work)` runs `work(session)`, commits, and answers with the model it returned (None:
    no body). Nudges go out after the commit. What `work` raises rolls everything back, the
    key included. A repeated key is answered as the first time only to somebody who may still do
    it: for that, `work` runs again and is rolled back, so it changes nothing but by its session.
    """

    request: Request
    here: Runtime
    user_id: UserId
    key: str | None
    body_digest: str

    def __call__(
        self,
        work: Callable[[Session], BaseModel | None],
        *,
        status: int = 200,
        changed: ReviewId | None = None,
        content_digest: str = "",
        replayable: bool = True,
        is_short: bool = False,
    ) -> Response:
        """Run `work` and answer.

        Args:
            work: The use case; gets the session of the transaction.
            status: Of the answer.
            changed: The review whose events and ranking this may have touched.
            content_digest: Of an uploaded file, which the body's digest does not cover.
            replayable: False where the answer holds a secret, which is never stored.
            is_short: It takes milliseconds, so that others' may share its commit.
        """
        writing = self.here.database.write
        with writing.together() if is_short else writing.begin() as session:
            if self.key is not None and (first := self._claim(session, content_digest)):
                self._require_right(session, work)
                headers = {"Idempotency-Replayed": "true"}
                return _answer(first[1], first[0], headers)
            made = work(session)
            body = None if made is None else made.model_dump(mode="json")
            if self.key is not None and replayable:
                idempotency.remember(
                    session, user_id=self.user_id, key=self.key, status=status, body=body
                )
        if changed is not None:
            self.here.nudges.changed(changed)
        return _answer(body, status)

    def _require_right(self, session: Session, work: Callable[[Session], BaseModel | None]) -> None:
        """Refuse those who have lost the right since the first time.

        Only `work` knows what right that is. What else it finds wrong comes of its having been
        done already: what was removed is not found.
        """
        self._require_member(session)
        undone = session.begin_nested()
        try:
            work(session)
        except TandemError as error:
            gone = isinstance(error, NotFound) and self.request.method != "DELETE"
            if gone or isinstance(error, Forbidden):
                raise
        finally:
            undone.rollback()

    def _require_member(self, session: Session) -> None:
        if (named := self.request.path_params.get("review_id")) is not None:
            review_id = ReviewId(parse_uuid(named, kind="review"))
            reviews.viewer(session, review_id=review_id, user_id=self.user_id)

    def _claim(
        self, session: Session, content_digest: str
    ) -> tuple[int, dict[str, Any] | None] | None:
        request = self.request
        query = request.scope["query_string"].decode("latin-1")
        said = [request.method, request.scope["path"], query, self.body_digest]
        fingerprint = hashlib.sha256("\n".join([*said, content_digest]).encode()).hexdigest()
        assert self.key is not None  # noqa: S101  # the caller looked
        try:
            return idempotency.claim(
                session, user_id=self.user_id, key=self.key, fingerprint=fingerprint
            )
        except idempotency.KeyReused:
            self._require_member(session)
            raise


def _answer(
    body: dict[str, Any] | None, status: int, headers: dict[str, str] | None = None
) -> Response:
    if body is None:
        return Response(status_code=status, headers=headers)
    return JSONResponse(body, status, headers)


async def writer(
    request: Request,
    here: Here,
    me: Me,
    digest: Annotated[str, Depends(body_digest)],
    idempotency_key: Annotated[
        PlainText | None,
        Header(
            alias="Idempotency-Key",
            description="Any string of your choice. A write sent again with the same key is "
            "answered as the first time and not done again.",
            min_length=1,
            max_length=200,
        ),
    ] = None,
) -> Writer:
    return Writer(request, here, me.id, idempotency_key, digest)


Write = Annotated[Writer, Depends(writer)]
