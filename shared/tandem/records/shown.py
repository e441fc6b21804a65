"""How many records a review shows: those that are not linked to another one."""

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from tandem.ids import ReviewId
from tandem.records.models import Record
from tandem.reviews.models import Review


def n_shown(session: Session, review_id: ReviewId) -> int:
    """Return how many records of the review are shown; 0 where there is no such review."""
    return session.scalar(select(n_shown_sql(review_id))) or 0


def n_shown_sql(review_id: ReviewId | ColumnElement[ReviewId]) -> ColumnElement[int]:
    """`n_shown` as a subquery. Nothing is removed, so only the linked ones are counted."""
    n_linked = select(func.count()).where(
        Record.review_id == review_id, Record.duplicate_of.is_not(None)
    )
    return (
        select(Review.last_record_number - n_linked.scalar_subquery())
        .where(Review.id == review_id)
        .scalar_subquery()
    )
