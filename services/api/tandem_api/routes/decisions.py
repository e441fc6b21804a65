"""Reviewers' decisions."""

from collections.abc import Callable
from functools import cache
from typing import Any

from fastapi import Response
from pydantic import ValidationError
from sqlalchemy.orm import Session

from tandem.errors import Invalid, TandemError
from tandem.ids import RecordNumber, ReviewId, parse_record_number
from tandem.ranking import serving
from tandem.reviews import service as reviews
from tandem.reviews.models import Review, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening import decisions
from tandem.screening.ledger import Place
from tandem.screening.previews import preview
from tandem.screening.queue.order import Order
from tandem_api.deps import DryRun, InReview, Me, Write
from tandem_api.errors import field_errors, status_of
from tandem_api.routing import Router
from tandem_api.schemas.decisions import (
    DecisionIn,
    DecisionItemIn,
    DecisionItemOut,
    DecisionsIn,
    DecisionsOut,
    ItemError,
    PlaceOut,
    PreviewedOut,
    PreviewOut,
    RecordedOut,
    ScreeningStage,
    WithdrawnOut,
)

router = Router(prefix="/reviews/{review_id}", tags=["screening"])


@router.put(
    "/records/{record_id}/decision",
    response_model=RecordedOut | PreviewedOut,
)
def put_decision(
    record_id: str,
    body: DecisionIn,
    me: Me,
    review_id: InReview,
    write: Write,
    dry_run: DryRun = False,
) -> Response:
    """Record or replace your own decision. Repeating the same one changes nothing."""
    number = parse_record_number(record_id)

    def work(session: Session) -> RecordedOut | PreviewedOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)

        def act() -> RecordedOut:
            newest = _newest_order(session, review_id)
            return _record(session, review, viewer, record_id, body, newest)

        return _previewed(session, viewer, body.stage, number, act) if dry_run else act()

    return write(work, changed=None if dry_run else review_id)


@router.delete(
    "/records/{record_id}/decision",
    response_model=WithdrawnOut | PreviewedOut,
)
def withdraw_decision(
    record_id: str,
    me: Me,
    review_id: InReview,
    write: Write,
    stage: ScreeningStage = Stage.TITLE_ABSTRACT,
    dry_run: DryRun = False,
) -> Response:
    """Withdraw your own decision. The ledger keeps it; nobody else's vote is touched."""
    number = parse_record_number(record_id)

    def work(session: Session) -> WithdrawnOut | PreviewedOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)

        def act() -> WithdrawnOut:
            withdrawn = decisions.withdraw_decision(
                session, review=review, viewer=viewer, record_number=number, stage=stage
            )
            return WithdrawnOut(record=PlaceOut(status=withdrawn.status, stage=stage))

        return _previewed(session, viewer, stage, number, act) if dry_run else act()

    return write(work, changed=None if dry_run else review_id)


@router.post(
    "/decisions",
    status_code=207,
    response_model=DecisionsOut,
)
def put_decisions(body: DecisionsIn, me: Me, review_id: InReview, write: Write) -> Response:
    """Record many decisions, as from a batch made offline. Each item succeeds or fails alone."""

    def work(session: Session) -> DecisionsOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        viewer.require(Role.REVIEWER, "decide records")
        newest = _newest_order(session, review_id)
        return DecisionsOut(
            items=[_item(session, review, viewer, raw, newest) for raw in body.items]
        )

    return write(work, status=207, changed=review_id)


def _previewed(
    session: Session,
    viewer: Viewer,
    stage: Stage,
    number: RecordNumber,
    act: Callable[[], object],
) -> PreviewedOut:
    place = Place(viewer.review_id, stage, number)
    return PreviewedOut(
        preview=PreviewOut.of(preview(session, viewer=viewer, place=place, act=act))
    )


Newest = Callable[[Stage], Order]


def _newest_order(session: Session, review_id: ReviewId) -> Newest:
    """Return what gives the newest ranking; it is read once, and only if it is asked for."""
    return cache(lambda stage: serving.newest_order(session, review_id, stage))


def _record(
    session: Session,
    review: Review,
    viewer: Viewer,
    record_id: str,
    body: DecisionIn,
    newest: Newest,
) -> RecordedOut:
    recorded = decisions.record_decision(
        session,
        review=review,
        viewer=viewer,
        record_number=parse_record_number(record_id),
        stage=body.stage,
        judgement=body.judgement(),
        newest=lambda: newest(body.stage),
    )
    session.flush()
    return RecordedOut.of(recorded, body.stage)


def _item(
    session: Session, review: Review, viewer: Viewer, raw: Any, newest: Newest
) -> DecisionItemOut:
    named = raw.get("record_id") if isinstance(raw, dict) else None
    record_id = named if isinstance(named, str) else None
    try:
        item = DecisionItemIn.model_validate(raw)
    except ValidationError as error:
        found = field_errors([dict(one) for one in error.errors()], location="body")
        detail = "; ".join(f"{one.field}: {one.message}" for one in found)
        failure = ItemError(code=Invalid.code, detail=detail)
        return DecisionItemOut(record_id=record_id, status=422, error=failure)
    try:
        with session.begin_nested():
            done = _record(session, review, viewer, item.record_id, item, newest)
    except TandemError as error:
        failure = ItemError(code=error.code, detail=str(error))
        return DecisionItemOut(record_id=record_id, status=status_of(error), error=failure)
    return DecisionItemOut(
        record_id=record_id, status=200, decision=done.decision, record=done.record
    )
