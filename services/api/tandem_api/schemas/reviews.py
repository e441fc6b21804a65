"""Reviews, members, policies."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool

from tandem.accounts.models import User
from tandem.ids import RecordNumber
from tandem.records import seeds
from tandem.reviews.models import Member, Review, Role
from tandem.reviews.policy import Policy, Stage
from tandem.screening.policies import Effect
from tandem_api.schemas.base import In, Line, Out, Prose

Criterion = Annotated[Prose, Field(min_length=1, max_length=2000)]

SeedStudies = Annotated[
    list[Annotated[Prose, Field(max_length=2000)]],
    Field(
        max_length=500,
        description="Studies that the team knows to belong in, each by its DOI, its PMID or its "
        "title. Where the search found them, the ranking begins with what they have in common; "
        "reviewers screen them like all others. Blank entries and repetitions are dropped.",
        examples=[["https://doi.org/10.1000/example.17", "PMID: 22000018"]],
    ),
    AfterValidator(seeds.distinct),
]


def _number(value: Any) -> Any:
    if isinstance(value, bool):  # which Python takes for 1 and 0
        raise ValueError("must be 1, 2 or 3")
    return value


Number = Annotated[Literal[1, 2, 3], BeforeValidator(_number)]


class CriteriaIn(In):
    include: list[Criterion] = Field(default=[], max_length=100)
    exclude: list[Criterion] = Field(default=[], max_length=100)


class PolicyIn(In):
    """Any part of a policy; what is left out stays, or is the default."""

    reviewers_per_record: Number | None = None
    blind: StrictBool | None = None
    maybe: Literal["conflict", "as_include"] | None = None
    reasons_must_match: StrictBool | None = None
    resolution: Literal["adjudicator", "consensus", "majority"] | None = None
    voter_may_adjudicate: StrictBool | None = None
    adjudicator_sees: Literal["nothing", "anonymous", "all"] | None = None
    single_include_advances: StrictBool | None = None


class PoliciesIn(In):
    title_abstract: PolicyIn | None = None
    full_text: PolicyIn | None = None

    def parts(self) -> dict[Stage, dict[str, Any]]:
        given = {Stage.TITLE_ABSTRACT: self.title_abstract, Stage.FULL_TEXT: self.full_text}
        return {stage: part.model_dump(exclude_none=True) for stage, part in given.items() if part}


class ReviewIn(In):
    title: Line = Field(examples=["Peer support workers in health"])
    question: Prose | None = Field(
        default=None, examples=["How do peer support workers experience their role?"]
    )
    criteria: CriteriaIn = CriteriaIn()
    seed_studies: SeedStudies = Field(default=[])
    policy: PoliciesIn = PoliciesIn()


class ReviewPatch(In):
    """What is left out stays as it is."""

    title: Line | None = None
    question: Prose | None = None
    criteria: CriteriaIn | None = None
    seed_studies: SeedStudies | None = None
    policy: PoliciesIn | None = None

    def text_changes(self) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        if self.title is not None:
            changes["title"] = self.title
        if "question" in self.model_fields_set:
            changes["question"] = self.question
        if self.criteria is not None:
            changes["criteria_include"] = self.criteria.include
            changes["criteria_exclude"] = self.criteria.exclude
        if self.seed_studies is not None:
            changes["seed_studies"] = self.seed_studies
        return changes


class CriteriaOut(Out):
    include: list[str]
    exclude: list[str]


class PoliciesOut(Out):
    title_abstract: Policy
    full_text: Policy


class ReviewOut(Out):
    id: str
    title: str
    question: str | None
    criteria: CriteriaOut
    seed_studies: list[str] = Field(description="Known to belong in: DOIs, PMIDs, titles.")
    policy: PoliciesOut
    role: Role = Field(description="Yours.")
    created_at: datetime

    @classmethod
    def of(cls, review: Review, role: Role, policies: Mapping[Stage, Policy]) -> "ReviewOut":
        return cls(
            id=str(review.id),
            title=review.title,
            question=review.question,
            criteria=CriteriaOut(include=review.criteria_include, exclude=review.criteria_exclude),
            seed_studies=review.seed_studies,
            policy=PoliciesOut(
                title_abstract=policies[Stage.TITLE_ABSTRACT], full_text=policies[Stage.FULL_TEXT]
            ),
            role=role,
            created_at=review.created_at,
        )


class SeedStudyOut(Out):
    """Whether the search found a study that the team knew."""

    given: str
    record_id: str | None = Field(description="The record that it is; null if there is none.")


class WholeReviewOut(ReviewOut):
    seed_studies_found: list[SeedStudyOut]

    @classmethod
    def whole(cls, review: ReviewOut, found: Mapping[str, RecordNumber | None]) -> "WholeReviewOut":
        return cls(
            **dict(review),
            seed_studies_found=[
                SeedStudyOut(given=given, record_id=None if number is None else str(number))
                for given, number in found.items()
            ],
        )


class EffectOut(Out):
    """What a change of policy does, or with `dry_run` would do, to the decisions there are."""

    stage: Stage
    n_records_changed: int
    n_conflicts_opened: int
    n_conflicts_closed: int

    @classmethod
    def of(cls, effect: Effect) -> "EffectOut":
        return cls(
            stage=effect.stage,
            n_records_changed=effect.n_records_changed,
            n_conflicts_opened=effect.n_conflicts_opened,
            n_conflicts_closed=effect.n_conflicts_closed,
        )


class ChangedReviewOut(WholeReviewOut):
    dry_run: bool
    effects: list[EffectOut]


class MemberIn(In):
    role: Role


class MemberOut(Out):
    user_id: str
    name: str
    email: str
    role: Role
    added_at: datetime

    @classmethod
    def of(cls, member: Member, user: User) -> "MemberOut":
        return cls(
            user_id=str(member.user_id),
            name=user.name,
            email=user.email,
            role=member.role,
            added_at=member.added_at,
        )
