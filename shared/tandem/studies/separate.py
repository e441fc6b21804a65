"""Reports of which somebody said that they are not of one study: that is not proposed again."""

from collections.abc import Sequence
from itertools import combinations

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from tandem.db.base import now
from tandem.events import log
from tandem.events.types import StudySeparated
from tandem.ids import RecordNumber, ReviewId
from tandem.records.models import Record
from tandem.reports.models import SeparateReports
from tandem.reviews.models import LockedReview, Role
from tandem.reviews.service import Viewer
from tandem.studies.service import require_reports

Pair = tuple[RecordNumber, RecordNumber]


def separate(
    session: Session,
    review: LockedReview,
    viewer: Viewer,
    *,
    numbers: Sequence[RecordNumber],
    is_separate: bool,
) -> None:
    """Say of reports that no two of them are of one study, or take that back.

    To repeat changes nothing. It changes no study that people made.

    Raises:
        Forbidden: An observer says nothing.
        NoReport: One of them is not at full text, as far as this person may know.
    """
    viewer.require(Role.REVIEWER, "separate reports")
    numbers = sorted(set(numbers))
    require_reports(session, review, viewer, numbers)
    touched = False
    stored = _rows(session, review.id)
    for pair in combinations(numbers, 2):
        rows = [row for row, shown in stored if shown == pair]
        if is_separate and not rows:
            made = SeparateReports(review_id=review.id, first=pair[0], second=pair[1])
            made.said_by, made.said_at = viewer.user_id, now()
            session.add(made)
            touched = True
        elif rows and not is_separate:
            for row in rows:
                session.delete(row)
            touched = True
    if touched:
        ids = [str(number) for number in numbers]
        detail = {"by": str(viewer.user_id)}
        log.append(
            session, review, StudySeparated(record_ids=ids, separate=is_separate, detail=detail)
        )
    session.flush()


def pairs(session: Session, review_id: ReviewId) -> list[Pair]:
    """Return the pairs, by the numbers of the records that are shown now, in order."""
    return sorted({shown for _, shown in _rows(session, review_id) if shown[0] != shown[1]})


def _rows(session: Session, review_id: ReviewId) -> list[tuple[SeparateReports, Pair]]:
    """Return what is stored, with the records that are shown now for the two of each pair."""
    one, other = aliased(Record), aliased(Record)
    row = SeparateReports
    query = (
        select(
            row,
            one.shown_as,
            other.shown_as,
        )
        .join(one, (one.review_id == row.review_id) & (one.number == row.first))
        .join(other, (other.review_id == row.review_id) & (other.number == row.second))
        .where(row.review_id == review_id)
    )
    return [
        (stored, (min(first, second), max(first, second)))
        for stored, first, second in session.execute(query)
    ]
