"""Who may say something of a record at full text: it has come so far, now or once."""

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from tandem.errors import Conflict as Contradiction
from tandem.records.models import Record
from tandem.reviews.policy import Stage
from tandem.screening.full_text.population import has_reached
from tandem.screening.ledger.loading import screenable
from tandem.screening.ledger.state import RecordKey


class NotAtThisStage(Contradiction):
    """The record never came to full text."""

    code = "not_at_this_stage"


def require_reached(session: Session, key: RecordKey) -> None:
    """Raise unless the record is at full text, or was and may come back.

    The other stage needs nothing. An entry for a record that is not there now is kept,
    and counts when it comes back. Depends on nothing that is hidden from the blinded.

    Raises:
        NotFound: The review has no such record.
        IsDuplicate: It is shown as another record; that one is to be used.
        NotAtThisStage: It never came to full text.
    """
    if key.stage is not Stage.FULL_TEXT:
        return
    at = {"review_id": key.review_id, "number": key.record_number}
    if not session.scalar(_HAS_REACHED, at):
        screenable(session, key)
        raise NotAtThisStage(
            f"Record {key.record_number} is not at full text. It gets there when title and "
            "abstract include it, with all decisions that the policy asks for."
        )


_HAS_REACHED = select(Record.number).where(
    Record.review_id == bindparam("review_id"), Record.number == bindparam("number"), has_reached()
)
