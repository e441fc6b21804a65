"""Signing in, tokens, accounts."""

from datetime import timedelta

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.accounts.models import User
from tandem.errors import Forbidden
from tandem.ids import TokenId, parse_uuid
from tandem_api.deps import COOKIE, Here, Limit, Me, PageFrom, Read, Write, refuse_cross_site
from tandem_api.errors import documented
from tandem_api.paging import Page, encode
from tandem_api.schemas.accounts import (
    NewTokenOut,
    SignInIn,
    TokenIn,
    TokenOut,
    UserIn,
    UserOut,
)

router = APIRouter(tags=["accounts"])


@router.post("/auth/login", status_code=204, responses=documented(401, 403, 422))
def login(body: SignInIn, request: Request, here: Here) -> Response:
    """Sign in with a browser: sets an HttpOnly cookie."""
    refuse_cross_site(request)
    lasting = timedelta(days=here.settings.session_days)
    with here.database.write.begin() as session:
        made = accounts.sign_in(
            session, email=body.email, password=body.password.get_secret_value(), lasting=lasting
        )
    response = Response(status_code=204)
    response.set_cookie(
        COOKIE,
        made.secret,
        expires=made.expires_at,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


@router.post("/auth/logout", status_code=204, responses=documented(403))
def logout(request: Request, here: Here) -> Response:
    """End this browser's session, on the server too."""
    refuse_cross_site(request)
    if (secret := request.cookies.get(COOKIE)) is not None:
        with here.database.write.begin() as session:
            accounts.sign_out(session, secret)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, httponly=True, samesite="lax")
    return response


@router.get("/me", responses=documented(401))
def me(me: Me) -> UserOut:
    """Who you are."""
    return UserOut.of(me)


@router.post(
    "/me/tokens", status_code=201, response_model=NewTokenOut, responses=documented(401, 409, 422)
)
def add_token(body: TokenIn, me: Me, write: Write) -> Response:
    """Make a token. Its secret is in this answer and nowhere else, so it is not repeated."""

    def work(session: Session) -> NewTokenOut:
        token, secret = accounts.add_token(
            session, user_id=me.id, name=body.name, expires_at=body.expires_at
        )
        return NewTokenOut(**TokenOut.of(token).model_dump(), token=secret)

    return write(work, status=201, replayable=False)


@router.get("/me/tokens", responses=documented(401))
def list_tokens(me: Me, session: Read) -> Page[TokenOut]:
    """Your tokens, without their secrets."""
    return Page(items=[TokenOut.of(token) for token in accounts.list_tokens(session, me.id)])


@router.delete("/me/tokens/{token_id}", status_code=204, responses=documented(401, 404))
def remove_token(token_id: str, me: Me, write: Write) -> Response:
    """Make a token useless at once."""
    found = TokenId(parse_uuid(token_id, kind="token"))
    return write(
        lambda session: accounts.remove_token(session, user_id=me.id, token_id=found), status=204
    )


@router.post(
    "/users",
    status_code=201,
    response_model=UserOut,
    responses=documented(401, 403, 409, 422),
)
def add_user(body: UserIn, me: Me, write: Write) -> Response:
    """Create an account (administrators)."""
    _require_admin(me)
    password = body.password.get_secret_value() if body.password else None

    def work(session: Session) -> UserOut:
        return UserOut.of(
            accounts.add_user(
                session,
                email=body.email,
                name=body.name,
                password=password,
                is_admin=body.is_admin,
            )
        )

    return write(work, status=201)


@router.get("/users", responses=documented(401, 403, 422))
def list_users(me: Me, session: Read, page: PageFrom, limit: Limit = 100) -> Page[UserOut]:
    """All accounts, by address (administrators)."""
    _require_admin(me)
    found = accounts.list_users(session, after=page.after, limit=limit + 1)
    items = [UserOut.of(user) for user in found[:limit]]
    more = len(found) > limit
    return Page(items=items, next_cursor=encode(items[-1].email) if more else None)


def _require_admin(me: User) -> None:
    if not me.is_admin:
        raise Forbidden("Only administrators of this installation may do this.")
