"""The criteria of a review, version by version; a decision names the version it was made under."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.ids import ReviewId, UserId
from tandem.reviews.models import CriteriaVersion, Review
from tandem.reviews.wording import Criteria


def store(session: Session, review: Review, *, by: UserId, note: str | None) -> None:
    """Keep what the review's criteria are now as its present version."""
    session.add(
        CriteriaVersion(
            review_id=review.id,
            version=review.criteria_version,
            include=review.criteria_include,
            exclude=review.criteria_exclude,
            note=note,
            created_by=by,
            created_at=now(),
        )
    )


def versions(
    session: Session, review_id: ReviewId, *, before: int | None = None, limit: int | None = None
) -> Sequence[CriteriaVersion]:
    """Return the versions, the newest first.

    Args:
        session: A session.
        review_id: Whose criteria.
        before: Only versions with a smaller number.
        limit: At most so many.
    """
    query = (
        select(CriteriaVersion)
        .where(CriteriaVersion.review_id == review_id)
        .order_by(CriteriaVersion.version.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(CriteriaVersion.version < before)
    return session.scalars(query).all()


def by_version(session: Session, review_id: ReviewId) -> dict[int, Criteria]:
    """Return what the criteria were in each version."""
    return {row.version: Criteria(row.include, row.exclude) for row in versions(session, review_id)}
