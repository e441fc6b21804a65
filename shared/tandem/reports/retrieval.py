"""Saying how far the retrieval of a full text is."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.errors import Invalid
from tandem.events import log
from tandem.events.screening_types import ReportRetrievalChanged
from tandem.ids import RecordNumber
from tandem.records.models import Record
from tandem.reports.facts import load_retrievals
from tandem.reviews.models import LockedReview, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.full_text.models import Retrieval, RetrievalState, Via
from tandem.screening.full_text.population import require_reached
from tandem.screening.ledger.loading import screenable
from tandem.screening.ledger.state import RecordKey


def append_retrieval(
    session: Session,
    *,
    review: LockedReview,
    viewer: Viewer,
    number: RecordNumber,
    state: RetrievalState,
    via: Via | None = None,
    note: str | None = None,
) -> bool:
    """Say how far the retrieval of a report is; return whether that is new.

    Earlier entries are kept. The entry holds for the records that are linked to it, too: split
    again, each of them has it.

    Raises:
        NotFound: The review has no such record.
        IsDuplicate: Another record is screened in its place.
        NotAtThisStage: It never came to full text.
        Forbidden: An observer says nothing.
        Invalid: `not_retrieved` without a note.
    """
    viewer.require(Role.REVIEWER, "say how far a retrieval is")
    key = RecordKey(review.id, Stage.FULL_TEXT, number)
    screenable(session, key)
    require_reached(session, key)
    if state is RetrievalState.NOT_RETRIEVED and not (note or "").strip():
        raise Invalid("Say in a note where you looked for it: it is reported.", field="note")
    before = load_retrievals(session, review.id, [number]).get(number)
    if before is not None and (before.state, before.via, before.note) == (state, via, note):
        return False
    numbers = [number, *_linked_to(session, review, number)]
    detail = {
        "by": str(viewer.user_id),
        "from": None if before is None else before.state,
        "note": note,
        "numbers": numbers,
    }
    fact = ReportRetrievalChanged(record_id=str(number), state=state, via=via, detail=detail)
    log.append(session, review, fact)
    moment = now()
    session.add_all(
        Retrieval(
            review_id=review.id,
            record_number=one,
            seq=review.last_seq,
            state=state,
            via=via,
            note=note,
            by_id=viewer.user_id,
            created_at=moment,
        )
        for one in numbers
    )
    session.flush()
    return True


def _linked_to(session: Session, review: LockedReview, number: RecordNumber) -> list[RecordNumber]:
    query = select(Record.number).where(
        Record.review_id == review.id, Record.duplicate_of == number
    )
    return sorted(session.scalars(query))
