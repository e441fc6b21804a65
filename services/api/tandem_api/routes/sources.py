"""Records that are removed before screening, and the waves of a review's searches."""

from fastapi import Response
from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.ids import parse_record_number
from tandem.records import waves
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from tandem.screening import sources
from tandem_api.deps import AsViewer, InReview, Me, Read
from tandem_api.paging import Page
from tandem_api.routing import Router
from tandem_api.schemas.sources import RemovalIn, RemovalOut, WaveIn, WaveOut
from tandem_api.writing import Write

router = Router(prefix="/reviews/{review_id}", tags=["flow"])


@router.put("/records/{record_id}/removal", response_model=RemovalOut)
def remove_record(
    record_id: str, body: RemovalIn, me: Me, review_id: InReview, write: Write
) -> Response:
    """Remove a record before screening, while nobody has decided it (owners).

    It leaves the queue, the progress and the lists; the flow counts it. It can be restored.
    """
    number = parse_record_number(record_id)

    def work(session: Session) -> RemovalOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        row = sources.remove(
            session,
            review,
            viewer,
            number=number,
            kind=body.kind,
            reason=body.reason,
            tool=body.tool,
        )
        return RemovalOut.of(row, accounts.names_of(session, [row.removed_by]))

    return write(work, changed=review_id)


@router.delete("/records/{record_id}/removal", status_code=204, response_class=Response)
def restore_record(record_id: str, me: Me, review_id: InReview, write: Write) -> Response:
    """Restore a record that was removed before screening (owners)."""
    number = parse_record_number(record_id)

    def work(session: Session) -> None:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        sources.restore(session, review, viewer, number=number)

    return write(work, status=204, changed=review_id)


@router.get("/waves")
def list_waves(session: Read, viewer: AsViewer) -> Page[WaveOut]:
    """List the searches after the first, in order."""
    found = waves.all_of(session, viewer.review_id)
    names = accounts.names_of(session, (row.opened_by for row in found))
    return Page(items=[WaveOut.of(row, names) for row in found])


@router.post("/waves", status_code=201, response_model=WaveOut)
def open_wave(body: WaveIn, me: Me, review_id: InReview, write: Write) -> Response:
    """Begin another search (owners): imports belong to it from now on."""

    def work(session: Session) -> WaveOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        viewer.require(Role.OWNER, "begin another search")
        row = waves.open_next(session, review, label=body.label, kind=body.reason, by=me.id)
        return WaveOut.of(row, {me.id: me.name})

    return write(work, status=201, changed=review_id)
