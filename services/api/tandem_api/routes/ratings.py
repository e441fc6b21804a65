"""Ratings of reports, and reports that nearly were included."""

from typing import Annotated

from fastapi import Body, Query, Response
from sqlalchemy.orm import Session

from tandem.ids import RecordNumber, parse_record_number
from tandem.reporting import near_misses
from tandem.reports import listing
from tandem.reviews import service as reviews
from tandem.reviews.service import Viewer
from tandem.studies import ratings
from tandem_api.deps import AsViewer, InReview, Limit, Me, PageFrom, Read
from tandem_api.paging import Page
from tandem_api.problems import errors
from tandem_api.routing import Router
from tandem_api.schemas.studies import NearMissIn, NearMissOut, RatingIn, RatingOut, RatingsOut
from tandem_api.writing import Write

router = Router(prefix="/reviews/{review_id}", tags=["studies"])


@router.get("/reports/{report_id}/ratings")
def list_ratings(report_id: str, session: Read, viewer: AsViewer) -> RatingsOut:
    """List the ratings of a report that you may see: while you are blinded, your own."""
    number = parse_record_number(report_id)
    listing.get_report(session, viewer=viewer, number=number)
    return _ratings(session, viewer, number)


@router.put("/reports/{report_id}/ratings", response_model=RatingsOut)
def rate_report(
    report_id: str,
    body: Annotated[RatingIn, Body(default_factory=RatingIn)],
    me: Me,
    review_id: InReview,
    write: Write,
) -> Response:
    """Rate how rich and how relevant a report is, for yourself."""
    number = parse_record_number(report_id)

    def work(session: Session) -> RatingsOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        ratings.rate(
            session,
            review,
            viewer,
            number=number,
            richness=body.richness,
            relevance=body.relevance,
        )
        return _ratings(session, viewer, number)

    return write(work)


@router.get("/near-misses", responses=errors(403))
def list_near_misses(
    session: Read,
    viewer: AsViewer,
    page: PageFrom,
    struck: Annotated[bool, Query(description="Those that an owner struck, instead.")] = False,
    limit: Limit = 100,
) -> Page[NearMissOut]:
    """List excluded reports that nearly were included, with the reason (not the blinded)."""
    found = near_misses.near_misses(session, viewer=viewer, struck=struck, cursor=page, limit=limit)
    return Page.of(found.map(NearMissOut.of))


@router.put("/reports/{report_id}/near-miss", status_code=204, response_class=Response)
def mark_near_miss(
    report_id: str, body: NearMissIn, me: Me, review_id: InReview, write: Write
) -> Response:
    """List an excluded report as a near miss, or strike it from the list (owners)."""
    number = parse_record_number(report_id)

    def work(session: Session) -> None:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        near_misses.mark(
            session,
            review,
            viewer,
            number=number,
            listed=body.listed,
            explanation=body.explanation,
        )

    return write(work, status=204, changed=review_id)


def _ratings(session: Session, viewer: Viewer, number: RecordNumber) -> RatingsOut:
    found = ratings.visible(session, viewer, [number])
    return RatingsOut(items=[RatingOut.of(one) for one in found.get(number, [])])
