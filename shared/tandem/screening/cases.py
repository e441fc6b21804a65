"""Many records of a stage, each with what its status is derived from, in few queries."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import ColumnElement, SQLColumnExpression, select, true
from sqlalchemy.orm import Session

from tandem.db.pieces import pieces
from tandem.ids import RecordNumber, ReviewId
from tandem.reviews.policy import Stage
from tandem.screening.following import Case
from tandem.screening.models import (
    Conflict,
    Decision,
    PresentDecision,
    Resolution,
    ScreenedRecord,
)
from tandem.screening.rules import Vote

_Which = Callable[[SQLColumnExpression[RecordNumber]], ColumnElement[bool]]


def of_stage(session: Session, review_id: ReviewId, stage: Stage) -> Iterator[Case]:
    """Yield every record that anybody has decided, by number: four queries for any number."""
    return _cases(session, review_id, stage, lambda _: true())


def of(
    session: Session, review_id: ReviewId, stage: Stage, numbers: Sequence[RecordNumber]
) -> Iterator[Case]:
    """Yield these records as far as anybody has decided them, in their order by pieces."""
    for piece in pieces(numbers):
        yield from _cases(session, review_id, stage, lambda number: number.in_(piece))  # noqa: B023  # used up at once


def _cases(session: Session, review_id: ReviewId, stage: Stage, which: _Which) -> Iterator[Case]:
    votes: dict[RecordNumber, list[Vote]] = defaultdict(list)
    cast = (
        select(PresentDecision.record_number, Decision.verdict, Decision.reasons)
        .join(Decision, Decision.id == PresentDecision.decision_id)
        .where(
            PresentDecision.review_id == review_id,
            PresentDecision.stage == stage,
            which(PresentDecision.record_number),
        )
    )
    for number, verdict, reasons in session.execute(cast):
        if verdict is not None:
            votes[number].append(Vote(verdict, tuple(reasons)))
    standing = select(Resolution).where(
        Resolution.review_id == review_id,
        Resolution.stage == stage,
        which(Resolution.record_number),
        Resolution.is_set_aside.is_(False),
        Resolution.taken_back_at.is_(None),
    )
    resolutions = {row.record_number: row for row in session.scalars(standing)}
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
        yield Case(row, conflicts.get(number), votes.get(number, ()), resolutions.get(number))
