"""The review's `labels_seq` as the blinded see it: what is closed to them has no number.

A hole between two changes that they know of would say that a conflict lies there, settled or
opened again. As they see it, an open change has the number after the one before it, so that a
ranking counts it just where the ranking's number, as they see it, is at least its own. What is
closed has the number of what came before it.
"""

from bisect import bisect_right
from collections.abc import Collection, Mapping

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from tandem.db.rows import fetch
from tandem.ids import ReviewId
from tandem.reviews.models import LockedReview, Review
from tandem.reviews.service import Viewer
from tandem.screening.blinding.view import sees_every_event
from tandem.screening.models import ClosedChange


def note_closed(session: Session, review: Review) -> None:
    """Note that the change that has just raised `labels_seq` is closed to the blinded."""
    session.add(ClosedChange(review_id=review.id, labels_seq=review.labels_seq))
    review.n_closed += 1
    review.last_closed_seq = review.labels_seq


def visible_numbers(
    session: Session,
    viewer: Viewer,
    numbers: Collection[int],
    *,
    locked: LockedReview | None = None,
) -> Mapping[int, int]:
    """Return for each of these numbers which one this person sees.

    `locked`: the review, where the caller has it. Then newer numbers than that of the last closed
    change cost no query: it counts the closed ones.
    """
    if sees_every_event(viewer):
        return {number: number for number in numbers}
    if locked is not None and all(number >= locked.last_closed_seq for number in numbers):
        return {number: number - locked.n_closed for number in numbers}
    return numbers_for_the_blinded(session, viewer.review_id, numbers)


def numbers_for_the_blinded(
    session: Session, review_id: ReviewId, numbers: Collection[int]
) -> Mapping[int, int]:
    """Return for each of these numbers how many changes up to it are open to the blinded."""
    if not numbers:
        return {}
    first, last = min(numbers), max(numbers)
    n_before = fetch(session, _N_UP_TO, {"review_id": review_id, "first": first}).scalar_one()
    closed: list[int] = []
    if first < last:
        span = {"review_id": review_id, "first": first, "last": last}
        closed.extend(fetch(session, _BETWEEN, span).scalars())
    return {number: number - n_before - bisect_right(closed, number) for number in numbers}


# Made once: every decision of the blinded asks the first.
_N_UP_TO = (
    select(func.count())
    .select_from(ClosedChange)
    .where(
        ClosedChange.review_id == bindparam("review_id"),
        ClosedChange.labels_seq <= bindparam("first"),
    )
)
_BETWEEN = (
    select(ClosedChange.labels_seq)
    .where(
        ClosedChange.review_id == bindparam("review_id"),
        ClosedChange.labels_seq > bindparam("first"),
        ClosedChange.labels_seq <= bindparam("last"),
    )
    .order_by(ClosedChange.labels_seq)
)
