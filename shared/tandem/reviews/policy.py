"""How a review's reviewers work together. Immutable and versioned."""

from collections.abc import Mapping
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
        default=2, description="How many people decide each record independently of each other."
    )
    blind: bool = Field(
        default=True,
        description="Reviewers see the others' verdicts on a record only when it is settled.",
    )
    maybe: Literal["conflict", "as_include"] = Field(
        default="as_include",
        description="What a `maybe` counts as when decisions are compared: an include, or "
        "always a conflict.",
    )
    reasons_must_match: bool = Field(
        default=False, description="Two excludes with different first reasons are a conflict."
    )
    resolution: Literal["adjudicator", "consensus", "majority"] = Field(
        default="adjudicator",
        description="Who settles a conflict. `adjudicator`: a third person. `consensus`: its "
        "reviewers, who see each other's decisions as A and B and vote once more. `majority`: the "
        "larger number, where three decide each record. An adjudicator settles what consensus or "
        "majority leaves open.",
    )
    voter_may_adjudicate: bool = Field(
        default=False,
        description="Somebody who decided the record may also settle its conflict.",
    )
    adjudicator_sees: Literal["nothing", "anonymous", "all"] = Field(
        default="all",
        description="What the person who settles a conflict sees of its decisions before: "
        "all with names, all as A and B, or nothing.",
    )
    single_include_advances: bool = Field(
        default=False,
        description="The first include settles the record. It is served on while the stage is "
        "blind: that it is not would tell how somebody voted.",
    )
    ranking_learns_from: Literal["settled", "all"] = Field(
        default="settled",
        description="`settled`: a record teaches the ranking when it has its full number of "
        "decisions, so that the order reveals no hidden decision. `all`: each decision teaches "
        "at once.",
    )


DEFAULT: dict[Stage, Policy] = {
    Stage.TITLE_ABSTRACT: Policy(),
    # The reason to report is derived. Two maybes would make an included report.
    Stage.FULL_TEXT: Policy(maybe="conflict"),
}


def stored(value: Mapping[str, Any]) -> Policy:
    """Return a policy as it was stored or logged.

    A policy from before `ranking_learns_from` counts as `all`.
    """
    return Policy.model_validate({"ranking_learns_from": "all", **value})


def changed(policy: Policy, part: dict[str, Any]) -> Policy:
    """Return the policy with some of its fields replaced, validated as a whole."""
    return Policy.model_validate({**policy.model_dump(), **part})


def majority_needs_more(policy: Policy) -> bool:
    """Whether the policy asks for a majority of fewer people than can have one."""
    return policy.resolution == "majority" and policy.reviewers_per_record < _FEWEST_FOR_MAJORITY
