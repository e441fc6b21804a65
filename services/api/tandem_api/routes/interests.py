"""Conflicts of interest: nobody is served a paper of their own."""

from fastapi import Response
from sqlalchemy.orm import Session

from tandem.ids import parse_record_number
from tandem.reviews import service as reviews
from tandem.screening.people import interests
from tandem_api.deps import AsViewer, InReview, Limit, Me, PageFrom, Read
from tandem_api.paging import Page
from tandem_api.routing import Router
from tandem_api.schemas.people import InterestIn, InterestOut
from tandem_api.writing import Write

router = Router(prefix="/reviews/{review_id}", tags=["reviews"])


@router.get("/interests")
def list_interests(
    session: Read, viewer: AsViewer, page: PageFrom, limit: Limit = 100
) -> Page[InterestOut]:
    """List the records whose author you may be, or declared to be; owners get everybody's.

    Names are compared while people screen, so the list grows until all records were.
    """
    return Page.of(interests.listed(session, viewer, cursor=page, limit=limit).map(InterestOut.of))


@router.put("/records/{record_id}/interest", response_model=InterestOut)
def declare_interest(
    record_id: str, body: InterestIn, me: Me, review_id: InReview, write: Write
) -> Response:
    """Say that a record is yours, or that it is not. Decisions on it are accepted all the same."""
    number = parse_record_number(record_id)

    def work(session: Session) -> InterestOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        known = interests.declare(
            session,
            review=review,
            viewer=viewer,
            record_number=number,
            has_interest=body.has_interest,
        )
        return InterestOut.of(known)

    return write(work, changed=review_id)
