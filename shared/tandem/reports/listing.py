"""A review's reports as somebody may see them: lists, filters, single ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.db.keyset import START, Cursor, Slice, sliced
from tandem.db.pieces import pieces
from tandem.errors import NotFound
from tandem.ids import RecordNumber
from tandem.records.models import Record
from tandem.reports import membership
from tandem.reports.facts import Report, visible_reports
from tandem.reports.rules import Standing, reason, retrieval_state, standing
from tandem.reviews import service as reviews
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.reviews.wording import key
from tandem.screening import catalogue
from tandem.screening.full_text.models import RetrievalState
from tandem.screening.record_filters import mentions
from tandem.screening.shown_records import ShownRecord


class NoReport(NotFound):
    """The record is not at full text, as far as the caller may know."""

    def __init__(self, number: RecordNumber) -> None:
        super().__init__(
            f"Record {number} is not at full text. GET /reviews/{{review_id}}/reports lists the "
            "records that are."
        )


@dataclass(frozen=True, slots=True)
class ReportFilters:
    """What to list. `words` must all occur in title, abstract or authors, in any case.

    `also` says, over rows of Record, where else a word may occur; `only` is a further condition.
    """

    standing: Standing | None = None
    retrieval: RetrievalState | None = None
    reason: str | None = None
    words: Sequence[str] = ()
    also: Callable[[str], ColumnElement[bool]] | None = None
    only: ColumnElement[bool] | None = None


@dataclass(frozen=True, slots=True)
class ShownReport:
    """A report as somebody may see it.

    `retrieved_by` made the last entry about its retrieval; `studies` are the ids of its studies.
    """

    record: ShownRecord
    report: Report
    standing: Standing
    final_reason: str | None
    retrieved_by: str | None
    studies: frozenset[str]


def list_reports(
    session: Session,
    *,
    viewer: Viewer,
    filters: ReportFilters,
    limit: int,
    cursor: Cursor = START,
) -> Slice[ShownReport]:
    """Return reports by number: those that are at full text, and those that were."""
    review = reviews.get_review(session, viewer.review_id)
    reports = visible_reports(session, viewer, review)
    found = [number for number, report in sorted(reports.items()) if _matches(report, filters)]
    if filters.words or filters.only is not None:
        named = _naming(session, viewer, filters, found)
        found = [number for number in found if number in named]
    page = sliced(found, lambda number: (number,), (int,), cursor, limit)
    shown = _shown(session, viewer, {number: reports[number] for number in page.items})
    return page.map(lambda number: shown[number])


def get_report(session: Session, *, viewer: Viewer, number: RecordNumber) -> ShownReport:
    """Return one report.

    Raises:
        NoReport: The record is not at full text and never was, or there is none.
    """
    review = reviews.get_review(session, viewer.review_id)
    reports = visible_reports(session, viewer, review, [number])
    if (shown := _shown(session, viewer, reports).get(number)) is None:
        raise NoReport(number)
    return shown


def _matches(report: Report, filters: ReportFilters) -> bool:
    stands, facts = standing(report.facts), report.facts
    if stands is None:
        return False
    why = reason(facts)
    return (
        filters.standing in (None, stands)
        and filters.retrieval in (None, retrieval_state(facts))
        and (filters.reason is None or (why is not None and key(why) == key(filters.reason)))
    )


def _naming(
    session: Session, viewer: Viewer, filters: ReportFilters, among: Sequence[RecordNumber]
) -> set[RecordNumber]:
    """Return those of the records that have all words, and meet the further condition."""
    named = [] if filters.only is None else [filters.only]
    for word in filters.words:
        also = [] if filters.also is None else [filters.also(word)]
        named.append(or_(mentions(word), *also))
    found = set[RecordNumber]()
    for piece in pieces(among):
        query = select(Record.number).where(
            Record.review_id == viewer.review_id, Record.number.in_(piece), *named
        )
        found.update(session.scalars(query))
    return found


def _shown(
    session: Session, viewer: Viewer, reports: dict[RecordNumber, Report]
) -> dict[RecordNumber, ShownReport]:
    numbers = [*reports]
    records = catalogue.get_records(session, viewer=viewer, stage=Stage.FULL_TEXT, numbers=numbers)
    said_by = {one.retrieval.by_id for one in reports.values() if one.retrieval is not None}
    names = accounts.names_of(session, said_by)
    studies = membership.studies_of(session, viewer.review_id) if reports else {}
    shown: dict[RecordNumber, ShownReport] = {}
    for number, report in reports.items():
        stands, entry = standing(report.facts), report.retrieval
        if stands is None:
            continue
        by = None if entry is None else names[entry.by_id]
        shown[number] = ShownReport(
            records[number],
            report,
            stands,
            reason(report.facts),
            by,
            studies.get(number, frozenset()),
        )
    return shown
