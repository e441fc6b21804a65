"""Asking which excludes look like includes, who works it out, and what came out.

Trainings take no longer: a task of its own, `second_look_scores.make`, works it out when somebody
asks. The database says what is due, so a lost message or worker costs a sweep of the relay.
Nothing here loads machine learning.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Select, and_, exists, false, func, literal, select
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import ReviewId
from tandem.ranking.models import SecondLook
from tandem.reviews.models import LockedReview, Review
from tandem.reviews.policy import Stage
from tandem.work import lease
from tandem.work.lease import Held, Kind

LEASE = timedelta(seconds=10)
"""Renewed while somebody works: so long after a worker was killed another one may try."""


@dataclass(frozen=True, slots=True)
class Looks:
    """The newest scores, and whether others are being made; `row` is None before the first ask.

    Attributes:
        row: What was asked and made.
        numbers: Excluded records that have a score, shape (n,), ascending.
        scores: Aligned, in [0, 1].
    """

    row: SecondLook | None
    numbers: NDArray[np.int32]
    scores: NDArray[np.float32]

    @property
    def state(self) -> Literal["none", "asked", "ready"]:
        if self.row is None:
            return "none"
        return "asked" if self.row.asked > self.row.done else "ready"


def ask(session: Session, review: LockedReview, stage: Stage) -> SecondLook:
    """Make it due, unless it is already."""
    row = session.get(SecondLook, (review.id, stage))
    if row is None:
        row = SecondLook(review_id=review.id, stage=stage, asked=0, done=0, fence=0)
        session.add(row)
    row.asked, row.asked_at = row.done + 1, now()
    if row.parked_at is not None:
        row.try_again()
    session.flush()
    return row


def newest(session: Session, review_id: ReviewId, stage: Stage) -> Looks:
    row = session.get(SecondLook, (review_id, stage))
    numbers, scores = (row.numbers, row.scores) if row is not None else (None, None)
    return Looks(
        row,
        np.frombuffer(numbers or b"", dtype="<i4"),
        np.frombuffer(scores or b"", dtype="<f4"),
    )


def unfinished(session: Session) -> Sequence[ReviewId]:
    """Return the reviews for which it is due and held by nobody."""
    return session.scalars(select(SecondLook.review_id).where(lease.is_waiting(SECOND_LOOKS))).all()


def claim(database: Database, review_id: ReviewId) -> Held[SecondLook] | None:
    """Take the work of one stage if it is due and nobody holds it."""
    with database.write.begin() as session:
        taken = lease.take(session, SECOND_LOOKS, review_id, lasting=LEASE)
        return taken if isinstance(taken, Held) else None


def finish(database: Database, held: Held[SecondLook], values: dict[str, object]) -> bool:
    """Store and let go, if the claim is still held."""
    with database.write.begin() as session:
        row = lease.find(session, held)
        if row is None:
            return False
        row.succeed()
        row.done = held.row.asked
        for name, value in values.items():
            setattr(row, name, value)
        return True


def fail(database: Database, held: Held[SecondLook], error: Exception) -> None:
    """Let others try after a while; after the last try nobody, until somebody asks again."""
    with database.write.begin() as session:
        lease.fail(session, held, error)


def _is_due() -> ColumnElement[bool]:
    active = exists().where(Review.id == SecondLook.review_id, Review.is_active())
    return and_(active, SecondLook.asked > SecondLook.done, SecondLook.parked_at.is_(None))


def _unfinished() -> Select[*tuple[Any, ...]]:
    since = func.coalesce(SecondLook.asked_at, Review.created_at)
    is_parked = SecondLook.parked_at.is_not(None)
    name = literal("second_looks")
    return (
        select(SecondLook, Review.id, Review.id, since, is_parked, false(), name)
        .join(Review, Review.id == SecondLook.review_id)
        .where(SecondLook.asked > SecondLook.done, Review.is_active())
    )


SECOND_LOOKS = Kind(
    name="second_looks",
    model=SecondLook,
    key=(SecondLook.review_id, SecondLook.stage),
    is_due=_is_due,
    waiting=unfinished,
    unfinished=_unfinished,
)
