"""A file that is not of the report that it was placed at: it goes, and so does what it said."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.ids import RecordNumber, TextId
from tandem.records.models import Record
from tandem.reports.facts import load_retrievals
from tandem.reports.retrieval import append_retrieval
from tandem.reviews.models import LockedReview
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.full_text.models import Retrieval, RetrievalState, Via
from tandem.screening.ledger.loading import load
from tandem.screening.ledger.state import RecordKey
from tandem.texts import service


def take_away(session: Session, *, review: LockedReview, viewer: Viewer, text_id: TextId) -> None:
    """Take a text from a report that it is not of.

    The report is retrieved no more where nothing but this file said so, and nobody has assessed it.

    Raises:
        NotFound, Forbidden: As `service.remove` does.
    """
    number = service.get(session, viewer=viewer, text_id=text_id).report
    service.remove(session, review=review, viewer=viewer, text_id=text_id)
    if _is_retrieved_by_files(session, review, number) and not _has_text(session, review, number):
        before = _before(session, review, number)
        append_retrieval(
            session,
            review=review,
            viewer=viewer,
            number=number,
            state=RetrievalState.SOUGHT if before is None else before.state,
            via=None if before is None else before.via,
            note=None if before is None else before.note,
        )


def _is_retrieved_by_files(session: Session, review: LockedReview, number: RecordNumber) -> bool:
    key = RecordKey(review.id, Stage.FULL_TEXT, number)
    entry = load_retrievals(session, review.id, [number]).get(number)
    by_file = entry is not None and (entry.state, entry.via) == (
        RetrievalState.RETRIEVED,
        Via.UPLOAD,
    )
    return by_file and load(session, key).row is None


def _has_text(session: Session, review: LockedReview, number: RecordNumber) -> bool:
    found = service.of_reports(session, review.id, [number])[number]
    return any(one.text.kind in service.MEANS_RETRIEVED for one in found)


def _before(session: Session, review: LockedReview, number: RecordNumber) -> Retrieval | None:
    """Return the newest entry that is not of a file: of the record, or of one linked to it."""
    query = (
        select(Retrieval)
        .join(
            Record,
            (Record.review_id == Retrieval.review_id) & (Record.number == Retrieval.record_number),
        )
        .where(
            Retrieval.review_id == review.id,
            (Record.number == number) | (Record.duplicate_of == number),
            Retrieval.via.is_distinct_from(Via.UPLOAD),
        )
        .order_by(Retrieval.seq.desc())
    )
    return session.scalars(query.limit(1)).first()
