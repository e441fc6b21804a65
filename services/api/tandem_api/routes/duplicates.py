"""Which records are one: proposals to settle, links to see and to undo."""

from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import Body, Response
from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.ids import DuplicateGroupId, ReviewId, UserId, parse_record_number, parse_uuid
from tandem.records.duplicates import groups
from tandem.records.duplicates.models import DuplicateGroup, GroupState
from tandem.reviews import service as reviews
from tandem.reviews.models import LockedReview, Review, Role
from tandem.reviews.service import Viewer
from tandem.screening.duplicates import merging
from tandem_api.deps import AsViewer, InReview, Limit, Me, PageFrom, Read
from tandem_api.paging import Page
from tandem_api.routing import Router
from tandem_api.schemas.duplicates import GroupOut, SplitIn
from tandem_api.writing import Write

router = Router(prefix="/reviews/{review_id}/duplicates", tags=["duplicates"])

_Settle = Callable[[Session, LockedReview, Viewer, DuplicateGroup], None]


@router.get("")
def list_duplicates(
    session: Read,
    viewer: AsViewer,
    page: PageFrom,
    state: GroupState | None = None,
    limit: Limit = 100,
) -> Page[GroupOut]:
    """List groups of duplicates, the surest first."""
    found = groups.page(session, review_id=viewer.review_id, state=state, cursor=page, limit=limit)
    shown = _shown(session, viewer.review_id, found.items)
    return Page(items=shown, next_cursor=found.next_cursor)


@router.get("/{duplicate_id}")
def get_duplicate(duplicate_id: str, session: Read, viewer: AsViewer) -> GroupOut:
    """Show a group of duplicates, its records side by side."""
    found = groups.get(session, review_id=viewer.review_id, group_id=_id(duplicate_id))
    return _shown(session, viewer.review_id, [found])[0]


@router.post("/{duplicate_id}/merge", response_model=GroupOut)
def merge_duplicates(duplicate_id: str, me: Me, review_id: InReview, write: Write) -> Response:
    """Say that the records are one (adjudicators). Their decisions meet by the ordinary rules."""

    def settle(
        session: Session, review: LockedReview, viewer: Viewer, group: DuplicateGroup
    ) -> None:
        merging.merge(session, review, viewer.policies, group, by=viewer.user_id)

    return write(_settling(review_id, me.id, _id(duplicate_id), settle), changed=review_id)


@router.post("/{duplicate_id}/keep", response_model=GroupOut)
def keep_duplicates(duplicate_id: str, me: Me, review_id: InReview, write: Write) -> Response:
    """Say that the records are not one (adjudicators). They are not proposed again."""

    def settle(session: Session, _: Review, viewer: Viewer, group: DuplicateGroup) -> None:
        merging.keep(group, by=viewer.user_id)

    return write(_settling(review_id, me.id, _id(duplicate_id), settle), changed=review_id)


@router.post("/{duplicate_id}/split", response_model=GroupOut)
def split_duplicates(
    duplicate_id: str,
    me: Me,
    review_id: InReview,
    write: Write,
    body: Annotated[SplitIn | None, Body()] = None,
) -> Response:
    """Split a linked group (adjudicators). Each record has the decisions that were made on it."""
    named = body.record_ids if body is not None else None
    numbers = None if named is None else [parse_record_number(text) for text in named]

    def settle(
        session: Session, review: LockedReview, viewer: Viewer, group: DuplicateGroup
    ) -> None:
        merging.split(session, review, viewer.policies, group, numbers=numbers, by=viewer.user_id)

    return write(_settling(review_id, me.id, _id(duplicate_id), settle), changed=review_id)


def _settling(
    review_id: ReviewId, user_id: UserId, group_id: DuplicateGroupId, settle: _Settle
) -> Callable[[Session], GroupOut]:
    def work(session: Session) -> GroupOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=user_id)
        viewer.require(Role.ADJUDICATOR, "settle duplicates")
        group = groups.get(session, review_id=review_id, group_id=group_id)
        settle(session, review, viewer, group)
        session.flush()
        return _shown(session, review_id, [group])[0]

    return work


def _shown(
    session: Session, review_id: ReviewId, found: Sequence[DuplicateGroup]
) -> list[GroupOut]:
    members = groups.members_of(session, [group.id for group in found])
    numbers = {number for some in members.values() for number in some}
    records = groups.records_of(session, review_id, numbers)
    names = accounts.names_of(session, (group.settled_by for group in found))
    return [
        GroupOut.of(group, [records[number] for number in members[group.id]], names)
        for group in found
    ]


def _id(text: str) -> DuplicateGroupId:
    return DuplicateGroupId(parse_uuid(text, kind="group of duplicates"))
