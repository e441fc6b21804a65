"""The pilot round: everybody reads the same few records first."""

from collections.abc import Callable

from fastapi import Request, Response
from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.ids import UserId
from tandem.reviews import members
from tandem.reviews import service as reviews
from tandem.reviews.models import LockedReview, Review, Role
from tandem.reviews.service import Viewer
from tandem.screening.blinding.view import is_unblinded
from tandem.screening.people import pilot
from tandem_api.addresses import public_path
from tandem_api.deps import AsViewer, InReview, Me, Read
from tandem_api.routing import Router
from tandem_api.schemas.people import DoneByOut, PilotIn, PilotOut
from tandem_api.writing import Write

router = Router(prefix="/reviews/{review_id}/pilot", tags=["reviews"])


@router.get("")
def get_pilot(request: Request, session: Read, viewer: AsViewer) -> PilotOut:
    """Show the newest pilot round: whether it runs, and who has read how much of it."""
    return _shown(request, session, reviews.get_review(session, viewer.review_id), viewer)


@router.post("", status_code=201, response_model=PilotOut)
def begin_pilot(
    body: PilotIn, request: Request, me: Me, review_id: InReview, write: Write
) -> Response:
    """Begin a pilot round (owners): the queue serves its records to everybody, and no others.

    They are the first of the review's random order; a later round goes on behind the one before.
    """

    def begin(session: Session, review: Review, viewer: Viewer) -> None:
        pilot.begin(session, review, viewer, body.size)

    return write(_changing(request, me.id, review_id, begin), status=201, changed=review_id)


@router.post("/end", response_model=PilotOut)
def end_pilot(request: Request, me: Me, review_id: InReview, write: Write) -> Response:
    """End the pilot round (owners): the queue serves everything from now on."""
    return write(_changing(request, me.id, review_id, pilot.end), changed=review_id)


def _changing(
    request: Request,
    user_id: UserId,
    review_id: InReview,
    change: Callable[[Session, LockedReview, Viewer], None],
) -> Callable[[Session], PilotOut]:
    def work(session: Session) -> PilotOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=user_id)
        change(session, review, viewer)
        session.flush()
        return _shown(request, session, review, viewer)

    return work


def _shown(request: Request, session: Session, review: Review, viewer: Viewer) -> PilotOut:
    state = pilot.state(review)
    path = public_path(request, "get_agreement", review_id=str(review.id))
    return PilotOut(
        state=state,
        size=review.pilot_size,
        n_records=len(pilot.record_numbers(session, review)),
        records_done_by=[] if state is pilot.PilotState.NONE else _done_by(session, review, viewer),
        agreement_link=None if state is pilot.PilotState.NONE else f"{path}?on=pilot",
    )


def _done_by(session: Session, review: Review, viewer: Viewer) -> list[DoneByOut]:
    """Show how far people are, by name: those who screen, and all who have decided a record."""
    done = pilot.done_by(session, review)
    screening = [
        member.user_id
        for member, _ in members.members(session, review.id)
        if member.role.reaches(Role.REVIEWER)
    ]
    people = list(dict.fromkeys([*screening, *done]))
    if not is_unblinded(viewer, pilot.STAGE):
        people = [person for person in people if person == viewer.user_id]
    users = accounts.users_by_id(session, set(people))
    return [
        DoneByOut(user_id=str(person), name=users[person].name, n=done.get(person, 0))
        for person in people
    ]
