"""Which policies a review has and had."""

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.ids import ReviewId, UserId
from tandem.reviews import sight
from tandem.reviews.members import remove_member as remove_member
from tandem.reviews.members import set_member as set_member
from tandem.reviews.models import LockedReview, Member, PolicyVersion, Review
from tandem.reviews.policy import Policy, Stage, stored


def policies_in_force(session: Session, review_id: ReviewId) -> dict[Stage, Policy]:
    return policies_of_many(session, [review_id])[review_id]


def policies_of_many(
    session: Session, review_ids: Collection[ReviewId]
) -> dict[ReviewId, dict[Stage, Policy]]:
    """Return `policies_in_force` of each of these reviews, in one query."""
    found: dict[ReviewId, dict[Stage, Policy]] = {review_id: {} for review_id in review_ids}
    query = (
        select(PolicyVersion)
        .where(PolicyVersion.review_id.in_(review_ids))
        .order_by(PolicyVersion.version)
    )
    for row in session.scalars(query):
        found[row.review_id][row.stage] = stored(row.value)
    return found


def set_policy(
    session: Session, review: LockedReview, *, stage: Stage, value: Policy, by: UserId
) -> None:
    """Put a new version of a stage's policy in force, in the caller's transaction.

    Statuses are not touched: `screening.policies.change` does both.
    """
    newest = session.scalar(
        select(func.max(PolicyVersion.version)).where(
            PolicyVersion.review_id == review.id, PolicyVersion.stage == stage
        )
    )
    before = policies_in_force(session, review.id)[stage]
    members = select(Member.user_id, Member.role).where(Member.review_id == review.id)
    roles = [(user_id, role) for user_id, role in session.execute(members)]
    sight.note_policy(session, review, stage, roles, before, value)
    store_policy(session, review, stage, value, version=(newest or 0) + 1, by=by)


def store_policy(
    session: Session, review: Review, stage: Stage, value: Policy, *, version: int, by: UserId
) -> None:
    session.add(
        PolicyVersion(
            review_id=review.id,
            stage=stage,
            version=version,
            value=value.model_dump(mode="json"),
            created_by=by,
            created_at=now(),
        )
    )
