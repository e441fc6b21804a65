"""The people of a review."""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import Body, Query, Response
from sqlalchemy.orm import Session

from tandem.accounts.models import User
from tandem.ids import UserId, parse_uuid
from tandem.reviews import members
from tandem.reviews import service as reviews
from tandem.reviews.models import Member, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.blinding.view import is_unblinded
from tandem.screening.people import workload
from tandem.screening.team import membership, removal
from tandem_api.deps import AsViewer, InReview, Limit, Me, PageFrom, Read
from tandem_api.errors import InvalidQuery
from tandem_api.paging import Page
from tandem_api.routing import Router
from tandem_api.schemas.base import DayOrTime
from tandem_api.schemas.decisions import ScreeningStage
from tandem_api.schemas.members import DepartureOut, MemberIn, MemberOut, MemberPatch
from tandem_api.writing import Write

router = Router(prefix="/reviews/{review_id}/members", tags=["reviews"])


@router.get("")
def list_members(
    session: Read,
    viewer: AsViewer,
    page: PageFrom,
    stage: ScreeningStage = Stage.TITLE_ABSTRACT,
    limit: Limit = 100,
) -> Page[MemberOut]:
    """List everybody in the review, with their roles and what they have done of a stage."""
    found = members.page(session, viewer.review_id, cursor=page, limit=limit)
    items = _shown(session, viewer, found.items, stage)
    return Page(items=items, next_cursor=found.next_cursor)


@router.put("/{user_id}", response_model=MemberOut)
def set_member(user_id: str, body: MemberIn, me: Me, review_id: InReview, write: Write) -> Response:
    """Add somebody, or change their role (owners)."""
    person = UserId(parse_uuid(user_id, kind="user"))

    def work(session: Session) -> MemberOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        membership.put(session, review=review, viewer=viewer, user_id=person, role=body.role)
        member, user = membership.change(
            session,
            review=review,
            viewer=viewer,
            user_id=person,
            paused=body.new_pause(),
            share=body.new_share(),
        )
        session.flush()
        return _shown(session, viewer, [(member, user)])[0]

    return write(work, changed=review_id)


@router.patch("/{user_id}", response_model=MemberOut)
def change_member(
    user_id: str,
    body: Annotated[MemberPatch, Body(default_factory=MemberPatch)],
    me: Me,
    review_id: InReview,
    write: Write,
) -> Response:
    """Let somebody pause or come back, or give them a share of the work (owners).

    Everybody may pause and come back themselves. Decisions are accepted all the same.
    """
    person = UserId(parse_uuid(user_id, kind="user"))

    def work(session: Session) -> MemberOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        member, user = membership.change(
            session,
            review=review,
            viewer=viewer,
            user_id=person,
            paused=body.new_pause(),
            share=body.new_share(),
        )
        session.flush()
        return _shown(session, viewer, [(member, user)])[0]

    return write(work, changed=review_id)


@router.delete(
    "/{user_id}",
    status_code=204,
    responses={200: {"model": DepartureOut, "description": "With `dry_run`: what it would do."}},
)
def remove_member(
    user_id: str,
    me: Me,
    review_id: InReview,
    write: Write,
    decisions: Annotated[
        Literal["keep", "void"],
        Query(description="What becomes of their decisions: they stay, or count no longer."),
    ] = "keep",
    since: Annotated[
        DayOrTime | None,
        Query(
            description="Void only what they decided then or later: a time, or a date (midnight, "
            "UTC). Only with `decisions=void`."
        ),
    ] = None,
    dry_run: Annotated[
        bool, Query(description="Show what the removal would do, and do not do it.")
    ] = False,
) -> Response:
    """Take somebody's access away (owners), or leave yourself. The decisions stay, or are voided.

    Who leaves keeps their decisions there; only owners void some, or see first what it would do.

    Voided decisions are withdrawn in the ledger by you, and the records judged again; nobody
    else's vote is touched, and resolutions stand. Decisions can be voided of the reviewers of an
    imported file too. Conflicts stay open to those who may settle them; where nobody is left who
    may, name another adjudicator or let voters adjudicate.
    """
    person = UserId(parse_uuid(user_id, kind="user"))
    if since is not None and decisions == "keep":
        raise InvalidQuery("This says what to void: send decisions=void with it.", field="since")

    def work(session: Session) -> DepartureOut | None:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        if dry_run:  # it counts conflicts, which the blinded must not know of
            viewer.require(Role.OWNER, "see what a removal would do")
        savepoint = session.begin_nested()
        departure = removal.leave(
            session,
            review=review,
            viewer=viewer,
            user_id=person,
            decisions=decisions,
            since=since,
        )
        if not dry_run:
            return None
        savepoint.rollback()
        return DepartureOut.of(departure)

    return write(work, status=200 if dry_run else 204, changed=None if dry_run else review_id)


def _shown(
    session: Session,
    viewer: Viewer,
    found: Sequence[tuple[Member, User]],
    stage: Stage = Stage.TITLE_ABSTRACT,
) -> list[MemberOut]:
    """Show each member; how far they are, only to those who may know it of others."""
    sees_all = is_unblinded(viewer, stage)
    asked = [member for member, _ in found if sees_all or member.user_id == viewer.user_id]
    work = workload.of_members(session, viewer.review_id, stage, viewer.policies, asked)
    return [MemberOut.of(member, user, work.get(member.user_id)) for member, user in found]
