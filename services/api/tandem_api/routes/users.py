"""Accounts of others, for administrators."""

from typing import Annotated

from fastapi import Body, Query, Request, Response
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from tandem.accounts import administration, links, passwords
from tandem.accounts import service as accounts
from tandem.accounts.passwords import Hashed
from tandem.ids import UserId, parse_uuid
from tandem.screening.people import interests
from tandem_api.addresses import client_source, public_url
from tandem_api.deps import Administrator, Here, Limit, PageFrom, Read
from tandem_api.paging import Page
from tandem_api.problems import errors
from tandem_api.routing import Router
from tandem_api.schemas.accounts import ResetLinkOut, UserIn, UserOut, UserPatch
from tandem_api.schemas.base import PlainText
from tandem_api.writing import Write

router = Router(tags=["accounts"])

Words = Annotated[PlainText, Query(description="Words of the name or the address.", max_length=200)]


@router.post("/users", status_code=201, response_model=UserOut)
async def add_user(
    body: UserIn, request: Request, _: Administrator, here: Here, write: Write
) -> Response:
    """Create an account (administrators).

    Without a password its person acts by tokens, or chooses one by a link of `/users/{u}/reset`.
    """
    hashed: Hashed | None = None
    if body.password is not None:
        password = body.password.get_secret_value()
        hashed = await here.passwords.run(
            client_source(request), lambda: passwords.hashed(password, email=body.email)
        )

    def work(session: Session) -> UserOut:
        return UserOut.of(
            accounts.add_user(
                session, email=body.email, name=body.name, password=hashed, is_admin=body.is_admin
            )
        )

    return await run_in_threadpool(write, work, status=201)


@router.get("/users", responses=errors(403))
def list_users(
    _: Administrator, session: Read, page: PageFrom, q: Words = "", limit: Limit = 100
) -> Page[UserOut]:
    """List all accounts by address, or those with certain words (administrators)."""
    return Page.of(accounts.list_users(session, cursor=page, limit=limit, words=q).map(UserOut.of))


@router.patch("/users/{user_id}", response_model=UserOut)
def change_user(
    user_id: str,
    body: Annotated[UserPatch, Body(default_factory=UserPatch)],
    me: Administrator,
    here: Here,
    write: Write,
) -> Response:
    """Change an account: its name, its address, whether it is switched on or administers.

    With a new address its person signs in from now on; nothing else of the account changes. Who is
    switched off is signed out at once, and their tokens are void; their decisions stay. One active
    administrator is always left. For administrators.
    """
    found = _user_id(user_id)

    def work(session: Session) -> UserOut:
        before = accounts.get_user(session, found).name
        changed = administration.change_user(
            session,
            user_id=found,
            by=me.id,
            name=body.name,
            email=body.email,
            is_active=body.is_active,
            is_admin=body.is_admin,
        )
        if changed.name != before:
            interests.compare_name_again(session, found)
        return UserOut.of(changed)

    answer = write(work)
    here.event_streams.look_at_rights()
    return answer


@router.post("/users/{user_id}/reset", status_code=201, response_model=ResetLinkOut)
def create_reset(
    user_id: str, request: Request, _: Administrator, here: Here, write: Write
) -> Response:
    """Make a link by which somebody chooses a new password, good once for 24 hours.

    It is in this answer and nowhere else, and no mail is sent: hand it to the person. One that was
    made before is void. For administrators.
    """
    found = _user_id(user_id)

    def work(session: Session) -> ResetLinkOut:
        made = links.offer_reset(session, user_id=found)
        link = f"{public_url(request, here.settings)}/reset/{made.secret}"
        assert made.expires_at is not None  # noqa: S101  # a link always ends
        return ResetLinkOut(link=link, expires_at=made.expires_at)

    return write(work, status=201, replayable=False)


def _user_id(text: str) -> UserId:
    return UserId(parse_uuid(text, kind="user"))
