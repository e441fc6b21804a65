"""Which files are read next, by whom: each by one worker at a time."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, literal, or_, select, update
from sqlalchemy.orm import Session

from tandem.db.session import Database
from tandem.ids import ReviewId
from tandem.reviews import service as reviews
from tandem.reviews.models import Review
from tandem.texts.models import TextBatchItem, TextFile, TextItemState, TextState
from tandem.texts.reading import TextProblem
from tandem.work import lease
from tandem.work.lease import Held, Kind

LEASE = timedelta(seconds=30)
"""A worker renews it while it reads, so it may be shorter than a file takes."""


def claim_next(database: Database, review_id: ReviewId) -> Held[TextFile] | None:
    """Begin to read a file of the review, the one that has waited longest; None if none is due."""
    with database.write.begin() as session:
        if not reviews.is_active(session, review_id):
            return None
        query = (
            select(TextFile.id)
            .where(TextFile.review_id == review_id, lease.is_waiting(TEXTS))
            .order_by(TextFile.created_at, TextFile.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        while (file_id := session.scalar(query)) is not None:
            taken = lease.take(session, TEXTS, file_id, lasting=LEASE)
            if isinstance(taken, Held):
                return taken  # else it was parked just now
        return None


def fail(database: Database, held: Held[TextFile], error: Exception) -> None:
    """Give a file back for another try, or park it after the last one."""
    with database.write.begin() as session:
        lease.fail(session, held, error)


def _waiting(session: Session) -> Sequence[ReviewId]:
    query = select(TextFile.review_id).where(lease.is_waiting(TEXTS)).distinct()
    return session.scalars(query).all()


def _is_due() -> ColumnElement[bool]:
    active = exists().where(Review.id == TextFile.review_id, Review.is_active())
    return and_(TextFile.state == TextState.QUEUED, active)


def _is_parked() -> ColumnElement[bool]:
    return and_(TextFile.parked_at.is_not(None), TextFile.problem == TextProblem.NOT_READ)


def _unfinished() -> Select[*tuple[Any, ...]]:
    return (
        select(
            TextFile,
            TextFile.review_id,
            TextFile.id,
            TextFile.created_at,
            _is_parked(),
            _is_parked(),
            literal("text"),
        )
        .join(Review, Review.id == TextFile.review_id)
        .where(or_(TextFile.state == TextState.QUEUED, _is_parked()), Review.is_active())
    )


def _give_up(session: Session, row: TextFile) -> None:
    row.state, row.problem = TextState.FAILED, TextProblem.NOT_READ
    waiting = (TextBatchItem.file_id == row.id, TextBatchItem.state == TextItemState.READING)
    session.execute(
        update(TextBatchItem)
        .where(*waiting)
        .values(state=TextItemState.FAILED, problem=TextProblem.NOT_READ)
        .execution_options(synchronize_session=False)
    )


TEXTS = Kind(
    name="text",
    model=TextFile,
    key=(TextFile.id,),
    is_due=_is_due,
    waiting=_waiting,
    unfinished=_unfinished,
    on_park=_give_up,
)
