"""Invitations by link: a team on one laptop needs no administrator."""

from datetime import timedelta

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from tandem.accounts import service as accounts
from tandem.accounts.models import User
from tandem.errors import Unauthenticated
from tandem.ids import InvitationId, parse_uuid
from tandem.reviews import invitations
from tandem.reviews import service as reviews
from tandem.reviews.models import Member
from tandem_api import cookies, signing_in
from tandem_api.addresses import public_path, public_url
from tandem_api.deps import (
    AsViewer,
    Here,
    InReview,
    Limit,
    Me,
    PageFrom,
    Read,
    authenticate,
    refuse_cross_site,
)
from tandem_api.paging import Page
from tandem_api.problems import errors, gives_cookie
from tandem_api.routing import Router
from tandem_api.runtime import Runtime
from tandem_api.schemas.invitations import (
    AcceptanceIn,
    AcceptanceOut,
    InvitationIn,
    InvitationOut,
    NewInvitationOut,
    ShownInvitationOut,
)
from tandem_api.writing import Write

router = Router(tags=["reviews"])


@router.post("/reviews/{review_id}/invitations", status_code=201, response_model=NewInvitationOut)
def invite(
    body: InvitationIn, request: Request, me: Me, review_id: InReview, here: Here, write: Write
) -> Response:
    """Make a link that lets one person in (owners). It is in this answer and nowhere else."""

    def work(session: Session) -> NewInvitationOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        invitation, secret = invitations.invite(
            session,
            review=review,
            viewer=viewer,
            role=body.role,
            email=body.email,
            lasting=timedelta(days=body.expires_days),
        )
        shown = InvitationOut.of(invitation, {me.id: me.name})
        return NewInvitationOut(**dict(shown), link=_link(request, here, secret), token=secret)

    return write(work, status=201, replayable=False)


@router.get("/reviews/{review_id}/invitations", responses=errors(403))
def list_invitations(
    session: Read, viewer: AsViewer, page: PageFrom, limit: Limit = 100
) -> Page[InvitationOut]:
    """List invitations, the newest first, without their links (owners)."""
    found = invitations.listed(session, viewer, cursor=page, limit=limit)
    people = (person for one in found.items for person in (one.created_by, one.accepted_by))
    names = accounts.names_of(session, people)
    return Page.of(found.map(lambda one: InvitationOut.of(one, names)))


@router.delete("/reviews/{review_id}/invitations/{invitation_id}", status_code=204)
def revoke_invitation(invitation_id: str, me: Me, review_id: InReview, write: Write) -> Response:
    """Make a link useless (owners)."""
    found = InvitationId(parse_uuid(invitation_id, kind="invitation"))

    def work(session: Session) -> None:
        _, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        invitations.revoke(session, viewer=viewer, invitation_id=found)

    return write(work, status=204)


@router.get("/invitations/{token}")
def show_invitation(token: str, request: Request, session: Read) -> ShownInvitationOut:
    """Show what a link invites to, and how to accept. Nobody has to be signed in."""
    acceptance = public_path(request, "accept_invitation", token=token)
    return ShownInvitationOut.of(invitations.show(session, token), acceptance=acceptance)


@router.post(
    "/invitations/{token}/acceptance",
    response_model=AcceptanceOut,
    responses=gives_cookie(200) | errors(401, 409, 429),
)
async def accept_invitation(
    token: str, request: Request, here: Here, body: AcceptanceIn | None = None
) -> Response:
    """Become a member: signed in, without a body; else with the account that this makes.

    A new account is signed in at once, by the cookie that `/auth/login` sets. Each invitation is
    good for one person. Who is a member already keeps the higher of both roles.
    """
    user = await run_in_threadpool(_whoever_is_signed_in, request)
    made = None
    if user is not None:
        name, member = user.name, await run_in_threadpool(_accept, here, token, user)
    elif body is not None:
        name = body.name
        member, made = await signing_in.accept_as_new(request, here, token, person=body.person())
    else:
        raise Unauthenticated("Sign in, or send `name`, `email` and `password` to make an account.")
    here.task_signals.changed(member.review_id)
    response = JSONResponse(AcceptanceOut.of(member, name).model_dump(mode="json"))
    if made is not None:
        cookies.give(response, request, here, made)
    return response


def _accept(here: Runtime, token: str, user: User) -> Member:
    with here.database.write.begin() as session:
        return invitations.accept(session, token, user=user)


def _whoever_is_signed_in(request: Request) -> User | None:
    """Return who is calling, None for nobody. An old cookie is nobody's; a wrong token is wrong."""
    try:
        return authenticate(request)
    except Unauthenticated:
        if "authorization" in request.headers:
            raise
    refuse_cross_site(request)
    return None


def _link(request: Request, here: Runtime, secret: str) -> str:
    path = request.app.url_path_for("join_page", token=secret)
    return public_url(request, here.settings) + str(path)
