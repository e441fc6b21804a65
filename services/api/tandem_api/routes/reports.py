"""Reports: records at full text."""

from typing import Annotated

from fastapi import Query, Response
from sqlalchemy.orm import Session

from tandem.ids import parse_record_number
from tandem.reports import listing
from tandem.reports.listing import ReportFilters
from tandem.reports.retrieval import append_retrieval
from tandem.reports.rules import Standing
from tandem.reviews import service as reviews
from tandem.screening.full_text.models import RetrievalState
from tandem_api.deps import AsViewer, InReview, Limit, Me, PageFrom, Read, Write
from tandem_api.paging import Page
from tandem_api.routing import Router
from tandem_api.schemas.base import PlainText
from tandem_api.schemas.reports import ReportOut, RetrievalIn

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
    q: Annotated[Short, Query(description="Words in title, abstract or authors.")] = "",
    limit: Limit = 100,
) -> Page[ReportOut]:
    """List the records that are at full text, and those that were, with where each stands."""
    words = list(dict.fromkeys(q.split()))
    filters = ReportFilters(standing=standing, retrieval=retrieval, reason=reason, words=words)
    found = listing.list_reports(session, viewer=viewer, filters=filters, cursor=page, limit=limit)
    return Page.of(found.map(ReportOut.of_report))


@router.get("/{report_id}")
def get_report(report_id: str, session: Read, viewer: AsViewer) -> ReportOut:
    """Show one report, with where it stands and how far its retrieval is."""
    number = parse_record_number(report_id)
    return ReportOut.of_report(listing.get_report(session, viewer=viewer, number=number))


@router.post("/{report_id}/retrieval", response_model=ReportOut)
def say_retrieval(
    report_id: str, body: RetrievalIn, me: Me, review_id: InReview, write: Write
) -> Response:
    """Say how far the retrieval of a full text is. What was said before is kept.

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
        return ReportOut.of_report(listing.get_report(session, viewer=viewer, number=number))

    return write(work, changed=review_id)
