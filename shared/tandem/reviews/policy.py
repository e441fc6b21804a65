"""How a review's reviewers work together. Immutable and versioned."""

from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

_FEWEST_FOR_MAJORITY = 3


class Stage(StrEnum):
    TITLE_ABSTRACT = "title_abstract"
    FULL_TEXT = "full_text"


class Policy(BaseModel):
    """The rules of one stage. The defaults are the careful ones."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_serialization_defaults_required=True
    )

    reviewers_per_record: Literal[1, 2, 3] = Field(
        default=2, description="How many people decide each record independently."
    )
    blind: bool = Field(
        default=True, description="Reviewers do not see each other's verdicts before deciding."
    )
    maybe: Literal["conflict", "as_include"] = Field(
        default="as_include", description="What a `maybe` counts as when decisions are compared."
    )
    reasons_must_match: bool = Field(
        default=False, description="Two excludes with different first reasons are a conflict."
    )
    resolution: Literal["adjudicator", "consensus", "majority"] = Field(
        default="adjudicator",
        description="Who settles a conflict: a third person; or its reviewers, who see each "
        "other's decisions as A and B and vote once more; or the larger number, where three "
        "decide each record. What consensus or majority leaves open, an adjudicator settles.",
    )
    voter_may_adjudicate: bool = Field(
        default=False, description="Somebody who decided the record may also settle its conflict."
    )
    adjudicator_sees: Literal["nothing", "anonymous", "all"] = Field(
        default="all", description="What is shown of the differing decisions to who settles them."
    )
    single_include_advances: bool = Field(
        default=False, description="The first include settles the record, without waiting."
    )
    ranking_learns_from: Literal["settled", "all"] = Field(
        default="all",
        description="`settled`: a record teaches the ranking when it has its full number of "
        "decisions, so the order tells nobody a decision that is still hidden from them. `all`: "
        "each decision teaches at once.",
    )


DEFAULT: dict[Stage, Policy] = {
    Stage.TITLE_ABSTRACT: Policy(),
    Stage.FULL_TEXT: Policy(reasons_must_match=True),
}


def changed(policy: Policy, part: dict[str, Any]) -> Policy:
    """Return the policy with some of its fields replaced, validated as a whole."""
    return Policy.model_validate({**policy.model_dump(), **part})


def majority_needs_more(policy: Policy) -> bool:
    """Whether the policy asks for a majority of fewer people than can have one."""
    return policy.resolution == "majority" and policy.reviewers_per_record < _FEWEST_FOR_MAJORITY
