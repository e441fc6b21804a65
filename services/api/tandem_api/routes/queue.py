"""What to screen next."""

from datetime import timedelta

from fastapi import Response
from sqlalchemy.orm import Session

from tandem.ids import AuditId, parse_record_number
from tandem.ranking import serving
from tandem.reviews import service as reviews
from tandem.reviews.policy import Stage
from tandem.screening import catalogue
from tandem.screening.blinding.view import sees_all_votes
from tandem.screening.queue import service as queue
from tandem.stopping import draws, states
from tandem_api.deps import Here, InReview, Me
from tandem_api.routing import Router
from tandem_api.schemas.decisions import ScreeningStage
from tandem_api.schemas.screening import QueueIn, QueueItemOut, QueueOut
from tandem_api.writing import Write

router = Router(prefix="/reviews/{review_id}/queue", tags=["screening"])


@router.post("", response_model=QueueOut)
def next_records(
    me: Me, review_id: InReview, here: Here, write: Write, body: QueueIn | None = None
) -> Response:
    """Serve your next records, best first, held for you. Asking again renews them."""
    asked = body or QueueIn()
    lasting = timedelta(minutes=here.settings.lease_minutes)
    audited: AuditId | None = None

    def work(session: Session) -> QueueOut:
        nonlocal audited
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        audit = draws.of_queue(session, review, asked.stage)
        order = serving.newest_order(session, review_id, asked.stage)
        found = queue.serve(
            session,
            review=review,
            viewer=viewer,
            stage=asked.stage,
            order=order,
            limit=asked.limit,
            lasting=lasting,
            anew=asked.anew,
            sample=draws.sample_of(audit),
        )
        if audit is not None:
            draws.draw(session, review, audit, found.drawn)
            audited = audit.id
        numbers = [lease.record_number for lease in found.items]
        shown = catalogue.get_records(session, viewer=viewer, stage=asked.stage, numbers=numbers)
        taken_from = {lease.record_number: lease.ranking_id for lease in found.items}
        reasons = serving.reasons_for(session, taken_from, order.ranking_id)
        sees_score = sees_all_votes(viewer, asked.stage)
        items = [
            QueueItemOut.of(
                lease,
                shown[lease.record_number],
                reasons.get(lease.record_number, ()),
                sees_score=sees_score,
            )
            for lease in found.items
        ]
        return QueueOut.of(found, items)

    answer = write(work)
    if audited is not None:
        # Afterwards: it may read the whole ledger, and nobody's decision is to wait for that.
        states.keep_up(here.database, review_id, audited)
    return answer


@router.delete("/{record_id}", status_code=204)
def put_off(
    record_id: str,
    me: Me,
    review_id: InReview,
    write: Write,
    stage: ScreeningStage = Stage.TITLE_ABSTRACT,
) -> Response:
    """Give a record back unread; you get it again when nothing else is left."""
    number = parse_record_number(record_id)

    def work(session: Session) -> None:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        queue.put_off(session, review=review, viewer=viewer, record_number=number, stage=stage)

    return write(work, status=204)
