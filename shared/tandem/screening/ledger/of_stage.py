"""Loads the states of a whole stage, or of many of its records: what is decided, by number."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator

from sqlalchemy import ColumnElement, SQLColumnExpression, select
from sqlalchemy.orm import Session, load_only

from tandem.db.pieces import pieces
from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.reviews.policy import Stage
from tandem.screening.ledger.loading import IS_ACTIVE
from tandem.screening.ledger.state import RecordKey, RecordState
from tandem.screening.models import (
    Conflict,
    Decision,
    PresentDecision,
    Resolution,
    ScreenedRecord,
)

_AT_ONCE = 2000
"""Records whose votes are in memory at once."""

_Which = Callable[[SQLColumnExpression[RecordNumber]], ColumnElement[bool]]


def load_stage(session: Session, review_id: ReviewId, stage: Stage) -> Iterator[RecordState]:
    """Yield the state of every record that anybody has decided in the stage, by number."""
    query = (
        select(ScreenedRecord.record_number)
        .where(ScreenedRecord.review_id == review_id, ScreenedRecord.stage == stage)
        .order_by(ScreenedRecord.record_number)
    )
    numbers = session.scalars(query).all()
    for start in range(0, len(numbers), _AT_ONCE):
        first, last = numbers[start], numbers[start : start + _AT_ONCE][-1]
        yield from _states(session, review_id, stage, _between(first, last))


def load_many(
    session: Session, review_id: ReviewId, stage: Stage, numbers: Collection[RecordNumber]
) -> Iterator[RecordState]:
    """Yield the states of these records as far as anybody has decided them, by number."""
    for piece in pieces(sorted(numbers)):
        yield from _states(session, review_id, stage, lambda number: number.in_(piece))  # noqa: B023  # used up at once


def _between(first: RecordNumber, last: RecordNumber) -> _Which:
    return lambda number: number.between(first, last)


def _states(
    session: Session, review_id: ReviewId, stage: Stage, which: _Which
) -> Iterator[RecordState]:
    """Yield states in four queries. Their votes have what an outcome depends on, no texts."""
    votes: dict[RecordNumber, dict[UserId, Decision]] = defaultdict(dict)
    cast = (
        select(Decision)
        .join(PresentDecision, PresentDecision.decision_id == Decision.id)
        .options(load_only(*_OF_VOTES))
        .where(
            PresentDecision.review_id == review_id,
            PresentDecision.stage == stage,
            which(PresentDecision.record_number),
        )
        .order_by(Decision.labels_seq)
    )
    for vote in session.scalars(cast):
        votes[vote.record_number][vote.reviewer_id] = vote

    active = select(Resolution).where(
        Resolution.review_id == review_id,
        Resolution.stage == stage,
        which(Resolution.record_number),
        IS_ACTIVE,
    )
    resolutions = {row.record_number: row for row in session.scalars(active)}
    differing = select(Conflict).where(
        Conflict.review_id == review_id, Conflict.stage == stage, which(Conflict.record_number)
    )
    conflicts = {row.record_number: row for row in session.scalars(differing)}
    rows = (
        select(ScreenedRecord)
        .where(
            ScreenedRecord.review_id == review_id,
            ScreenedRecord.stage == stage,
            which(ScreenedRecord.record_number),
        )
        .order_by(ScreenedRecord.record_number)
    )
    for row in session.scalars(rows).all():
        number = row.record_number
        key = RecordKey(review_id, stage, number)
        yield RecordState.of(
            key, votes.get(number, {}), resolutions.get(number), conflicts.get(number), row
        )


_OF_VOTES = (
    Decision.record_number,
    Decision.reviewer_id,
    Decision.labels_seq,
    Decision.verdict,
    Decision.reasons,
    Decision.classification,
    Decision.carried_from,
)
