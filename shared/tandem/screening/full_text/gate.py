"""Who may say something of a record at full text: it has come so far, now or once."""

from sqlalchemy import and_, bindparam, or_, select
from sqlalchemy.orm import Session

from tandem.errors import Conflict as Contradiction
from tandem.records.models import Record
from tandem.records.origin import NotScreened
from tandem.reviews.policy import Stage
from tandem.screening.ledger.state import RecordKey, screenable
from tandem.screening.models import ScreenedRecord


class NotAtThisStage(Contradiction):
    """The record never came to full text."""

    code = "not_at_this_stage"


def require_reached(session: Session, key: RecordKey) -> None:
    """Raise unless the record is at full text, or was and may come back.

    For the other stage nothing is asked. What is said of a record that is not there now is kept,
    and counts when it comes back. Depends on nothing that is hidden from the blinded.

    Raises:
        NotFound: The review has no such record.
        IsDuplicate: It is shown as another record; that one is to be used.
        NotAtThisStage: It never came to full text.
    """
    if key.stage is not Stage.FULL_TEXT:
        return
    at = {"review_id": key.review_id, "number": key.record_number}
    if not session.scalar(_HAS_ADVANCED, at):
        screenable(session, key)
        raise NotAtThisStage(
            f"Record {key.record_number} is not at full text. It gets there when title and "
            "abstract include it, with all decisions that the policy asks for."
        )


_HAS_ADVANCED = (
    select(or_(ScreenedRecord.has_advanced, Record.not_screened_because == NotScreened.FULL_TEXT))
    .select_from(Record)
    .outerjoin(
        ScreenedRecord,
        and_(
            ScreenedRecord.review_id == Record.review_id,
            ScreenedRecord.stage == Stage.TITLE_ABSTRACT,
            ScreenedRecord.record_number == Record.number,
        ),
    )
    .where(Record.review_id == bindparam("review_id"), Record.number == bindparam("number"))
)
