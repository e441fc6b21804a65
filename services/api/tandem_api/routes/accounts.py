"""Signing in, tokens, accounts."""

from datetime import timedelta

from fastapi import Request, Response
from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.ids import TokenId, parse_uuid
from tandem_api import cookies
from tandem_api.deps import (
    COOKIE,
    Administrator,
    Here,
    Limit,
    Me,
    PageFrom,
    Read,
    Write,
    refuse_cross_site,
)
from tandem_api.paging import Page, cut, encode
from tandem_api.routing import Router
from tandem_api.schemas.accounts import (
    NewTokenOut,
    SignInIn,
    TokenIn,
    TokenOut,
    UserIn,
    UserOut,
)

router = Router(tags=["accounts"])


@router.post("/auth/login", status_code=204)
def login(body: SignInIn, request: Request, here: Here) -> Response:
    """Sign in with a browser: sets an HttpOnly cookie."""
    refuse_cross_site(request)
    lasting = timedelta(days=here.settings.session_days)
    # Checked outside the writing transaction: that takes 50 ms, and SQLite has one writer.
    with here.database.read() as session:
        user = accounts.check_password(
            session, email=body.email, password=body.password.get_secret_value()
        )
    with here.database.write.begin() as session:
        made = accounts.sign_in(session, user_id=user.id, lasting=lasting)
    response = Response(status_code=204)
    cookies.give(response, request, here, made)
    return response


@router.post("/auth/logout", status_code=204)
def logout(request: Request, here: Here) -> Response:
    """End this browser's session, on the server too."""
    refuse_cross_site(request)
    if (secret := request.cookies.get(COOKIE)) is not None:
        with here.database.write.begin() as session:
            accounts.sign_out(session, secret)
    response = Response(status_code=204)
    cookies.take(response, here)
    return response


@router.get("/me")
def me(me: Me) -> UserOut:
    """Show who you are."""
    return UserOut.of(me)


@router.post("/me/tokens", status_code=201, response_model=NewTokenOut)
def add_token(body: TokenIn, me: Me, write: Write) -> Response:
    """Make a token. Its secret is in this answer and nowhere else, so it is not repeated."""

    def work(session: Session) -> NewTokenOut:
        token, secret = accounts.add_token(
            session, user_id=me.id, name=body.name, expires_at=body.expires_at
        )
        return NewTokenOut(**TokenOut.of(token).model_dump(), token=secret)

    return write(work, status=201, replayable=False)


@router.get("/me/tokens")
def list_tokens(me: Me, session: Read, page: PageFrom, limit: Limit = 100) -> Page[TokenOut]:
    """List your tokens, without their secrets."""
    found = accounts.list_tokens(session, me.id)[page.offset :]
    items, following = cut(found, offset=page.offset, limit=limit)
    return Page(items=[TokenOut.of(token) for token in items], next_cursor=following)


@router.delete("/me/tokens/{token_id}", status_code=204)
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
)
def add_user(body: UserIn, _: Administrator, write: Write) -> Response:
    """Create an account (administrators)."""
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


@router.get("/users")
def list_users(
    _: Administrator, session: Read, page: PageFrom, limit: Limit = 100
) -> Page[UserOut]:
    """List all accounts, by address (administrators)."""
    found = accounts.list_users(session, after=page.after, limit=limit + 1)
    items = [UserOut.of(user) for user in found[:limit]]
    more = len(found) > limit
    return Page(items=items, next_cursor=encode(items[-1].email) if more else None)
