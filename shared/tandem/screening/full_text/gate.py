"""Who may say something of a record at full text: it has come so far, now or once."""

from collections.abc import Sequence

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from tandem.errors import Conflict as Contradiction
from tandem.errors import Invalid
from tandem.records.models import Record
from tandem.reviews.policy import Stage
from tandem.screening.full_text.population import has_reached
from tandem.screening.ledger.loading import screenable
from tandem.screening.ledger.state import RecordKey
from tandem.screening.rules import Classification, Verdict


class NotAtThisStage(Contradiction):
    """The record never came to full text."""

    code = "not_at_this_stage"


class ReasonRequired(Invalid):
    """An exclusion of a full text needs a reason: the flow reports one for each."""

    code = "reason_required"


def require_complete(
    stage: Stage, verdict: Verdict, reasons: Sequence[str], classification: Classification | None
) -> None:
    """Raise unless a verdict comes with what its stage asks for.

    Raises:
        ReasonRequired: It excludes a full text, and no reason is given.
        Invalid: A classification goes with another verdict, or another stage.
    """
    excludes, at_full_text = verdict is Verdict.EXCLUDE, stage is Stage.FULL_TEXT
    if at_full_text and excludes and not reasons:
        raise ReasonRequired(
            "Give at least one reason: who excludes a full text says why, and it is reported.",
            field="reasons",
        )
    if classification is not None and (excludes or not at_full_text):
        raise Invalid(
            "Only who includes a full text, or says maybe, classifies it.", field="classification"
        )


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
