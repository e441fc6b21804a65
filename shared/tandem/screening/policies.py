"""Changing a review's policy: every record is judged again, in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from tandem.events import log
from tandem.events.fact import Fact
from tandem.events.types import ReviewChanged
from tandem.ids import RecordNumber
from tandem.reviews import policy as policies
from tandem.reviews import policy_versions
from tandem.reviews.models import LockedReview, Review
from tandem.reviews.policy import Policy, Stage
from tandem.reviews.service import Viewer
from tandem.screening.blinding import exposure_notes
from tandem.screening.blinding.view import hides_votes
from tandem.screening.ledger import counts
from tandem.screening.ledger.of_stage import load_stage
from tandem.screening.ledger.outcome import apply_outcome
from tandem.screening.ledger.state import RecordState
from tandem.screening.models import ResolvedBy
from tandem.screening.rules import Status


class Moved(NamedTuple):
    """A record whose status changed."""

    record_number: RecordNumber
    before: Status
    after: Status


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change of policy does to the decisions that are there, by record number.

    `n_hidden`: of the records judged again, those on which the policy until then hides the votes
    from who changes it: what becomes of these tells how others voted.
    """

    stage: Stage
    policy: Policy
    records_changed: list[Moved]
    conflicts_opened: list[RecordNumber]
    conflicts_closed: list[RecordNumber]
    n_hidden: int

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
    session: Session, *, review: LockedReview, viewer: Viewer, parts: Mapping[Stage, dict[str, Any]]
) -> list[Effect]:
    """Put the changed policies in force and bring every status in line with them.

    To show the effect first, the caller rolls back.
    """
    effects = []
    for stage, part in parts.items():
        value = policies.changed(viewer.policies[stage], part)
        if value == viewer.policies[stage]:
            continue
        policy_versions.set_policy(session, review, stage=stage, value=value, by=viewer.user_id)
        effects.append(_judge_again(session, review, viewer, stage, value))
    if effects:
        review.labels_seq += 1
        changed = [f"policy.{effect.stage}" for effect in effects]
        policy = {effect.stage: effect.policy.model_dump(mode="json") for effect in effects}
        detail = {"by": str(viewer.user_id), "policy": policy}
        log.append(session, review, ReviewChanged(changed=changed, detail=detail))
    return effects


def _judge_again(
    session: Session, review: Review, viewer: Viewer, stage: Stage, policy: Policy
) -> Effect:
    session.flush()
    moved, opened, closed = list[Moved](), list[RecordNumber](), list[RecordNumber]()
    facts, n_hidden = list[Fact](), 0
    until_now, ending = viewer.policies[stage], list[RecordState]()
    tally = counts.Tally(policy, until_now)
    closes = exposure_notes.closes_conflicts(until_now, policy)
    for state in load_stage(session, review.id, stage):
        before, result, was_open = state.status, state.outcome(policy), state.is_in_conflict
        n_hidden += hides_votes(viewer, stage, before)
        kind = state.conflict.kind if state.conflict and was_open else None
        is_same = (result.status, result.conflict) == (before, kind)
        if not is_same or (closes and was_open):
            ending.append(state)
        if is_same:
            tally.add(state, state)
            continue
        number = state.key.record_number
        after, of_outcome = apply_outcome(session, review, policy, state, because=ResolvedBy.POLICY)
        tally.add(state, after)
        facts += of_outcome
        if result.status is not before:
            moved.append(Moved(number, before, result.status))
        if result.conflict and not was_open:
            opened.append(number)
        elif was_open and not result.conflict:
            closed.append(number)
    tally.store(session, review)
    session.flush()
    exposure_notes.remember(session, until_now, ending)
    log.append(session, review, *facts)
    return Effect(stage, policy, moved, opened, closed, n_hidden)
