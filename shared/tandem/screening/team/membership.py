"""Changes of a member that touch what is held for them: their role, a pause, their share."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.accounts.models import User
from tandem.db.base import now
from tandem.events import log
from tandem.events.types import MemberChanged
from tandem.ids import UserId
from tandem.reviews import members
from tandem.reviews.models import LockedReview, Member, Role
from tandem.reviews.service import Viewer
from tandem.screening.queue import service as queue


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Says that something stays as it is, where None means something else."""


UNCHANGED = Unchanged()


def put(
    session: Session, *, review: LockedReview, viewer: Viewer, user_id: UserId, role: Role
) -> tuple[Member, User]:
    """Let an owner add a person or change their role; an observer holds no records.

    Raises:
        Forbidden: Only an owner may.
        NotFound: There is no such account.
        LastOwner: It would leave the review without an owner.
    """
    viewer.require(Role.OWNER, "choose its members")
    if role is Role.OBSERVER:
        queue.release_all(session, review_id=review.id, user_id=user_id)
    return members.set_member(session, review, user_id=user_id, role=role, by=viewer.user_id)


def change(
    session: Session,
    *,
    review: LockedReview,
    viewer: Viewer,
    user_id: UserId,
    paused: bool | Unchanged = UNCHANGED,
    share: float | Unchanged | None = UNCHANGED,
) -> tuple[Member, User]:
    """Let a member pause or come back, or give them a share of the work.

    Who pauses holds no records; what they still send is accepted.

    Raises:
        Forbidden: Only an owner may, or the members themselves to pause.
        NotFound: They are not a member.
    """
    if share is not UNCHANGED or user_id != viewer.user_id:
        viewer.require(Role.OWNER, "change a member's part of the work")
    member = members.get_member(session, review.id, user_id)
    before = {"paused": member.paused_at is not None, "share": member.share}
    if not isinstance(paused, Unchanged) and paused is not before["paused"]:
        member.paused_at = now() if paused else None
        if paused:
            queue.release_all(session, review_id=review.id, user_id=user_id)
    if not isinstance(share, Unchanged):
        member.share = share
    after: dict[str, Any] = {"paused": member.paused_at is not None, "share": member.share}
    changed = [name for name, value in after.items() if value != before[name]]
    if changed:
        detail = {"by": str(viewer.user_id), "from": before, "to": after}
        fact = MemberChanged(user_id=str(user_id), changed=changed, detail=detail)
        log.append(session, review, fact)
    return member, accounts.get_user(session, user_id)
