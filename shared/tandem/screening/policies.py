"""Changing a review's policy: every record is judged again, in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.events import log
from tandem.events.types import ReviewChanged
from tandem.ids import ReviewId
from tandem.reviews import policy as policies
from tandem.reviews import service as reviews
from tandem.reviews.models import Review
from tandem.reviews.policy import Policy, Stage
from tandem.reviews.service import Viewer
from tandem.screening import ledger
from tandem.screening.ledger import Place
from tandem.screening.models import Conflict, ConflictState, ResolvedBy, ScreenedRecord


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change of policy does to the decisions that are there."""

    stage: Stage
    policy: Policy
    n_records_changed: int
    n_conflicts_opened: int
    n_conflicts_closed: int


def change(
    session: Session, *, review: Review, viewer: Viewer, parts: Mapping[Stage, dict[str, Any]]
) -> list[Effect]:
    """Put the changed policies in force and bring every status in line with them.

    To show the effect first, the caller rolls back. The caller has locked the review.
    """
    effects = []
    for stage, part in parts.items():
        value = policies.changed(viewer.policies[stage], part)
        if value == viewer.policies[stage]:
            continue
        reviews.set_policy(session, review, stage=stage, value=value, by=viewer.user_id)
        effects.append(_judge_again(session, review, stage, value))
    if effects:
        review.labels_seq += 1
        changed = [f"policy.{effect.stage}" for effect in effects]
        policy = {effect.stage: effect.policy.model_dump(mode="json") for effect in effects}
        detail = {"by": str(viewer.user_id), "policy": policy}
        log.append(session, review, ReviewChanged(changed=changed, detail=detail))
    return effects


def _judge_again(session: Session, review: Review, stage: Stage, policy: Policy) -> Effect:
    screened = session.execute(
        select(ScreenedRecord.record_number, ScreenedRecord.status)
        .where(ScreenedRecord.review_id == review.id, ScreenedRecord.stage == stage)
        .order_by(ScreenedRecord.record_number)
    ).all()
    open_before = _open_conflicts(session, review.id, stage)
    changed = 0
    for number, before in screened:
        place = Place(review.id, stage, number)
        after = ledger.settle(session, review, policy, place, because=ResolvedBy.POLICY)
        changed += after is not before
    session.flush()
    open_after = _open_conflicts(session, review.id, stage)
    return Effect(
        stage, policy, changed, len(open_after - open_before), len(open_before - open_after)
    )


def _open_conflicts(session: Session, review_id: ReviewId, stage: Stage) -> set[object]:
    query = select(Conflict.id).where(
        Conflict.review_id == review_id,
        Conflict.stage == stage,
        Conflict.state == ConflictState.OPEN,
    )
    return set(session.scalars(query))
