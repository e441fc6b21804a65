"""How many records of a review are screened: not linked to another one, nor left out."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from tandem.ids import ReviewId
from tandem.records.models import Record
from tandem.reviews.models import Review


def n_shown(session: Session, review_id: ReviewId) -> int:
    """Return how many records of the review are screened; 0 where there is no such review."""
    return session.scalar(select(n_shown_sql(review_id))) or 0


def n_unlinked(session: Session, review_id: ReviewId) -> int:
    """Return how many records of the review are not linked to another one."""
    linked = select(func.count()).where(
        Record.review_id == review_id, Record.duplicate_of.is_not(None)
    )
    came = select(Review.last_record_number - Review.n_taken_back - linked.scalar_subquery())
    return session.scalar(came.where(Review.id == review_id)) or 0


def n_shown_sql(review_id: ReviewId | ColumnElement[ReviewId]) -> ColumnElement[int]:
    """`n_shown` as a subquery. All that came are numbered, so only the others are counted."""
    n_linked = select(func.count()).where(
        Record.review_id == review_id, Record.duplicate_of.is_not(None)
    )
    n_out = select(func.count()).where(Record.review_id == review_id, _is_left_out())
    n_others = n_linked.scalar_subquery() + n_out.scalar_subquery()
    return (
        select(Review.last_record_number - Review.n_taken_back - n_others)
        .where(Review.id == review_id)
        .scalar_subquery()
    )


def n_shown_of(session: Session, review_ids: Collection[ReviewId]) -> dict[ReviewId, int]:
    """Return `n_shown` of each of these reviews, in three queries."""
    came = select(Review.id, Review.last_record_number - Review.n_taken_back)
    linked = (
        select(Record.review_id, func.count())
        .where(Record.review_id.in_(review_ids), Record.duplicate_of.is_not(None))
        .group_by(Record.review_id)
    )
    found = dict(session.execute(came.where(Review.id.in_(review_ids))).all())
    left_out = (
        select(Record.review_id, func.count())
        .where(Record.review_id.in_(review_ids), _is_left_out())
        .group_by(Record.review_id)
    )
    for query in (linked, left_out):
        for review_id, n in session.execute(query):
            found[review_id] -= n
    return found


def _is_left_out() -> ColumnElement[bool]:
    """Whether a record is shown and yet not screened."""
    return and_(Record.not_screened_because.is_not(None), Record.duplicate_of.is_(None))
