"""Which rows belong together in what stopping asks of the database."""

from collections.abc import Sequence
from typing import TypeVarTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, CompoundSelect, Row, Select, and_
from sqlalchemy.orm import Session

from tandem.ids import RecordNumber, ReviewId
from tandem.records.models import Record
from tandem.reviews.policy import Stage
from tandem.screening.models import ScreenedRecord

_Ts = TypeVarTuple("_Ts")


def plain_rows(session: Session, query: Select[*_Ts] | CompoundSelect[*_Ts]) -> Sequence[Row[*_Ts]]:
    """Return rows of columns without the session's bookkeeping, which doubles their time."""
    session.flush()
    return session.connection().execute(query).all()


def numbers_of(
    session: Session, query: Select[RecordNumber] | CompoundSelect[RecordNumber]
) -> NDArray[np.int64]:
    """Return the record numbers that a query finds."""
    rows = plain_rows(session, query)
    return np.fromiter((one for (one,) in rows), dtype=np.int64, count=len(rows))


def in_screening(review_id: ReviewId) -> ColumnElement[bool]:
    """Whether a record is the review's, and one that is screened."""
    return and_(Record.review_id == review_id, Record.is_in_screening)


def is_screened(stage: Stage) -> ColumnElement[bool]:
    """Whether a ScreenedRecord is that of a Record in the stage."""
    return and_(
        ScreenedRecord.review_id == Record.review_id,
        ScreenedRecord.stage == stage,
        ScreenedRecord.record_number == Record.number,
    )
