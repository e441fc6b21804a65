"""Reports: records at full text."""

from typing import Annotated

from fastapi import Query, Response
from sqlalchemy import and_
from sqlalchemy.orm import Session

from tandem.ids import RecordNumber, StudyId, parse_record_number, parse_uuid
from tandem.records.origin import FoundBy
from tandem.reports import listing, membership
from tandem.reports.listing import ReportFilters
from tandem.reports.retrieval import append_retrieval
from tandem.reports.rules import Standing
from tandem.reviews import service as reviews
from tandem.reviews.service import Viewer
from tandem.screening.full_text.models import RetrievalState
from tandem.texts import finding
from tandem.texts.service import of_reports
from tandem_api.deps import AsViewer, InReview, Limit, Me, PageFrom, Read
from tandem_api.paging import Page
from tandem_api.routing import Router
from tandem_api.schemas.base import PlainText
from tandem_api.schemas.reports import ReportOut, RetrievalIn
from tandem_api.writing import Write

router = Router(prefix="/reviews/{review_id}/reports", tags=["full text"])

Short = Annotated[PlainText, Query(max_length=500)]


@router.get("")
def list_reports(
    session: Read,
    viewer: AsViewer,
    page: PageFrom,
    standing: Annotated[
        Standing | None, Query(description="Where it stands, as far as you may see.")
    ] = None,
    retrieval: Annotated[
        RetrievalState | None, Query(description="How far its retrieval is.")
    ] = None,
    reason: Annotated[
        Short | None, Query(description="The final reason of an excluded report.")
    ] = None,
    has_text: Annotated[
        bool | None, Query(description="Only those that have a file, or that have none.")
    ] = None,
    study: Annotated[Short | None, Query(description="Only reports of this study.")] = None,
    found_by: Annotated[
        FoundBy | None, Query(description="Only what was found in this way.")
    ] = None,
    wave: Annotated[
        int | None, Query(ge=1, le=2**31 - 1, description="Only what this search found.")
    ] = None,
    q: Annotated[
        Short, Query(description="Words in title, abstract, authors or in the full text.")
    ] = "",
    limit: Limit = 100,
) -> Page[ReportOut]:
    """List the records that are at full text, and those that were, with where each stands."""
    words = list(dict.fromkeys(q.split()))
    with_text = finding.has_text()
    only = [] if has_text is None else [with_text if has_text else ~with_text]
    if study is not None:
        only.append(membership.in_study(StudyId(parse_uuid(study, kind="study"))))
    if found_by is not None or wave is not None:
        only.append(membership.came(found_by=found_by, wave=wave))
    filters = ReportFilters(
        standing=standing,
        retrieval=retrieval,
        reason=reason,
        words=words,
        also=finding.says,
        only=and_(*only) if only else None,
    )
    found = listing.list_reports(session, viewer=viewer, filters=filters, cursor=page, limit=limit)
    numbers = [shown.record.record.number for shown in found.items]
    texts = of_reports(session, viewer.review_id, numbers)
    return Page.of(
        found.map(lambda shown: ReportOut.of_report(shown, texts[shown.record.record.number]))
    )


@router.get("/{report_id}")
def get_report(report_id: str, session: Read, viewer: AsViewer) -> ReportOut:
    """Show one report, with where it stands and how far its retrieval is."""
    number = parse_record_number(report_id)
    return _shown(session, viewer, number)


@router.post("/{report_id}/retrieval", response_model=ReportOut)
def say_retrieval(
    report_id: str, body: RetrievalIn, me: Me, review_id: InReview, write: Write
) -> Response:
    """Record the state of the retrieval of a full text. Earlier entries are kept.

    The votes on a report count while its text is retrieved, and title and abstract include it.
    """
    number = parse_record_number(report_id)

    def work(session: Session) -> ReportOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        append_retrieval(
            session,
            review=review,
            viewer=viewer,
            number=number,
            state=body.state,
            via=body.via,
            note=body.note,
        )
        return _shown(session, viewer, number)

    return write(work, changed=review_id)


def _shown(session: Session, viewer: Viewer, number: RecordNumber) -> ReportOut:
    shown = listing.get_report(session, viewer=viewer, number=number)
    return ReportOut.of_report(shown, of_reports(session, viewer.review_id, [number])[number])
