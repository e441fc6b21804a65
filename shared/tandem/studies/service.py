"""Studies: groups of reports that people make, change and undo. Grouping changes no vote."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.db.keyset import Cursor, Slice, keyset_of_one
from tandem.db.pieces import pieces
from tandem.errors import NotFound
from tandem.events import log
from tandem.events.types import StudyGrouped, StudySampled, StudySplit
from tandem.ids import RecordNumber, ReviewId, StudyId, new_id
from tandem.records.models import Record
from tandem.reports.facts import visible_reports
from tandem.reports.listing import NoReport
from tandem.reports.models import Study, StudyReport
from tandem.reports.rules import Standing, standing
from tandem.reviews import service as reviews
from tandem.reviews.models import LockedReview, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.blinding.view import is_unblinded

_OUT = (Standing.EXCLUDED,)
_IN = (Standing.INCLUDED, Standing.ELIGIBLE_NOT_SAMPLED)


@dataclass(frozen=True, slots=True)
class ShownStudy:
    """A study with its reports, by the numbers of the records that are shown now.

    `is_mixed`: as far as the viewer may see, one report is included and another one excluded.
    """

    row: Study
    reports: Sequence[RecordNumber]
    primary: RecordNumber | None
    is_mixed: bool
    sees_sampling: bool


def create(
    session: Session,
    review: LockedReview,
    viewer: Viewer,
    *,
    numbers: Sequence[RecordNumber],
    label: str | None = None,
    primary: RecordNumber | None = None,
    fields: Mapping[str, Any] | None = None,
) -> Study:
    """Say that some reports are of one study.

    Raises:
        Forbidden: An observer groups nothing.
        NoReport: One of them is not at full text, as far as this person may know.
        NotFound: The primary report is none of them.
    """
    viewer.require(Role.REVIEWER, "group reports")
    numbers = [*dict.fromkeys(numbers)]
    require_reports(session, review, viewer, numbers)
    _require_member(primary, numbers)
    study = Study(
        id=StudyId(new_id()),
        review_id=review.id,
        label=label,
        primary_number=primary,
        fields=dict(fields or {}),
        created_by=viewer.user_id,
        created_at=now(),
    )
    session.add(study)
    session.flush()
    session.add_all(_places(study, numbers))
    _tell(session, review, viewer, study)
    return study


def change(
    session: Session,
    review: LockedReview,
    viewer: Viewer,
    study: Study,
    *,
    changes: Mapping[str, Any],
) -> None:
    """Change a study's `label`, `primary_number` or `fields`. Equal values change nothing.

    Raises:
        NotFound: The primary report is none of the study's.
    """
    viewer.require(Role.REVIEWER, "change studies")
    wanted = dict(changes)
    if (primary := wanted.get("primary_number")) is not None:
        # The study may have it by the number of a record that is linked to it.
        known, own = numbers_of(session, study), _own_numbers(session, review.id, primary)
        wanted["primary_number"] = next((one for one in known if one in own), primary)
        _require_member(wanted["primary_number"], known)
    touched = {name: value for name, value in wanted.items() if getattr(study, name) != value}
    if touched:
        for name, value in touched.items():
            setattr(study, name, value)
        _tell(session, review, viewer, study)


def add_report(
    session: Session, review: LockedReview, viewer: Viewer, study: Study, number: RecordNumber
) -> None:
    """Put a report into a study, also one that is in another. What is in it already stays."""
    viewer.require(Role.REVIEWER, "group reports")
    require_reports(session, review, viewer, [number])
    if number not in numbers_of(session, study):
        session.add_all(_places(study, [number]))
        _tell(session, review, viewer, study)


def take_out(
    session: Session, review: LockedReview, viewer: Viewer, study: Study, number: RecordNumber
) -> None:
    """Take a report out of a study; without its last one the study is gone.

    Raises:
        NotFound: It is not in the study.
    """
    viewer.require(Role.REVIEWER, "split studies")
    present = numbers_of(session, study)
    mine = _own_numbers(session, review.id, number)
    leaving = [one for one in present if one in mine]
    if not leaving:
        raise NotFound(f"Record {number} is not in this study.")
    _leave(session, review, viewer, study, leaving)


def split(session: Session, review: LockedReview, viewer: Viewer, study: Study) -> None:
    """Part a study: each of its reports is a study of its own again, and nothing else changes."""
    viewer.require(Role.REVIEWER, "split studies")
    _leave(session, review, viewer, study, numbers_of(session, study))


def sample(
    session: Session,
    review: LockedReview,
    viewer: Viewer,
    study: Study,
    *,
    sampled: bool | None,
    note: str | None,
) -> None:
    """Set whether a study is used in the synthesis; None: undecided, which counts as yes."""
    viewer.require(Role.ADJUDICATOR, "sample studies")
    if (study.sampled, study.sampling_note) == (sampled, note):
        return
    study.sampled, study.sampling_note = sampled, note
    detail = {"by": str(viewer.user_id), "note": note}
    fact = StudySampled(study_id=str(study.id), sampled=sampled, detail=detail)
    log.append(session, review, fact)
    session.flush()


def _leave(
    session: Session,
    review: LockedReview,
    viewer: Viewer,
    study: Study,
    leaving: Collection[RecordNumber],
) -> None:
    session.execute(
        delete(StudyReport).where(
            StudyReport.study_id == study.id, StudyReport.record_number.in_(leaving)
        )
    )
    staying = [one for one in numbers_of(session, study) if one not in leaving]
    if study.primary_number in leaving:
        study.primary_number = None
    detail = {"by": str(viewer.user_id), "left": staying, "sampled": study.sampled}
    numbers = [str(one) for one in sorted(leaving)]
    fact = StudySplit(study_id=str(study.id), record_ids=numbers, detail=detail)
    if not staying:
        session.delete(study)
    log.append(session, review, fact)
    session.flush()


def _tell(session: Session, review: LockedReview, viewer: Viewer, study: Study) -> None:
    session.flush()
    numbers = [str(one) for one in numbers_of(session, study)]
    detail = {
        "by": str(viewer.user_id),
        "label": study.label,
        "primary": study.primary_number,
        "fields": study.fields,
    }
    fact = StudyGrouped(study_id=str(study.id), record_ids=numbers, detail=detail)
    log.append(session, review, fact)
    session.flush()


def _places(study: Study, numbers: Sequence[RecordNumber]) -> list[StudyReport]:
    return [
        StudyReport(study_id=study.id, review_id=study.review_id, record_number=number)
        for number in numbers
    ]


def require_reports(
    session: Session, review: LockedReview, viewer: Viewer, numbers: Sequence[RecordNumber]
) -> None:
    """Raise unless everybody may know of each that it is at full text: the log tells of studies."""
    known = visible_reports(session, viewer, review, numbers)
    for number in numbers:
        report = known.get(number)
        is_visible = report is not None and (report.is_through or report.has_advanced)
        if report is None or not is_visible or standing(report.facts) is None:
            raise NoReport(number)


def _require_member(primary: RecordNumber | None, numbers: Sequence[RecordNumber]) -> None:
    if primary is not None and primary not in numbers:
        raise NotFound(f"Record {primary} is not in this study, so it is not its primary report.")


def _own_numbers(session: Session, review_id: ReviewId, number: RecordNumber) -> set[RecordNumber]:
    """Return the record's number and those of all that are linked to it."""
    query = select(Record.number).where(
        Record.review_id == review_id, Record.duplicate_of == number
    )
    return {number, *session.scalars(query)}


def numbers_of(session: Session, study: Study) -> list[RecordNumber]:
    """Return the numbers that a study's reports were grouped by."""
    query = select(StudyReport.record_number).where(StudyReport.study_id == study.id)
    return sorted(session.scalars(query))


def get(session: Session, review_id: ReviewId, study_id: StudyId) -> Study:
    """Return a study of a review, or raise NotFound."""
    study = session.get(Study, study_id)
    if study is None or study.review_id != review_id:
        raise NotFound("There is no such study in this review.")
    return study


def page(session: Session, viewer: Viewer, *, cursor: Cursor, limit: int) -> Slice[ShownStudy]:
    """Return the review's studies, the oldest first."""
    query = select(Study).where(Study.review_id == viewer.review_id)
    found = keyset_of_one(session, query, (Study.created_at, Study.id), cursor, limit)
    by_id = {shown.row.id: shown for shown in shown_studies(session, viewer, found.items)}
    return found.map(lambda study: by_id[study.id])


def shown_studies(session: Session, viewer: Viewer, studies: Sequence[Study]) -> list[ShownStudy]:
    """Return studies as this person may see them."""
    heads = _heads(session, viewer.review_id, studies)
    numbers = {head for places in heads.values() for head in places.values()}
    review = reviews.get_review(session, viewer.review_id)
    known = visible_reports(session, viewer, review, sorted(numbers)) if numbers else {}
    stands = {number: standing(report.facts) for number, report in known.items()}
    sees_sampling = all(is_unblinded(viewer, stage) for stage in Stage)
    shown = list[ShownStudy]()
    for study in studies:
        places = heads[study.id]
        reports = sorted(set(places.values()))
        at = {stands.get(number) for number in reports}
        is_mixed = bool(at.intersection(_IN)) and bool(at.intersection(_OUT))
        primary = None if study.primary_number is None else places.get(study.primary_number)
        shown.append(ShownStudy(study, reports, primary, is_mixed, sees_sampling))
    return shown


def _heads(
    session: Session, review_id: ReviewId, studies: Sequence[Study]
) -> dict[StudyId, dict[RecordNumber, RecordNumber]]:
    """Return for each study the shown record of each number that it was given."""
    found = defaultdict[StudyId, dict[RecordNumber, RecordNumber]](dict)
    for some in pieces([study.id for study in studies]):
        query = (
            select(
                StudyReport.study_id,
                StudyReport.record_number,
                Record.shown_as,
            )
            .join(
                Record,
                (Record.review_id == StudyReport.review_id)
                & (Record.number == StudyReport.record_number),
            )
            .where(StudyReport.review_id == review_id, StudyReport.study_id.in_(some))
        )
        for study_id, number, head in session.execute(query):
            found[study_id][number] = RecordNumber(head)
    return found
