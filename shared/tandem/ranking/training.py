"""Who trains: one claim per review, taken, renewed and lost in the database.

The broker's message is only a hint. Whatever gets lost or killed, the review's row says that
a training is due, and a fence keeps a late worker from overwriting a newer order.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from tandem.db import leases
from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import ReviewId
from tandem.log import logger
from tandem.ranking.models import Training
from tandem.reviews import service as reviews
from tandem.reviews.models import PolicyVersion, Review
from tandem.reviews.policy import Stage

_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to finish one training. It is lost when another fence is given out."""

    review_id: ReviewId
    stage: Stage
    fence: int


def claim(
    database: Database,
    review_id: ReviewId,
    stage: Stage,
    *,
    lasting: timedelta,
    given_up: Callable[[], object] = lambda: None,
) -> Claim | None:
    """Take the review's training if it is due and nobody holds it.

    Where all tries have failed, the last one by a worker that died of it, it is parked instead,
    and `given_up` is called.
    """
    with database.read() as session:
        # Each decision asks; most of them while it is held or not yet time, and a write would
        # keep decisions waiting.
        if _has_to_wait(session, review_id, stage):
            return None
    with database.write.begin() as session:
        if not reviews.is_active(session, review_id):
            return None
        _ensure_row(session, review_id, stage)
        row = session.scalars(
            select(Training)
            .where(Training.review_id == review_id, Training.stage == stage, *_is_due())
            .with_for_update()
        ).one_or_none()
        if row is None:
            return None
        if not row.is_used_up:
            row.begin_try(lasting=lasting)
            return Claim(review_id, stage, row.fence)
        _park(session, row)
    given_up()
    return None


def finish(session: Session, held: Claim, *, labels_seq: int, not_before: datetime) -> bool:
    """Note in the caller's transaction that all up to `labels_seq` is counted now.

    The next training begins no earlier than `not_before`.

    Returns False, and changes nothing, where the claim was lost or a newer training finished.
    """
    done = session.execute(
        update(Training)
        .where(*_mine(held), Training.trained_seq < labels_seq)
        .values(
            trained_seq=labels_seq,
            lease_until=None,
            not_before=not_before,
            attempts=0,
            cause=None,
        )
        .returning(Training.fence)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    return done is not None


def release(database: Database, held: Claim) -> None:
    """Let others try at once: this worker has to stop, which is no fault of the training."""
    with database.write.begin() as session:
        session.execute(
            update(Training)
            .where(*_mine(held))
            .values(lease_until=None, not_before=None, attempts=Training.attempts - 1)
            .execution_options(synchronize_session=False)
        )


def fail(database: Database, held: Claim, error: Exception) -> None:
    """Let others try after a while, or nobody any more where this was the last try."""
    with database.write.begin() as session:
        row = session.scalars(select(Training).where(*_mine(held)).with_for_update()).one_or_none()
        if row is not None:
            row.fail_try(error)
            if row.parked_at is not None:
                _park(session, row)


def try_anew(session: Session, review_id: ReviewId) -> None:
    """Forget failed tries, and take up what was parked. The caller has locked the review."""
    for row in session.scalars(
        select(Training).where(Training.review_id == review_id).with_for_update()
    ):
        row.try_anew()


def parked(session: Session, review_id: ReviewId) -> Training | None:
    """Return the review's training if it is parked just now."""
    return session.scalars(
        select(Training).where(Training.review_id == review_id, is_parked())
    ).first()


def is_parked() -> ColumnElement[bool]:
    return and_(Training.parked_at.is_not(None), ~_has_reason_to_go_on())


def stale_reviews(session: Session) -> Sequence[ReviewId]:
    """Return the reviews whose training is due and held by nobody."""
    never_trained = (
        select(Review.id)
        .where(Review.labels_seq > 0, Review.is_active())
        .where(~select(Training.fence).where(Training.review_id == Review.id).exists())
    )
    due = select(Training.review_id).where(*_is_due())
    return [*session.scalars(never_trained), *session.scalars(due)]


def waits_longer(session: Session, than: ReviewId, *, n_records: int) -> bool:
    """Whether another review of so many records or more is due, held by nobody, and staler."""
    stale_since = func.coalesce(Review.stale_since, Review.created_at)
    never_trained = ~select(Training.fence).where(Training.review_id == Review.id).exists()
    due = select(Training.review_id).where(*_is_due())
    staler = exists().where(
        Review.id != than,
        Review.last_record_number >= n_records,
        Review.labels_seq > 0,
        Review.is_active(),
        or_(never_trained, Review.id.in_(due)),
        stale_since < session.scalar(select(stale_since).where(Review.id == than)),
    )
    return bool(session.scalar(select(staler)))


def renewed(database: Database, held: Claim, *, lasting: timedelta) -> AbstractContextManager[None]:
    """Keep the claim from running out while the block works."""
    return leases.renewed(database, Training, *_mine(held), lasting=lasting)


def _park(session: Session, row: Training) -> None:
    row.park()
    row.parked_corpus_seq = session.get_one(Review, row.review_id).corpus_seq
    _log.error(
        "training parked; see GET /api/v1/jobs", review_id=str(row.review_id), cause=row.cause
    )


def _has_reason_to_go_on() -> ColumnElement[bool]:
    """Whether what a parked training may have failed at has changed: the records, or the policy."""
    texts = select(Review.corpus_seq).where(Review.id == Training.review_id).scalar_subquery()
    newer_policy = exists().where(
        PolicyVersion.review_id == Training.review_id,
        PolicyVersion.created_at > Training.parked_at,
    )
    return or_(Training.parked_corpus_seq < texts, newer_policy)


def _ensure_row(session: Session, review_id: ReviewId, stage: Stage) -> None:
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = {"review_id": review_id, "stage": stage, "trained_seq": 0, "fence": 0}
    session.execute(insert(Training).values(values).on_conflict_do_nothing())


def _is_due() -> tuple[ColumnElement[bool], ...]:
    its_review = (Review.id == Training.review_id, Review.is_active())
    wanted = select(Review.labels_seq).where(*its_review).scalar_subquery()
    moment = now()
    is_of_the_future = Training.is_of_the_future(moment)
    return (
        Training.trained_seq < wanted,
        or_(Training.lease_until.is_(None), Training.lease_until < moment, is_of_the_future),
        or_(Training.not_before.is_(None), Training.not_before <= moment, is_of_the_future),
        or_(Training.parked_at.is_(None), _has_reason_to_go_on()),
    )


def _has_to_wait(session: Session, review_id: ReviewId, stage: Stage) -> bool:
    row = (Training.review_id == review_id, Training.stage == stage)
    is_known, is_due = (
        session.scalar(select(exists().where(*conditions)))
        for conditions in (row, (*row, *_is_due()))
    )
    return bool(is_known and not is_due)


def _mine(held: Claim) -> tuple[ColumnElement[bool], ...]:
    return (
        Training.review_id == held.review_id,
        Training.stage == held.stage,
        Training.fence == held.fence,
    )
