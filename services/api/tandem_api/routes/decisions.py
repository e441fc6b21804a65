"""Reviewers' decisions."""

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from pydantic import ValidationError
from sqlalchemy.orm import Session

from tandem.errors import Invalid, TandemError
from tandem.ids import DecisionId, RecordNumber, parse_record_number
from tandem.ranking import serving
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening import decisions
from tandem.screening.client_state import Basis, NewerDecision
from tandem.screening.decisions import Asked, NewWithdrawal
from tandem.screening.ledger.state import RecordKey
from tandem.screening.previews import preview
from tandem.screening.queue import service as queue
from tandem.screening.recording import NewVote, Recorded
from tandem_api.deps import DryRun, InReview, Me
from tandem_api.errors import field_errors, status_of
from tandem_api.routing import Router
from tandem_api.schemas.base import Time
from tandem_api.schemas.decisions import (
    BASIS,
    MADE_AT,
    DecidedOut,
    DecisionIn,
    DecisionItemIn,
    DecisionItemOut,
    DecisionOut,
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
from tandem_api.schemas.members import WorkloadOut
from tandem_api.writing import Write

router = Router(prefix="/reviews/{review_id}", tags=["screening"])


@router.put(
    "/records/{record_id}/decision",
    response_model=DecidedOut | PreviewedOut,
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
    number, stage = parse_record_number(record_id), body.stage

    def work(session: Session) -> DecidedOut | PreviewedOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)

        def act() -> Recorded:
            return decisions.record_decision(
                session,
                review=review,
                viewer=viewer,
                record_number=number,
                stage=stage,
                given=body.judged(body.verdict),
                basis=body.known(),
                criteria_version=body.criteria_version,
                newest=lambda: serving.newest_order(session, review_id, stage),
            )

        if dry_run:
            return _previewed(session, viewer, stage, number, act)
        recorded = RecordedOut.of(act(), stage)
        left = queue.what_is_left(session, review=review, viewer=viewer, stage=stage)
        return DecidedOut.with_left(recorded, left)

    return write(work, changed=None if dry_run else review_id, is_short=True)


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
    basis: Annotated[UUID | None, Query(description=BASIS)] = None,
    made_at: Annotated[Time | None, Query(description=MADE_AT)] = None,
    dry_run: DryRun = False,
) -> Response:
    """Withdraw your own decision. The ledger keeps it; nobody else's vote is touched."""
    number = parse_record_number(record_id)
    known = None if basis is None else Basis(DecisionId(basis))

    def work(session: Session) -> WithdrawnOut | PreviewedOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)

        def act() -> Recorded:
            return decisions.withdraw_decision(
                session,
                review=review,
                viewer=viewer,
                record_number=number,
                stage=stage,
                basis=known,
                made_at=made_at,
            )

        if dry_run:
            return _previewed(session, viewer, stage, number, act)
        key = PlaceOut(status=act().status, stage=stage)
        left = queue.what_is_left(session, review=review, viewer=viewer, stage=stage)
        workload = WorkloadOut.of(left.workload)
        return WithdrawnOut(record=key, remaining=left.remaining, workload=workload)

    return write(work, changed=None if dry_run else review_id, is_short=True)


@router.post(
    "/decisions",
    status_code=207,
    response_model=DecisionsOut,
)
def put_decisions(body: DecisionsIn, me: Me, review_id: InReview, write: Write) -> Response:
    """Record or withdraw many decisions, each of which succeeds or fails alone.

    As from a batch made offline. They are taken in the order they are sent. What is sent again
    changes nothing.
    """

    def work(session: Session) -> DecisionsOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        viewer.require(Role.REVIEWER, "decide records")
        asked = [_asked(raw) for raw in body.items]
        done = iter(
            decisions.decide_many(
                session,
                review=review,
                viewer=viewer,
                asked=[each for each in asked if not isinstance(each, TandemError)],
                newest=cache(lambda stage: serving.newest_order(session, review_id, stage)),
            )
        )
        return DecisionsOut(
            items=[
                _answered(raw, one, one if isinstance(one, TandemError) else next(done))
                for raw, one in zip(body.items, asked, strict=True)
            ]
        )

    return write(work, status=207, changed=review_id)


def _previewed(
    session: Session,
    viewer: Viewer,
    stage: Stage,
    number: RecordNumber,
    act: Callable[[], object],
) -> PreviewedOut:
    key = RecordKey(viewer.review_id, stage, number)
    return PreviewedOut(preview=PreviewOut.of(preview(session, viewer=viewer, key=key, act=act)))


def _asked(raw: Any) -> Asked | TandemError:
    """Return what an item asks for, or why it cannot be understood."""
    try:
        item = DecisionItemIn.model_validate(raw)
        number = parse_record_number(item.record_id)
    except ValidationError as error:
        found = field_errors([dict(one) for one in error.errors()], location="body")
        detail = "; ".join(f"{one.field}: {one.message}" for one in found)
        return Invalid(detail, field=found[0].field)
    except TandemError as error:
        return error
    if item.verdict is None:
        return item.stage, NewWithdrawal(number, item.known(), item.made_at)
    given = item.judged(item.verdict)
    return item.stage, NewVote(number, given, item.known(), item.criteria_version)


def _answered(
    raw: Any, asked: Asked | TandemError, done: Recorded | TandemError
) -> DecisionItemOut:
    named = raw.get("record_id") if isinstance(raw, dict) else None
    record_id = named if isinstance(named, str) else None
    if isinstance(asked, TandemError) or isinstance(done, TandemError):
        error = asked if isinstance(asked, TandemError) else done
        assert isinstance(error, TandemError)  # noqa: S101  # one of the two is
        return DecisionItemOut(
            record_id=record_id,
            status=status_of(error),
            decision=DecisionOut.newer(error) if isinstance(error, NewerDecision) else None,
            error=ItemError(code=error.code, detail=str(error)),
        )
    stage, _ = asked
    if done.decision is None:
        record, decision = PlaceOut(status=done.status, stage=stage), None
    else:
        made = RecordedOut.of(done, stage)
        record, decision = made.record, made.decision
    return DecisionItemOut(record_id=record_id, status=200, decision=decision, record=record)
