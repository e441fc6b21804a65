"""What the tables say of a review's records, as the flow needs it."""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.ids import ReviewId
from tandem.records.models import Import, Record, Removal
from tandem.reporting.assembling import Came, Source, assemble
from tandem.reporting.facts import Occurrence, RecordFacts
from tandem.reports.facts import load_facts
from tandem.reports.membership import studies_of
from tandem.reviews.policy import Stage
from tandem.reviews.service import get_review
from tandem.screening.models import ScreenedRecord
from tandem.stopping.audit_queries import frames_certified

_PAGE = 5000


def facts(session: Session, review_id: ReviewId) -> list[RecordFacts]:
    """Return the facts of each record of a review that is not linked, whatever anybody may see."""
    statuses = select(ScreenedRecord.record_number, ScreenedRecord.status).where(
        ScreenedRecord.review_id == review_id, ScreenedRecord.stage == Stage.TITLE_ABSTRACT
    )
    removals = select(Removal.record_number, Removal.kind).where(Removal.review_id == review_id)
    reports = load_facts(session, get_review(session, review_id))
    return assemble(
        Source(
            came=_came(session, review_id),
            statuses=dict(session.execute(statuses).all()),
            removals=dict(session.execute(removals).all()),
            certified=frames_certified(session, review_id, Stage.TITLE_ABSTRACT),
            studies=studies_of(session, review_id),
            reports={int(number): of for number, of in reports.items()},
        )
    )


def _came(session: Session, review_id: ReviewId) -> Iterator[Came]:
    """Yield each record. What its import says of it is read once, not with each row."""
    imports = select(
        Import.id, Import.found_by, Import.source, Import.wave, Import.starts_at
    ).where(Import.review_id == review_id)
    said = {row.id: row[1:] for row in session.execute(imports)}
    query = (
        select(Record.number, Record.duplicate_of, Record.import_id)
        .where(Record.review_id == review_id)
        .order_by(Record.number)
        .execution_options(yield_per=_PAGE)
    )
    for number, shown, file in session.execute(query):
        yield Came(Occurrence(number, *said[file]), shown or number)
