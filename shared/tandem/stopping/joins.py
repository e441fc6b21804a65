"""Which rows belong together in what stopping asks of the database."""

from collections.abc import Sequence
from typing import TypeVarTuple

from sqlalchemy import ColumnElement, CompoundSelect, Row, Select, and_, select, union_all
from sqlalchemy.orm import Session

from tandem.ids import RecordNumber, ReviewId
from tandem.records.models import Record
from tandem.reviews.policy import Stage
from tandem.screening.models import ScreenedRecord
from tandem.screening.rules import Status

_Ts = TypeVarTuple("_Ts")


def plain_rows(session: Session, query: Select[*_Ts]) -> Sequence[Row[*_Ts]]:
    """Return rows of columns without the session's bookkeeping, which doubles their time."""
    session.flush()
    return session.connection().execute(query).all()


def is_shown(review_id: ReviewId) -> ColumnElement[bool]:
    """Whether a record is the review's, and one that is screened."""
    return and_(Record.review_id == review_id, Record.is_in_screening())


def is_screened(stage: Stage) -> ColumnElement[bool]:
    """Whether a ScreenedRecord is that of a Record in the stage."""
    return and_(
        ScreenedRecord.review_id == Record.review_id,
        ScreenedRecord.stage == stage,
        ScreenedRecord.record_number == Record.number,
    )


def no_longer_shown(
    session: Session, review_id: ReviewId, stage: Stage
) -> dict[RecordNumber, Status]:
    """Return the records that somebody decided and that are not screened any more, by number.

    They are few. To take them out of a count is much faster than to look at each record that is
    counted: that reads the titles and abstracts of all.
    """
    query = select(ScreenedRecord.record_number, ScreenedRecord.status).where(
        ScreenedRecord.review_id == review_id,
        ScreenedRecord.stage == stage,
        ScreenedRecord.record_number.in_(hidden_numbers(review_id)),
    )
    return dict(session.execute(query).all())


def hidden_numbers(review_id: ReviewId) -> CompoundSelect[RecordNumber]:
    """The numbers of the review's records that are linked to another one, or left out."""
    of_review = Record.review_id == review_id
    return union_all(
        select(Record.number).where(of_review, Record.duplicate_of.is_not(None)),
        select(Record.number).where(of_review, Record.not_screened_because.is_not(None)),
    )
