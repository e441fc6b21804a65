"""Reviews, and what each of their members may do and see."""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.db.keyset import START, Cursor, Slice, keyset
from tandem.errors import Conflict, Forbidden, NotFound
from tandem.events import chain, log
from tandem.events.types import MemberAdded, ReviewCreated
from tandem.ids import ReviewId, UserId, new_id
from tandem.reviews import criteria
from tandem.reviews import policy as policies
from tandem.reviews.members import remove_member as remove_member
from tandem.reviews.members import set_member as set_member
from tandem.reviews.models import LockedReview, Member, PolicyVersion, Review, Role
from tandem.reviews.policy import Policy, Stage, stored
from tandem.reviews.policy_versions import policies_in_force, store_policy

_LARGEST_SEED = 2**31 - 1


class NoReview(NotFound):
    """There is no such review: there never was, it was deleted, or the caller is a stranger."""

    def __init__(self, review_id: ReviewId) -> None:
        super().__init__(f"There is no review {review_id}.")


class ReviewArchived(Conflict):
    """Nothing in an archived review can be changed."""

    code = "review_archived"

    def __init__(self) -> None:
        super().__init__(
            "This review is archived: it can be read, and nothing in it can be changed. An owner "
            "makes it active again by POST /reviews/{review_id}/unarchive."
        )


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody looking at a review: everything that is shown to them passes through this.

    `member` is their row, if it was read: while it is kept here, the session has it at hand.
    """

    review_id: ReviewId
    user_id: UserId
    role: Role
    policies: Mapping[Stage, Policy]
    member: Member | None = field(default=None, repr=False, compare=False)

    def has(self, role: Role) -> bool:
        """Whether this person has the rights of `role`, their own or a higher one."""
        return self.role.reaches(role)

    def sees_statuses(self, stage: Stage) -> bool:
        """Whether every status of a stage is open to them, whether or not they have decided."""
        return self.has(Role.ADJUDICATOR) or not self.policies[stage].blind

    def require(self, role: Role, to: str) -> None:
        """Raise Forbidden, saying who may, unless this person has the rights of `role`."""
        if not self.has(role):
            raise Forbidden(f"Only {_article(role)} of this review may {to}.")


def _article(role: Role) -> str:
    return {
        Role.OWNER: "an owner",
        Role.ADJUDICATOR: "an adjudicator or an owner",
        Role.REVIEWER: "a reviewer, an adjudicator or an owner",
        Role.OBSERVER: "a member",
    }[role]


def create_review(
    session: Session,
    *,
    owner_id: UserId,
    title: str,
    question: str | None = None,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    exclusion_reasons: Sequence[str] = (),
    seed_studies: Sequence[str] = (),
    highlights_for: Sequence[str] = (),
    highlights_against: Sequence[str] = (),
    policy: Mapping[Stage, dict[str, Any]] | None = None,
    seed: int | None = None,
    review_id: ReviewId | None = None,
) -> LockedReview:
    """Create a review whose first member is its owner.

    `review_id`: where the caller has to know it before.
    """
    review = Review(
        id=review_id or ReviewId(new_id()),
        title=title,
        question=question,
        criteria_include=list(include),
        criteria_exclude=list(exclude),
        criteria_version=1,
        exclusion_reasons=list(exclusion_reasons),
        seed_studies=list(seed_studies),
        seed=secrets.randbelow(_LARGEST_SEED) if seed is None else seed,
        created_by=owner_id,
        created_at=now(),
        last_seq=0,
        last_open_seq=0,
        last_hash=chain.START,
        last_record_number=0,
        labels_seq=0,
        corpus_seq=0,
        highlights_for=list(highlights_for),
        highlights_against=list(highlights_against),
    )
    session.add(review)
    session.flush()
    session.add(
        Member(review_id=review.id, user_id=owner_id, role=Role.OWNER, added_at=review.created_at)
    )
    in_force = {
        stage: policies.changed(policies.DEFAULT[stage], (policy or {}).get(stage, {}))
        for stage in Stage
    }
    for stage, value in in_force.items():
        store_policy(session, review, stage, value, version=1, by=owner_id)
    criteria.store(session, review, by=owner_id, note=None)
    detail = {
        "by": str(owner_id),
        "criteria": {"include": list(include), "exclude": list(exclude)},
        "exclusion_reasons": list(exclusion_reasons),
        "policy": {stage: value.model_dump(mode="json") for stage, value in in_force.items()},
    }
    log.append(
        session,
        review,
        ReviewCreated(detail=detail),
        MemberAdded(user_id=str(owner_id), role=Role.OWNER, detail={"by": str(owner_id)}),
    )
    session.flush()
    return LockedReview(review)  # until it is committed, nobody else sees it


def lock(session: Session, review_id: ReviewId, *, also_archived: bool = False) -> LockedReview:
    """Return the review, locked until the transaction ends.

    Every change to a review begins with this. It orders the outcome of two simultaneous
    votes, the numbers of events and records, and `labels_seq`. It is also the one place that
    refuses changes of an archived review.

    Args:
        session: Of the change.
        review_id: Which review.
        also_archived: For what goes on in an archived review: deliveries of what happened
            before, and what ends its being archived.

    Raises:
        NoReview: There is none, or it was deleted.
        ReviewArchived: It is archived.
    """
    found = session.scalars(_LOCKED, {"review_id": review_id})
    review = found.one_or_none()
    if review is None or review.deleted_at is not None:
        raise NoReview(review_id)
    if review.archived_at is not None and not also_archived:
        raise ReviewArchived
    return LockedReview(review)


_LOCKED = (
    select(Review)
    .where(Review.id == bindparam("review_id"))
    # Not against rows that merely refer to the review, such as a new import.
    .with_for_update(key_share=True)
    .execution_options(populate_existing=True)
)


def require_active(session: Session, review_id: ReviewId) -> None:
    """Refuse an archived review before long work is done for it; `lock` refuses the change.

    Raises:
        ReviewArchived: It is archived.
    """
    if not is_active(session, review_id):
        raise ReviewArchived


def is_active(session: Session, review_id: ReviewId) -> bool:
    """Whether there is such a review, neither archived nor deleted: workers do nothing else's."""
    return bool(session.scalar(select(Review.id).where(Review.id == review_id, Review.is_active())))


def get_review(session: Session, review_id: ReviewId) -> Review:
    review = session.get(Review, review_id)
    if review is None or review.deleted_at is not None:
        raise NoReview(review_id)
    return review


def viewer(session: Session, *, review_id: ReviewId, user_id: UserId) -> Viewer:
    """Return who this person is in the review.

    Raises:
        NotFound: There is no such review, or they are not a member: nobody can tell which.
    """
    rows = session.execute(_VIEWER, {"review_id": review_id, "user_id": user_id}).all()
    if not rows:
        raise NoReview(review_id)
    in_force = {row.stage: stored(row.value) for row in rows}
    member = rows[0].Member
    return Viewer(review_id, user_id, member.role, in_force, member)


_VIEWER = (
    select(Member, PolicyVersion.stage, PolicyVersion.value)
    .join(PolicyVersion, PolicyVersion.review_id == Member.review_id)
    .where(Member.review_id == bindparam("review_id"), Member.user_id == bindparam("user_id"))
    .order_by(PolicyVersion.version)
)
"""Made once: nearly every request asks for it. A review has a policy for each stage."""


def viewers(
    session: Session, *, review_id: ReviewId, user_ids: Collection[UserId]
) -> dict[UserId, Viewer]:
    """Return who these people are in the review; those who are nobody there are left out."""
    query = select(Member).where(Member.review_id == review_id, Member.user_id.in_(user_ids))
    in_force = policies_in_force(session, review_id)
    return {
        member.user_id: Viewer(review_id, member.user_id, member.role, in_force)
        for member in session.scalars(query)
    }


def reviews_of(
    session: Session,
    user_id: UserId,
    *,
    archived: bool = False,
    limit: int,
    cursor: Cursor = START,
) -> Slice[tuple[Review, Role]]:
    """Return the reviews that this person is a member of, with their role, by id.

    Those that are `archived`, or all others.
    """
    is_archived = Review.archived_at.is_not(None)
    query = (
        select(Review, Member.role)
        .join(Member, Member.review_id == Review.id)
        .where(Member.user_id == user_id, is_archived if archived else ~is_archived)
    )
    found = keyset(session, query, [Review.id], cursor, limit)
    return found.map(lambda row: (row[0], row[1]))


def enter(
    session: Session, *, review_id: ReviewId, user_id: UserId, also_archived: bool = False
) -> tuple[LockedReview, Viewer]:
    """Lock the review for a change by this person; see `lock` and `viewer`.

    A stranger does not learn that there is an archived review.
    """
    try:
        review = lock(session, review_id, also_archived=also_archived)
    except ReviewArchived:
        viewer(session, review_id=review_id, user_id=user_id)
        raise
    return review, viewer(session, review_id=review_id, user_id=user_id)
