"""Oneself: profile, password, sessions, tokens."""

from typing import Annotated
from uuid import UUID

from fastapi import Body, Request, Response
from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.accounts import sessions, tokens
from tandem.ids import TokenId, parse_uuid
from tandem.screening.people import interests
from tandem_api import cookies, signing_in
from tandem_api.deps import Here, Limit, Me, PageFrom, Read, access_of
from tandem_api.paging import Page
from tandem_api.problems import errors, gives_cookie
from tandem_api.routing import Router
from tandem_api.schemas.accounts import (
    MeOut,
    NewTokenOut,
    PasswordChangeIn,
    ProfilePatch,
    SessionOut,
    TokenIn,
    TokenOut,
)
from tandem_api.writing import Write

router = Router(tags=["accounts"])


@router.get("/me")
def me(me: Me) -> MeOut:
    """Show who you are."""
    return MeOut.of(me)


@router.patch("/me", response_model=MeOut)
def change_me(
    body: Annotated[ProfilePatch, Body(default_factory=ProfilePatch)], me: Me, write: Write
) -> Response:
    """Change your name or your preferences.

    Preferences are an object of the client's own choice, of at most 16 KiB; it replaces the one
    that is stored.
    """

    def work(session: Session) -> MeOut:
        user = accounts.get_user(session, me.id)
        if body.name is not None and body.name != user.name:
            user.name = body.name
            interests.compare_name_again(session, user.id)
        if body.preferences is not None:
            user.preferences = body.preferences
        session.flush()
        return MeOut.of(user)

    return write(work)


@router.put("/me/password", status_code=204, responses=gives_cookie(204) | errors(429))
async def change_password(body: PasswordChangeIn, request: Request, me: Me, here: Here) -> Response:
    """Change your password, and end all your other sessions.

    This browser stays signed in, with a new cookie. Tokens stay: remove those that you do not know.
    """
    made = await signing_in.change_password(
        request,
        here,
        access=access_of(request),
        current=body.current.get_secret_value(),
        new=body.new.get_secret_value(),
    )
    response = Response(status_code=204)
    if made is not None:
        cookies.give(response, request, here, made)
    return response


@router.get("/me/sessions")
def list_sessions(
    request: Request, me: Me, session: Read, page: PageFrom, limit: Limit = 100
) -> Page[SessionOut]:
    """List where you are signed in with a browser, the newest first."""
    found = sessions.list_sessions(session, me.id, cursor=page, limit=limit)
    mine = access_of(request).session_id
    return Page.of(found.map(lambda item: SessionOut.of(item, mine=mine)))


@router.delete("/me/sessions", status_code=204)
def end_sessions(request: Request, me: Me, here: Here, write: Write) -> Response:
    """End all your sessions but the one that asks."""
    mine = access_of(request).session_id
    answer = write(lambda session: sessions.end_all(session, me.id, but=mine), status=204)
    here.event_streams.look_at_rights()
    return answer


@router.get("/me/sessions/{session_id}")
def get_session(session_id: str, request: Request, me: Me, session: Read) -> SessionOut:
    """Show one of your sessions."""
    found = sessions.get(session, user_id=me.id, session_id=_session_id(session_id))
    return SessionOut.of(found, mine=access_of(request).session_id)


@router.delete("/me/sessions/{session_id}", status_code=204)
def end_session(session_id: str, me: Me, here: Here, write: Write) -> Response:
    """End one of your sessions at once; this one, too, if you say so."""
    found = _session_id(session_id)
    answer = write(
        lambda session: sessions.end(session, user_id=me.id, session_id=found), status=204
    )
    here.event_streams.look_at_rights()
    return answer


@router.post("/me/tokens", status_code=201, response_model=NewTokenOut)
def add_token(body: TokenIn, request: Request, me: Me, write: Write) -> Response:
    """Make a token. Its secret is in this answer and nowhere else, so it is not repeated.

    A token that is made by a token ends no later than that one.
    """
    expires_at = tokens.expiry(body.expires_at, made_by=access_of(request))

    def work(session: Session) -> NewTokenOut:
        token, secret = accounts.add_token(
            session, user_id=me.id, name=body.name, expires_at=expires_at, scope=body.scope
        )
        return NewTokenOut(**TokenOut.of(token).model_dump(), token=secret)

    return write(work, status=201, replayable=False)


@router.get("/me/tokens")
def list_tokens(me: Me, session: Read, page: PageFrom, limit: Limit = 100) -> Page[TokenOut]:
    """List your tokens, without their secrets."""
    return Page.of(accounts.list_tokens(session, me.id, cursor=page, limit=limit).map(TokenOut.of))


@router.delete("/me/tokens/{token_id}", status_code=204)
def remove_token(token_id: str, me: Me, here: Here, write: Write) -> Response:
    """Remove a token: it stops working at once."""
    found = TokenId(parse_uuid(token_id, kind="token"))
    answer = write(
        lambda session: accounts.remove_token(session, user_id=me.id, token_id=found), status=204
    )
    here.event_streams.look_at_rights()
    return answer


def _session_id(text: str) -> UUID:
    return parse_uuid(text, kind="session")
