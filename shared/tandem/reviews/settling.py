"""Whether anybody may settle a conflict, and what to do where nobody may."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tandem.ids import ReviewId
from tandem.reviews.members import can_act
from tandem.reviews.models import Member, Role
from tandem.reviews.policy import Policy, Stage, majority_needs_more

HOW_TO_SETTLE = (
    "There are two ways: invite an adjudicator or another person (POST "
    "/reviews/{review_id}/invitations), or change the policy (PATCH /reviews/{review_id}): with "
    "`resolution: consensus` the two vote once more, with `voter_may_adjudicate: true` those who "
    "voted may settle, if they are adjudicators or owners."
)
"""Of a team in which everybody has voted."""


class WarningCode(StrEnum):
    NOBODY_MAY_SETTLE = "nobody_may_settle"
    MAJORITY_NEEDS_THREE = "majority_needs_three"


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that the review's policies and people cannot do, in a sentence."""

    code: WarningCode
    message: str


def warnings(
    session: Session, review_id: ReviewId, policies: Mapping[Stage, Policy]
) -> list[Warned]:
    """Return what people should know before they screen with these policies."""
    n_people = session.scalar(
        select(func.count()).where(
            Member.review_id == review_id, Member.role != Role.OBSERVER, can_act()
        )
    )
    found = [
        Warned(
            WarningCode.MAJORITY_NEEDS_THREE,
            f"{stage}: a majority needs 3 reviewers_per_record. With "
            f"{policy.reviewers_per_record}, an adjudicator settles every conflict.",
        )
        for stage, policy in policies.items()
        if majority_needs_more(policy)
    ]
    stuck = [stage for stage, policy in policies.items() if _is_stuck(policy, n_people or 0)]
    if stuck:
        found.append(Warned(WarningCode.NOBODY_MAY_SETTLE, _nobody(stuck, n_people or 0)))
    return found


def _is_stuck(policy: Policy, n_people: int) -> bool:
    """Whether in every conflict all who could settle it have a vote in it."""
    if policy.reviewers_per_record < 2 or policy.voter_may_adjudicate:
        return False
    by_an_adjudicator = policy.resolution == "adjudicator" or majority_needs_more(policy)
    return by_an_adjudicator and n_people <= policy.reviewers_per_record


def _nobody(stages: list[Stage], n_people: int) -> str:
    people = "1 member who screens" if n_people == 1 else f"{n_people} members who screen"
    return (
        f"{' and '.join(stages)}: nobody may settle a conflict. The review has {people}, all of "
        "whom vote on each record, and the policy bars voters from settling. " + HOW_TO_SETTLE
    )
