"""Reviews and their policies."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from pydantic import (
    ConfigDict,
    Field,
)

from tandem.ids import RecordNumber
from tandem.operations.waiting import Overview, Waiting
from tandem.reviews.models import Review, Role
from tandem.reviews.policy import Policy, Stage
from tandem.reviews.service import Viewer
from tandem.reviews.settling import Warned, WarningCode
from tandem.screening.blinding.view import newest_sequence
from tandem_api.schemas.base import Id, Out, RecordId


class CriteriaOut(Out):
    include: list[str] = Field(examples=[["Peer support workers"]])
    exclude: list[str] = Field(examples=[["Not about health"]])


class PoliciesOut(Out):
    title_abstract: Policy
    full_text: Policy


class HighlightsOut(Out):
    """What a page marks in a record's text."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True)

    for_: list[str] = Field(
        alias="for",
        description="Words that speak for an inclusion.",
        examples=[["peer support", "interview*"]],
    )
    against: list[str] = Field(description="Words that speak against one.", examples=[["protocol"]])

    @classmethod
    def of(cls, review: Review) -> "HighlightsOut":
        fields = {"for": review.highlights_for, "against": review.highlights_against}
        return cls.model_validate(fields)


class ReviewOut(Out):
    id: Id
    title: str = Field(examples=["Peer support workers in health"])
    question: str | None = Field(examples=["How do peer support workers experience their role?"])
    criteria: CriteriaOut
    criteria_version: int = Field(description="Counts their changes, from 1.")
    exclusion_reasons: list[str] = Field(
        description="In their fixed order.", examples=[["wrong population", "wrong study design"]]
    )
    seed_studies: list[str] = Field(
        description="Known to belong in: DOIs, PMIDs, titles.",
        examples=[["https://doi.org/10.1000/example.17", "PMID: 22000018"]],
    )
    highlights: HighlightsOut
    policy: PoliciesOut
    role: Role = Field(description="Yours.")
    sequence: int = Field(
        description="Number of the newest event that you may know of: what is read now is as it "
        "was after it. 0 before the first.",
        examples=[42],
    )
    archived_at: datetime | None = Field(
        description="Since then it is archived: nothing in it can be changed."
    )
    created_at: datetime

    @classmethod
    def of(cls, review: Review, role: Role, policies: Mapping[Stage, Policy]) -> "ReviewOut":
        viewer = Viewer(review.id, review.created_by, role, policies)
        return cls(
            id=str(review.id),
            title=review.title,
            question=review.question,
            criteria=CriteriaOut(include=review.criteria_include, exclude=review.criteria_exclude),
            criteria_version=review.criteria_version,
            exclusion_reasons=review.exclusion_reasons,
            seed_studies=review.seed_studies,
            policy=PoliciesOut(
                title_abstract=policies[Stage.TITLE_ABSTRACT], full_text=policies[Stage.FULL_TEXT]
            ),
            highlights=HighlightsOut.of(review),
            role=role,
            sequence=newest_sequence(review, viewer),
            archived_at=review.archived_at,
            created_at=review.created_at,
        )


class WaitingOut(Out):
    """What waits for people in a review, as far as you may know. Null: it is hidden from you."""

    conflicts: int | None = Field(
        description="Open ones that you may see. Null where the policy hides them from you.",
        examples=[3],
    )
    duplicates: int = Field(description="Groups that are proposed and not settled.", examples=[12])
    second_looks: int | None = Field(
        description="Excluded records on the list of second looks, as far as it was made. Null for "
        "the blinded.",
        examples=[0],
    )
    imports_failed: int = Field(description="Files that could not be read.")
    invitations: int | None = Field(
        description="Links that nobody has used and that are good still. Null for all but owners.",
        examples=[1],
    )

    @classmethod
    def of(cls, waiting: Waiting) -> "WaitingOut":
        return cls.model_validate(asdict(waiting))


class ListedReviewOut(ReviewOut):
    """A review in your list: how far you are, and what waits."""

    n_records: int = Field(description="Duplicates aside.", examples=[1180])
    n_decided_by_me: int = Field(examples=[66])
    remaining_for_me: int | None = Field(
        description="What `POST …/queue` says as `remaining`. Null for observers.", examples=[1114]
    )
    remaining_at_full_text: int | None = Field(
        description="The same of the full texts. Null for observers.", examples=[12]
    )
    waiting: WaitingOut

    @classmethod
    def listed(cls, found: Overview) -> "ListedReviewOut":
        shown = ReviewOut.of(found.review, found.viewer.role, found.viewer.policies)
        return cls(
            **dict(shown),
            n_records=found.share.n_records,
            n_decided_by_me=found.share.n_decided,
            remaining_for_me=found.share.remaining,
            remaining_at_full_text=found.at_full_text,
            waiting=WaitingOut.of(found.waiting),
        )


class ReviewWaitingOut(WaitingOut):
    """The same for one review, with how far you are."""

    n_records: int = Field(description="Duplicates aside.", examples=[1180])
    n_decided_by_me: int = Field(examples=[66])
    remaining_for_me: int | None = Field(
        description="What `POST …/queue` says as `remaining`. Null for observers.", examples=[1114]
    )
    remaining_at_full_text: int | None = Field(
        description="The same of the full texts. Null for observers.", examples=[12]
    )

    @classmethod
    def whole(cls, found: Overview) -> "ReviewWaitingOut":
        return cls(
            **dict(WaitingOut.of(found.waiting)),
            n_records=found.share.n_records,
            n_decided_by_me=found.share.n_decided,
            remaining_for_me=found.share.remaining,
            remaining_at_full_text=found.at_full_text,
        )


class SeedStudyOut(Out):
    """Whether the search found a study that the team knew."""

    given: str = Field(examples=["https://doi.org/10.1000/example.17"])
    record_id: RecordId | None = Field(description="The record that it is; null if there is none.")


class WarningOut(Out):
    """Something that the review's policies and people cannot do."""

    code: WarningCode
    message: str = Field(
        description="What it is, and what to do about it.",
        examples=[
            "title_abstract: nobody may settle a conflict. The review has 2 members who screen, "
            "all of whom vote on each record, and the policy bars voters from settling."
        ],
    )


class WholeReviewOut(ReviewOut):
    warnings: list[WarningOut] = Field(
        description="What its policies and people cannot do: above all, whether nobody may settle "
        "a conflict."
    )
    seed_studies_found: list[SeedStudyOut]

    @classmethod
    def whole(
        cls,
        review: ReviewOut,
        found: Mapping[str, RecordNumber | None],
        warned: Sequence[Warned],
    ) -> "WholeReviewOut":
        return cls(
            **dict(review),
            warnings=[WarningOut(code=one.code, message=one.message) for one in warned],
            seed_studies_found=[
                SeedStudyOut(given=given, record_id=None if number is None else str(number))
                for given, number in found.items()
            ],
        )
