"""Which studies a review's reports belong to."""

from collections import defaultdict

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session, aliased

from tandem.ids import RecordNumber, ReviewId, StudyId
from tandem.records.models import Import, Record
from tandem.records.origin import FoundBy
from tandem.reports.models import Study, StudyReport


def studies_of(session: Session, review_id: ReviewId) -> dict[int, frozenset[str]]:
    """Return the ids of its studies for each report that is in one.

    By the number of the record that is shown: of linked records all of their studies.
    """
    found = defaultdict[int, set[str]](set)
    for number, study_id, _ in _rows(session, review_id):
        found[number].add(str(study_id))
    return {number: frozenset(ids) for number, ids in found.items()}


def not_sampled(session: Session, review_id: ReviewId) -> set[RecordNumber]:
    """Return the reports all of whose studies are left out of the synthesis."""
    sampled = defaultdict[RecordNumber, bool](bool)
    for number, _, is_sampled in _rows(session, review_id):
        sampled[number] |= is_sampled is not False
    return {number for number, is_used in sampled.items() if not is_used}


def in_study(study_id: StudyId) -> ColumnElement[bool]:
    """Whether a record is a report of a study, or one that is linked to it is."""
    occurrence = aliased(Record)
    return (
        select(StudyReport.study_id)
        .join(
            occurrence,
            and_(
                occurrence.review_id == StudyReport.review_id,
                occurrence.number == StudyReport.record_number,
            ),
        )
        .where(
            StudyReport.study_id == study_id,
            occurrence.review_id == Record.review_id,
            occurrence.shown_as == Record.number,
        )
        .correlate(Record)
        .exists()
    )


def came(*, found_by: FoundBy | None = None, wave: int | None = None) -> ColumnElement[bool]:
    """Whether a record, or one that is linked to it, was found in this way and in this wave."""
    occurrence = aliased(Record)
    asked = [] if found_by is None else [Import.found_by == found_by]
    asked += [] if wave is None else [Import.wave == wave]
    return (
        select(Import.id)
        .join(occurrence, occurrence.import_id == Import.id)
        .where(
            occurrence.review_id == Record.review_id,
            or_(occurrence.number == Record.number, occurrence.duplicate_of == Record.number),
            *asked,
        )
        .correlate(Record)
        .exists()
    )


def _rows(session: Session, review_id: ReviewId) -> list[tuple[RecordNumber, object, bool | None]]:
    query = (
        select(Record.shown_as, StudyReport.study_id, Study.sampled)
        .join(Study, Study.id == StudyReport.study_id)
        .join(
            Record,
            and_(
                Record.review_id == StudyReport.review_id,
                Record.number == StudyReport.record_number,
            ),
        )
        .where(StudyReport.review_id == review_id)
    )
    return [(RecordNumber(number), study, used) for number, study, used in session.execute(query)]
