"""How many records of a review are screened: not linked to another one, nor left out."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, and_, bindparam, func, select
from sqlalchemy.orm import Session

from tandem.db.rows import fetch
from tandem.ids import ReviewId
from tandem.records.models import Record
from tandem.reviews.models import Review


def n_shown(session: Session, review_id: ReviewId) -> int:
    """Return how many records of the review are screened; 0 where there is no such review."""
    return session.scalar(select(n_shown_sql(review_id))) or 0


def n_unlinked(session: Session, review_id: ReviewId) -> int:
    """Return how many records of the review are not linked to another one."""
    linked = select(func.count()).where(Record.review_id == review_id, ~Record.is_shown)
    came = select(Review.last_record_number - Review.n_taken_back - linked.scalar_subquery())
    return session.scalar(came.where(Review.id == review_id)) or 0


def n_shown_sql(review_id: ReviewId | ColumnElement[ReviewId]) -> ColumnElement[int]:
    """`n_shown` as a subquery. All that came are numbered, so only the others are counted."""
    n_linked = select(func.count()).where(Record.review_id == review_id, ~Record.is_shown)
    n_out = select(func.count()).where(Record.review_id == review_id, _is_left_out())
    n_others = n_linked.scalar_subquery() + n_out.scalar_subquery()
    return (
        select(Review.last_record_number - Review.n_taken_back - n_others)
        .where(Review.id == review_id)
        .scalar_subquery()
    )


def n_shown_of(session: Session, review_ids: Collection[ReviewId]) -> dict[ReviewId, int]:
    """Return `n_shown` of each of these reviews, in one query."""
    return {row[0]: row[1] for row in fetch(session, _N_SHOWN, {"reviews": list(review_ids)})}


def _is_left_out() -> ColumnElement[bool]:
    """Whether a record is shown and yet not screened."""
    return and_(Record.is_left_out, Record.is_shown)


def _n_here(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
    """Count such records of the review that a row of the query is about."""
    here = select(func.count()).where(Record.review_id == Review.id, *conditions)
    return here.correlate(Review).scalar_subquery()


_N_SHOWN = select(
    Review.id,
    Review.last_record_number
    - Review.n_taken_back
    - _n_here(~Record.is_shown)
    - _n_here(_is_left_out()),
).where(Review.id.in_(bindparam("reviews", expanding=True)))
"""Made once: each list of reviews asks it."""
