"""How much of a stage's work is one member's.

A share is a part of all the decisions that a stage needs, so it depends neither on what anybody
decides nor on when the others work. It bounds what is served; what is sent all the same is
accepted, as every decision is.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session

from tandem.ids import ReviewId, UserId
from tandem.reviews.models import Member
from tandem.reviews.policy import Policy, Stage
from tandem.screening.full_text.population import gate, is_there, n_in_stage
from tandem.screening.models import PresentDecision

_ROUNDING = 1e-9
"""0.29 of 100 are 29, whatever floating point makes of it."""


@dataclass(frozen=True, slots=True)
class Workload:
    """What somebody has decided of a stage's records, of how much; no target without a share."""

    decided: int
    target: int | None

    @property
    def left(self) -> int | None:
        return None if self.target is None else max(0, self.target - self.decided)


def of_members(
    session: Session,
    review_id: ReviewId,
    stage: Stage,
    policies: Mapping[Stage, Policy],
    members: Collection[Member],
    *,
    total: int | None = None,
    decided: Mapping[UserId, int] | None = None,
) -> dict[UserId, Workload]:
    """Return each of these members' part of a stage.

    `total` are its records, `decided` what each of them has decided, where these are known.
    """
    if decided is None:
        people = [member.user_id for member in members]
        whose = {"review_id": review_id, "stage": stage, "people": people}
        decided = dict(session.execute(_decided(stage, policies), whose).all())
    quota = policies[stage].reviewers_per_record
    if total is None:
        has_shares = any(member.share is not None for member in members)
        total = n_in_stage(session, review_id, stage, gate(policies)) if has_shares else 0
    return {
        member.user_id: Workload(
            decided.get(member.user_id, 0), target(member.share, total=total, quota=quota)
        )
        for member in members
    }


def _decided(stage: Stage, policies: Mapping[Stage, Policy]) -> Select[UserId, int]:
    return (
        select(PresentDecision.reviewer_id, func.count())
        .where(
            PresentDecision.review_id == bindparam("review_id"),
            PresentDecision.stage == bindparam("stage"),
            PresentDecision.reviewer_id.in_(bindparam("people", expanding=True)),
            is_there(stage, gate(policies), PresentDecision.record_number),
        )
        .group_by(PresentDecision.reviewer_id)
    )


def target(share: float | None, *, total: int, quota: int) -> int | None:
    """Return how many decisions a share amounts to: rounded down, and one a record at most."""
    if share is None:
        return None
    return min(total, int(share * total * quota + _ROUNDING))
