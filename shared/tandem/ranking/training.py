"""Which reviews are trained next, by whom. One worker trains a review at a time."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, literal, or_, select
from sqlalchemy.orm import Session

from tandem.db.session import Database
from tandem.ids import ReviewId
from tandem.ranking.models import Training
from tandem.reviews import service as reviews
from tandem.reviews.models import PolicyVersion, Review
from tandem.reviews.policy import Stage
from tandem.work import lease
from tandem.work.lease import Held, Kind, Parked


def claim(
    database: Database,
    review_id: ReviewId,
    stage: Stage,
    *,
    lasting: timedelta,
    given_up: Callable[[], object] = lambda: None,
) -> Held[Training] | None:
    """Take the review's training if it is due and nobody holds it.

    Where it is parked instead, `given_up` is called; see `lease.take`.
    """
    with database.read() as session:
        # Each decision asks; most of them while it is held or not yet time, and a write would
        # keep decisions waiting.
        if lease.has_to_wait(session, RANKINGS, review_id, stage):
            return None
    with database.write.begin() as session:
        if not reviews.is_active(session, review_id):
            return None
        lease.ensure_row(session, RANKINGS, review_id, stage, trained_seq=0)
        taken = lease.take(session, RANKINGS, review_id, stage, lasting=lasting)
    if isinstance(taken, Parked):
        given_up()
        return None
    return taken


def finish(
    session: Session, held: Held[Training], *, labels_seq: int, not_before: datetime
) -> bool:
    """Note in the caller's transaction that all up to `labels_seq` is counted now.

    The next training begins no earlier than `not_before`.

    Returns False, and changes nothing, where the claim was lost or a newer training finished.
    """
    row = lease.find(session, held)
    if row is None or row.trained_seq >= labels_seq:
        return False
    row.succeed()
    row.trained_seq, row.not_before = labels_seq, not_before
    return True


def give_back(database: Database, held: Held[Training]) -> None:
    """Let others try at once; see `lease.give_back`."""
    with database.write.begin() as session:
        lease.give_back(session, held)


def fail(database: Database, held: Held[Training], error: Exception) -> None:
    """Let others try after a while; see `lease.fail`."""
    with database.write.begin() as session:
        lease.fail(session, held, error)


def parked(session: Session, review_id: ReviewId) -> Training | None:
    """Return the review's training if it is parked just now."""
    return session.scalars(
        select(Training).where(Training.review_id == review_id, _is_parked())
    ).first()


def stale_reviews(session: Session) -> Sequence[ReviewId]:
    """Return the reviews whose training is due and held by nobody, the stalest first."""
    return session.scalars(_stale()).all()


def is_large(session: Session, review_id: ReviewId, *, n_records: int) -> bool:
    """Return whether the review has so many records or more, and is one."""
    found = select(Review.id).where(Review.id == review_id, Review.last_record_number >= n_records)
    return session.scalar(found) is not None


def stale_and_large(
    session: Session, *, n_records: int, of: ReviewId | None = None
) -> Sequence[ReviewId]:
    """Return those of `stale_reviews`, or of one review, that have so many records or more."""
    query = _stale().where(Review.last_record_number >= n_records)
    return session.scalars(query if of is None else query.where(Review.id == of)).all()


def _stale() -> Select[ReviewId]:
    has_row = exists().where(Training.review_id == Review.id)
    waits = select(Training.review_id).where(lease.is_waiting(RANKINGS))
    return (
        select(Review.id)
        .where(
            Review.is_active(),
            or_(and_(Review.taught_seq > 0, ~has_row), Review.id.in_(waits)),
        )
        .order_by(_stale_since(), Review.id)
    )


def _stale_since() -> ColumnElement[datetime]:
    return func.coalesce(Review.stale_since, Review.created_at)


def _is_due() -> ColumnElement[bool]:
    its_review = (Review.id == Training.review_id, Review.is_active())
    wanted = select(Review.taught_seq).where(*its_review).correlate(Training).scalar_subquery()
    return and_(
        Training.trained_seq < wanted, or_(Training.parked_at.is_(None), _has_reason_to_go_on())
    )


def _is_parked() -> ColumnElement[bool]:
    return and_(Training.parked_at.is_not(None), ~_has_reason_to_go_on())


def _has_reason_to_go_on() -> ColumnElement[bool]:
    """Whether what a parked training may have failed at has changed: the records, or the policy."""
    its_review = select(Review.corpus_seq).where(Review.id == Training.review_id)
    texts = its_review.correlate(Training).scalar_subquery()
    newer_policy = exists().where(
        PolicyVersion.review_id == Training.review_id,
        PolicyVersion.created_at > Training.parked_at,
    )
    return or_(Training.parked_corpus_seq < texts, newer_policy)


def _note_texts(session: Session, row: Training) -> None:
    row.parked_corpus_seq = session.get_one(Review, row.review_id).corpus_seq


def _unfinished() -> Select[*tuple[Any, ...]]:
    is_parked = and_(Training.review_id.is_not(None), _is_parked())
    return (
        select(
            Training, Review.id, Review.id, _stale_since(), is_parked, false(), literal("ranking")
        )
        .outerjoin(Training, Training.review_id == Review.id)
        .where(
            Review.taught_seq > 0,
            Review.is_active(),
            or_(Training.review_id.is_(None), Training.trained_seq < Review.taught_seq),
        )
    )


RANKINGS = Kind(
    name="ranking",
    model=Training,
    key=(Training.review_id, Training.stage),
    is_due=_is_due,
    waiting=stale_reviews,
    unfinished=_unfinished,
    on_park=_note_texts,
)
