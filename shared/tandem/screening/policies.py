"""Changing a review's policy: every record is judged again, in one transaction."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.events import log
from tandem.events.types import Fact, ReviewChanged
from tandem.ids import RecordNumber, ReviewId
from tandem.reviews import policy as policies
from tandem.reviews import service as reviews
from tandem.reviews.models import Review
from tandem.reviews.policy import Policy, Stage
from tandem.reviews.service import Viewer
from tandem.screening.following import Case, follow
from tandem.screening.models import (
    Conflict,
    ConflictState,
    Decision,
    PresentDecision,
    Resolution,
    ResolvedBy,
    ScreenedRecord,
)
from tandem.screening.rules import Status, Vote


class Moved(NamedTuple):
    """A record whose status changed."""

    record_number: RecordNumber
    before: Status
    after: Status


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change of policy does to the decisions that are there, by record number."""

    stage: Stage
    policy: Policy
    records_changed: list[Moved]
    conflicts_opened: list[RecordNumber]
    conflicts_closed: list[RecordNumber]

    @property
    def n_records_changed(self) -> int:
        return len(self.records_changed)

    @property
    def n_conflicts_opened(self) -> int:
        return len(self.conflicts_opened)

    @property
    def n_conflicts_closed(self) -> int:
        return len(self.conflicts_closed)


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
    session.flush()
    effect, facts = Effect(stage, policy, [], [], []), list[Fact]()
    for case in _cases(session, review.id, stage):
        row, was_open = case.row, _is_open(case.conflict)
        before, result = row.status, case.judged(policy)
        kind = case.conflict.kind if case.conflict and was_open else None
        if (result.status, result.conflict) == (before, kind):
            continue
        facts += follow(session, review, policy, case, because=ResolvedBy.POLICY)
        if result.status is not before:
            effect.records_changed.append(Moved(row.record_number, before, result.status))
        if result.conflict and not was_open:
            effect.conflicts_opened.append(row.record_number)
        elif was_open and not result.conflict:
            effect.conflicts_closed.append(row.record_number)
    session.flush()
    log.append(session, review, *facts)
    return effect


def _is_open(conflict: Conflict | None) -> bool:
    return conflict is not None and conflict.state is ConflictState.OPEN


def _cases(session: Session, review_id: ReviewId, stage: Stage) -> Iterator[Case]:
    """Yield every record of the stage that anybody has decided, by number.

    Four queries, however many records there are.
    """
    votes: dict[RecordNumber, list[Vote]] = defaultdict(list)
    cast = (
        select(PresentDecision.record_number, Decision.verdict, Decision.reasons)
        .join(Decision, Decision.id == PresentDecision.decision_id)
        .where(PresentDecision.review_id == review_id, PresentDecision.stage == stage)
    )
    for number, verdict, reasons in session.execute(cast):
        if verdict is not None:
            votes[number].append(Vote(verdict, tuple(reasons)))
    standing = select(Resolution).where(
        Resolution.review_id == review_id,
        Resolution.stage == stage,
        Resolution.is_set_aside.is_(False),
        Resolution.taken_back_at.is_(None),
    )
    resolutions = {row.record_number: row for row in session.scalars(standing)}
    differing = select(Conflict).where(Conflict.review_id == review_id, Conflict.stage == stage)
    conflicts = {row.record_number: row for row in session.scalars(differing)}
    rows = (
        select(ScreenedRecord)
        .where(ScreenedRecord.review_id == review_id, ScreenedRecord.stage == stage)
        .order_by(ScreenedRecord.record_number)
    )
    for row in session.scalars(rows).all():
        number = row.record_number
        yield Case(row, conflicts.get(number), votes.get(number, ()), resolutions.get(number))
