"""The criteria of a review, version by version; a decision names the version it was made under."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.db.keyset import Cursor, Slice, keyset_of_one
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


def versions(session: Session, review_id: ReviewId) -> Sequence[CriteriaVersion]:
    """Return the versions, the newest first."""
    query = select(CriteriaVersion).where(CriteriaVersion.review_id == review_id)
    return session.scalars(query.order_by(CriteriaVersion.version.desc())).all()


def page(
    session: Session, review_id: ReviewId, *, cursor: Cursor, limit: int
) -> Slice[CriteriaVersion]:
    """Return a page of `versions`."""
    query = select(CriteriaVersion).where(CriteriaVersion.review_id == review_id)
    return keyset_of_one(session, query, [CriteriaVersion.version.desc()], cursor, limit)


def by_version(session: Session, review_id: ReviewId) -> dict[int, Criteria]:
    """Return what the criteria were in each version."""
    return {row.version: Criteria(row.include, row.exclude) for row in versions(session, review_id)}
