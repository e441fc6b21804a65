"""Who trains: one claim per review, taken, renewed and lost in the database.

The broker's message is only a hint. Whatever gets lost or killed, the review's row says that
a training is due, and a fence keeps a late worker from overwriting a newer order.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import ReviewId
from tandem.log import logger
from tandem.ranking.models import Training
from tandem.reviews.models import Review
from tandem.reviews.policy import Stage

_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to finish one training. It is lost when another fence is given out."""

    review_id: ReviewId
    stage: Stage
    fence: int


def claim(
    database: Database, review_id: ReviewId, stage: Stage, *, lasting: timedelta
) -> Claim | None:
    """Take the review's training if it is due and nobody holds it."""
    with database.write.begin() as session:
        _ensure_row(session, review_id, stage)
        fence = session.execute(
            update(Training)
            .where(Training.review_id == review_id, Training.stage == stage, *_is_due())
            .values(fence=Training.fence + 1, lease_until=now() + lasting)
            .returning(Training.fence)
            .execution_options(synchronize_session=False)
        ).scalar_one_or_none()
    return None if fence is None else Claim(review_id, stage, fence)


def finish(session: Session, held: Claim, *, labels_seq: int, pause: timedelta) -> bool:
    """Note in the caller's transaction that all up to `labels_seq` is counted now.

    Returns False, and changes nothing, where the claim was lost or a newer training finished.
    """
    done = session.execute(
        update(Training)
        .where(*_mine(held), Training.trained_seq < labels_seq)
        .values(trained_seq=labels_seq, lease_until=None, not_before=now() + pause)
        .returning(Training.fence)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    return done is not None


def release(database: Database, held: Claim) -> None:
    """Let others try at once, after a failure."""
    with database.write.begin() as session:
        session.execute(
            update(Training)
            .where(*_mine(held))
            .values(lease_until=None)
            .execution_options(synchronize_session=False)
        )


def stale_reviews(session: Session) -> Sequence[ReviewId]:
    """Return the reviews whose training is due and held by nobody."""
    never_trained = (
        select(Review.id)
        .where(Review.labels_seq > 0)
        .where(~select(Training.fence).where(Training.review_id == Review.id).exists())
    )
    due = select(Training.review_id).where(*_is_due())
    return [*session.scalars(never_trained), *session.scalars(due)]


@contextmanager
def renewed(database: Database, held: Claim, *, lasting: timedelta) -> Iterator[None]:
    """Keep the claim from running out while the block works."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(lasting.total_seconds() / 3):
            try:
                with database.write.begin() as session:
                    session.execute(
                        update(Training)
                        .where(*_mine(held))
                        .values(lease_until=now() + lasting)
                        .execution_options(synchronize_session=False)
                    )
            except OperationalError as error:
                # If it lasts, the lease runs out and the fence decides; nothing else to do.
                _log.warning("could not renew the training's lease", error=str(error))

    thread = threading.Thread(target=renew, name="renew-training-lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _ensure_row(session: Session, review_id: ReviewId, stage: Stage) -> None:
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = {"review_id": review_id, "stage": stage, "trained_seq": 0, "fence": 0}
    session.execute(insert(Training).values(values).on_conflict_do_nothing())


def _is_due() -> tuple[ColumnElement[bool], ...]:
    wanted = select(Review.labels_seq).where(Review.id == Training.review_id).scalar_subquery()
    moment = now()
    return (
        Training.trained_seq < wanted,
        or_(Training.lease_until.is_(None), Training.lease_until < moment),
        or_(Training.not_before.is_(None), Training.not_before <= moment),
    )


def _mine(held: Claim) -> tuple[ColumnElement[bool], ...]:
    return (
        Training.review_id == held.review_id,
        Training.stage == held.stage,
        Training.fence == held.fence,
    )
