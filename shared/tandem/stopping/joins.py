"""Which rows belong together in what stopping asks of the database."""

from sqlalchemy import ColumnElement, and_

from tandem.ids import ReviewId
from tandem.records.models import Record
from tandem.reviews.policy import Stage
from tandem.screening.models import ScreenedRecord


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
