"""The people of a review: who is in it, in which role."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, select, update
from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.accounts.models import User
from tandem.db.base import now
from tandem.db.keyset import Cursor, Slice, keyset
from tandem.errors import Conflict, NotFound
from tandem.events import log
from tandem.events.types import MemberAdded, MemberRemoved
from tandem.ids import ReviewId, UserId
from tandem.reviews import sight
from tandem.reviews.models import Invitation, LockedReview, Member, PolicyVersion, Review, Role
from tandem.reviews.policy import Policy, Stage


class LastOwner(Conflict):
    """A review is never left without an owner."""

    code = "last_owner"


def members(session: Session, review_id: ReviewId) -> Sequence[tuple[Member, User]]:
    """Return everybody in the review, who came first first."""
    query = _members(review_id).order_by(*_IN_ORDER)
    return [(member, user) for member, user in session.execute(query)]


def can_act() -> ColumnElement[bool]:
    """Whether the account of a row of Member is switched on: else they decide nothing."""
    return exists().where(User.id == Member.user_id, User.is_active)


def page(
    session: Session, review_id: ReviewId, *, cursor: Cursor, limit: int
) -> Slice[tuple[Member, User]]:
    """Return a page of `members`."""
    found = keyset(session, _members(review_id), _IN_ORDER, cursor, limit)
    return found.map(lambda row: (row[0], row[1]))


def _members(review_id: ReviewId) -> Select[Member, User]:
    query = select(Member, User).join(User, User.id == Member.user_id)
    return query.where(Member.review_id == review_id)


_IN_ORDER = (Member.added_at, User.email)


def get_member(session: Session, review_id: ReviewId, user_id: UserId) -> Member:
    member = session.get(Member, (review_id, user_id))
    if member is None:
        raise NotFound("This person is not a member of the review.")
    return member


def set_member(
    session: Session, review: LockedReview, *, user_id: UserId, role: Role, by: UserId | None = None
) -> tuple[Member, User]:
    """Add a person to the review, or change their role.

    Args:
        session: Of the change.
        review: The review.
        user_id: Who comes in, or is in it.
        role: What they are from now on.
        by: Who has decided it, for the audit trail.

    Raises:
        NotFound: There is no such account.
        LastOwner: It would leave the review without an owner.
    """
    user = accounts.get_user(session, user_id)
    member = session.get(Member, (review.id, user_id))
    before = None if member is None else member.role
    if member is None:
        member = Member(review_id=review.id, user_id=user_id, role=role, added_at=now())
        session.add(member)
    elif member.role == role:
        return member, user
    else:
        _no_longer_owner(session, review, member)
        member.role = role
    sight.note_role(session, review, _policies(session, review), user_id, before, role)
    detail = {"by": _text(by), "from": before, "to": role}
    log.append(session, review, MemberAdded(user_id=str(user_id), role=role, detail=detail))
    session.flush()
    return member, user


def remove_member(
    session: Session,
    review: LockedReview,
    *,
    user_id: UserId,
    by: UserId | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Take a person's access away. Their decisions stay, with their name.

    Args:
        session: Of the change.
        review: The review.
        user_id: Who leaves.
        by: Who has decided it, for the audit trail.
        detail: What else the audit trail keeps of it.

    Raises:
        NotFound: They are not a member.
        LastOwner: They are the only owner.
    """
    member = get_member(session, review.id, user_id)
    _no_longer_owner(session, review, member)
    sight.note_role(session, review, _policies(session, review), user_id, member.role, None)
    session.delete(member)
    known = {"by": _text(by), "from": member.role, "to": None}
    log.append(session, review, MemberRemoved(user_id=str(user_id), detail=known | (detail or {})))


def _no_longer_owner(session: Session, review: Review, leaving: Member) -> None:
    """Let an owner be one no longer, nor come back by a link that they made themselves."""
    if leaving.role is not Role.OWNER:
        return
    others = select(func.count()).where(
        Member.review_id == review.id,
        Member.role == Role.OWNER,
        Member.user_id != leaving.user_id,
    )
    if not session.scalar(others):
        raise LastOwner("This is the review's only owner. Make somebody else an owner first.")
    session.execute(
        update(Invitation)
        .where(
            Invitation.review_id == review.id,
            Invitation.created_by == leaving.user_id,
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
        )
        .values(revoked_at=now())
    )


def _policies(session: Session, review: Review) -> dict[Stage, Policy]:
    """Return the policies in force, as `service` does, which imports this module."""
    query = (
        select(PolicyVersion.stage, PolicyVersion.value)
        .where(PolicyVersion.review_id == review.id)
        .order_by(PolicyVersion.version)
    )
    return {stage: Policy.model_validate(value) for stage, value in session.execute(query)}


def _text(user_id: UserId | None) -> str | None:
    return None if user_id is None else str(user_id)
