"""How many records a review shows: those that are not linked to another one."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from tandem.ids import ReviewId
from tandem.records.models import Record
from tandem.reviews.models import Review


def n_shown(session: Session, review_id: ReviewId) -> int:
    """Return how many records of the review are shown; 0 where there is no such review."""
    return session.scalar(select(n_shown_sql(review_id))) or 0


def n_shown_sql(review_id: ReviewId | ColumnElement[ReviewId]) -> ColumnElement[int]:
    """`n_shown` as a subquery. All that came are numbered, so only the linked ones are counted."""
    n_linked = select(func.count()).where(
        Record.review_id == review_id, Record.duplicate_of.is_not(None)
    )
    return (
        select(Review.last_record_number - Review.n_taken_back - n_linked.scalar_subquery())
        .where(Review.id == review_id)
        .scalar_subquery()
    )


def n_shown_of(session: Session, review_ids: Collection[ReviewId]) -> dict[ReviewId, int]:
    """Return `n_shown` of each of these reviews, in two queries."""
    came = select(Review.id, Review.last_record_number - Review.n_taken_back)
    linked = (
        select(Record.review_id, func.count())
        .where(Record.review_id.in_(review_ids), Record.duplicate_of.is_not(None))
        .group_by(Record.review_id)
    )
    found = dict(session.execute(came.where(Review.id.in_(review_ids))).all())
    for review_id, n in session.execute(linked):
        found[review_id] -= n
    return found
