"""Asking which excludes look like includes, who works it out, and what came out.

Trainings are not made longer by it: it is worked out when somebody asks, by a task of its own,
`looking_again.make`. The database says what is due, so a message or a worker that gets lost costs
a sweep of the relay. Nothing here loads machine learning.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session

from tandem.db import leases
from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import ReviewId
from tandem.ranking.models import SecondLook
from tandem.reviews.models import Review
from tandem.reviews.policy import Stage

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


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to bring one answer. It is lost when another fence is given out."""

    review_id: ReviewId
    stage: Stage
    fence: int
    asked: int


def ask(session: Session, review: Review, stage: Stage) -> SecondLook:
    """Make it due, unless it is already. The caller has locked the review."""
    row = session.get(SecondLook, (review.id, stage))
    if row is None:
        row = SecondLook(review_id=review.id, stage=stage, asked=0, done=0, fence=0)
        session.add(row)
    row.asked, row.asked_at = row.done + 1, now()
    if row.parked_at is not None:
        row.try_anew()
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
    return session.scalars(select(SecondLook.review_id).where(*_is_due())).all()


def claim(database: Database, review_id: ReviewId) -> Claim | None:
    """Take the work if it is due and nobody holds it."""
    with database.write.begin() as session:
        row = session.scalars(
            select(SecondLook)
            .where(SecondLook.review_id == review_id, *_is_due())
            .with_for_update()
        ).first()
        if row is None:
            return None
        if row.is_used_up:
            row.park()
            return None
        row.begin_try(lasting=LEASE)
        return Claim(review_id, row.stage, row.fence, row.asked)


def renewed(database: Database, held: Claim) -> AbstractContextManager[None]:
    """Keep the claim from running out while the block works."""
    return leases.renewed(database, SecondLook, *_mine(held), lasting=LEASE)


def finish(database: Database, held: Claim, values: dict[str, object]) -> bool:
    """Store and let go, if the claim is still held."""
    with database.write.begin() as session:
        row = _hold(session, held)
        if row is None:
            return False
        row.succeed()
        for name, value in values.items():
            setattr(row, name, value)
        return True


def fail(database: Database, held: Claim, error: Exception) -> None:
    """Let others try after a while; after the last try nobody, until somebody asks again."""
    with database.write.begin() as session:
        row = _hold(session, held)
        if row is not None:
            row.fail_try(error)


def try_anew(session: Session, review_id: ReviewId) -> None:
    """Forget failed tries, and take up what was parked. The caller has locked the review."""
    for row in session.scalars(select(SecondLook).where(SecondLook.review_id == review_id)):
        row.try_anew()


def _hold(session: Session, held: Claim) -> SecondLook | None:
    query = select(SecondLook).where(*_mine(held)).with_for_update()
    return session.scalars(query).one_or_none()


def _mine(held: Claim) -> tuple[ColumnElement[bool], ...]:
    return (
        SecondLook.review_id == held.review_id,
        SecondLook.stage == held.stage,
        SecondLook.fence == held.fence,
    )


def _is_due() -> tuple[ColumnElement[bool], ...]:
    moment = now()
    active = exists().where(Review.id == SecondLook.review_id, Review.is_active())
    return (
        active,
        SecondLook.asked > SecondLook.done,
        SecondLook.parked_at.is_(None),
        or_(SecondLook.lease_until.is_(None), SecondLook.lease_until < moment),
        or_(SecondLook.not_before.is_(None), SecondLook.not_before <= moment),
    )
