"""The texts of reports: added, listed, removed.

Everybody who may see a report may read its texts.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.artifacts import Artifacts
from tandem.db.base import now
from tandem.db.pieces import pieces
from tandem.errors import Forbidden, NotFound
from tandem.events import log
from tandem.events.screening_types import ReportTextAdded, ReportTextRemoved
from tandem.ids import RecordNumber, ReviewId, TextFileId, TextId, new_id
from tandem.records.models import Record
from tandem.reports.facts import load_retrievals, visible_reports
from tandem.reports.listing import NoReport
from tandem.reports.retrieval import append_retrieval
from tandem.reviews import service as reviews
from tandem.reviews.models import LockedReview, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.full_text.models import RetrievalState, Via
from tandem.screening.full_text.population import require_reached
from tandem.screening.ledger.loading import screenable
from tandem.screening.ledger.state import RecordKey
from tandem.texts.models import ReportText, TextFile, TextKind
from tandem.texts.uploads import Bounds, StoredFile, row_of

MEANS_RETRIEVED = frozenset({TextKind.MAIN, TextKind.TRANSLATION})


@dataclass(frozen=True, slots=True)
class ShownText:
    """A text with its file, the report that it is shown at, and who added it."""

    text: ReportText
    file: TextFile
    report: RecordNumber
    added_by: str


def require_right(viewer: Viewer) -> None:
    """Raise Forbidden unless this person may add texts."""
    viewer.require(Role.REVIEWER, "add full texts")


def add(
    session: Session,
    artifacts: Artifacts,
    stored: StoredFile,
    *,
    review: LockedReview,
    viewer: Viewer,
    number: RecordNumber,
    kind: TextKind,
    bounds: Bounds,
) -> ReportText:
    """Add a stored file to a report. The very same file again changes nothing.

    Raises:
        NotFound, IsDuplicate, NotAtThisStage: The record has no texts; see `require_reached`.
        Forbidden: An observer adds nothing.
        QuotaExceeded: There is no room for it.
    """
    require_right(viewer)
    key = RecordKey(review.id, Stage.FULL_TEXT, number)
    screenable(session, key)
    require_reached(session, key)
    file = row_of(session, artifacts, review, stored, bounds)
    return link(
        session, file, review=review, viewer=viewer, number=number, kind=kind, name=stored.filename
    )


def link(
    session: Session,
    file: TextFile,
    *,
    review: LockedReview,
    viewer: Viewer,
    number: RecordNumber,
    kind: TextKind,
    name: str,
) -> ReportText:
    """Make a file of the review the text of a report, which with that is retrieved."""
    if (known := find(session, review.id, number, file.id)) is not None:
        return known
    text = ReportText(
        id=TextId(new_id()),
        review_id=review.id,
        record_number=number,
        file_id=file.id,
        kind=kind,
        filename=name,
        added_by=viewer.user_id,
        added_at=now(),
    )
    session.add(text)
    detail = {"by": str(viewer.user_id), "filename": name} | sealed(file)
    fact = ReportTextAdded(record_id=str(number), text_id=str(text.id), kind=kind, detail=detail)
    log.append(session, review, fact)
    session.flush()
    before = load_retrievals(session, review.id, [number]).get(number)
    is_retrieved = before is not None and before.state is RetrievalState.RETRIEVED
    if kind in MEANS_RETRIEVED and not is_retrieved:
        append_retrieval(
            session,
            review=review,
            viewer=viewer,
            number=number,
            state=RetrievalState.RETRIEVED,
            via=Via.UPLOAD,
        )
    return text


def sealed(file: TextFile) -> dict[str, object]:
    """Return what the audit trail seals of a file."""
    return {
        "sha256": file.sha256,
        "bytes": file.n_bytes,
        "plain_sha256": file.plain_sha256,
    }


def find(
    session: Session, review_id: ReviewId, number: RecordNumber, file_id: TextFileId
) -> ReportText | None:
    """Return the text of a record that is this very file."""
    query = select(ReportText).where(
        ReportText.review_id == review_id,
        ReportText.record_number == number,
        ReportText.file_id == file_id,
    )
    return session.scalars(query).one_or_none()


def remove(session: Session, *, review: LockedReview, viewer: Viewer, text_id: TextId) -> TextFile:
    """Take a text from its report; return its file, which `forget_unused` may then remove.

    The retrieval state of its report stays the same.

    Raises:
        NotFound: There is no such text, as far as the caller may know.
        Forbidden: An observer removes nothing, a reviewer only what they have added.
    """
    viewer.require(Role.REVIEWER, "remove full texts")
    shown = get(session, viewer=viewer, text_id=text_id)
    if shown.text.added_by != viewer.user_id and not viewer.has(Role.OWNER):
        raise Forbidden(
            f"{shown.added_by} added this text, so only they or an owner of this review may "
            "remove it."
        )
    detail = {"by": str(viewer.user_id), "filename": shown.text.filename} | sealed(shown.file)
    fact = ReportTextRemoved(
        record_id=str(shown.text.record_number), text_id=str(text_id), detail=detail
    )
    log.append(session, review, fact)
    session.delete(shown.text)
    session.flush()
    return shown.file


def get(session: Session, *, viewer: Viewer, text_id: TextId) -> ShownText:
    """Return a text.

    Raises:
        NotFound: There is no such text in the review, as far as the caller may know.
    """
    found = session.get(ReportText, text_id)
    if found is not None and found.review_id == viewer.review_id:
        number = _head(session, found)
        if may_see(session, viewer, number):
            return next(
                one
                for one in of_reports(session, viewer.review_id, [number])[number]
                if one.text.id == text_id
            )
    raise NotFound("There is no such text in this review.")


def list_of(session: Session, *, viewer: Viewer, number: RecordNumber) -> Sequence[ShownText]:
    """Return the texts of a report and of records that are linked to it, the oldest first.

    Raises:
        NoReport: The record is not at full text and never was, as far as the caller may know.
    """
    if not may_see(session, viewer, number):
        raise NoReport(number)
    return of_reports(session, viewer.review_id, [number])[number]


def may_see(session: Session, viewer: Viewer, number: RecordNumber) -> bool:
    review = reviews.get_review(session, viewer.review_id)
    return number in visible_reports(session, viewer, review, [number])


def of_reports(
    session: Session, review_id: ReviewId, numbers: Collection[RecordNumber]
) -> Mapping[RecordNumber, list[ShownText]]:
    """Return the texts of each of these reports; the caller may know of all of them."""
    found: dict[RecordNumber, list[ShownText]] = defaultdict(list)
    rows: list[Any] = []
    for some in pieces(sorted(numbers)):
        query = (
            select(ReportText, TextFile, Record.number, Record.duplicate_of)
            .join(TextFile, TextFile.id == ReportText.file_id)
            .join(
                Record,
                (Record.review_id == ReportText.review_id)
                & (Record.number == ReportText.record_number),
            )
            .where(
                ReportText.review_id == review_id,
                Record.number.in_(some) | Record.duplicate_of.in_(some),
            )
            .order_by(ReportText.added_at, ReportText.id)
        )
        rows += session.execute(query).all()
    names = accounts.names_of(session, {text.added_by for text, *_ in rows})
    for text, file, number, head in rows:
        at = head or number
        found[at].append(ShownText(text, file, at, names[text.added_by]))
    return found


def _head(session: Session, text: ReportText) -> RecordNumber:
    query = select(Record.duplicate_of).where(
        Record.review_id == text.review_id, Record.number == text.record_number
    )
    return session.scalar(query) or text.record_number
