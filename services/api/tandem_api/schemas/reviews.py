"""Reviews and their policies."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    create_model,
)

from tandem.ids import RecordNumber
from tandem.operations.waiting import Overview, Waiting
from tandem.records import seeds
from tandem.reviews import wording
from tandem.reviews.models import Review, Role
from tandem.reviews.policy import Policy, Stage
from tandem.reviews.service import Viewer
from tandem.reviews.settling import Warned, WarningCode
from tandem.screening.blinding.view import newest_sequence
from tandem.screening.policies import Effect, Moved
from tandem.screening.rules import Status
from tandem_api.schemas.base import Id, In, Line, Out, PlainText, Prose, RecordId

_MOST_NAMED = 500
"""Records named in an effect: enough to look at, and a bounded answer."""

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

ExclusionReasons = Annotated[
    list[Line],
    Field(
        max_length=100,
        description="In a fixed order. Of the reasons that a record's excluders give, the first "
        "in this order is its final one. Repetitions are dropped.",
        examples=[["wrong population", "wrong study design"]],
    ),
    AfterValidator(wording.distinct),
]


_ASTERISK_ELSEWHERE = re.compile(r"(?<!\w)\*|\*(?!\s|$)")


def _ends_words(text: str) -> str:
    """Bring white space to single blanks; an asterisk stands for the rest of a word."""
    text = " ".join(text.split())
    if _ASTERISK_ELSEWHERE.search(text):
        raise ValueError("`*` may only end a word, as in `interview*`")
    return text


Highlights = Annotated[
    list[Annotated[Line, Field(max_length=100), AfterValidator(_ends_words)]],
    Field(
        max_length=200,
        description="Words or phrases; `*` at a word's end stands for any ending. Repetitions "
        "are dropped.",
        examples=[["peer support", "interview*"]],
    ),
    AfterValidator(wording.distinct),
]


class CriteriaIn(In):
    include: list[Criterion] = Field(
        default=[], max_length=100, examples=[["Peer support workers"]]
    )
    exclude: list[Criterion] = Field(default=[], max_length=100, examples=[["Not about health"]])


class CriteriaPatch(In):
    """What is left out stays as it is. Other criteria are a new version of them."""

    include: list[Criterion] | None = Field(default=None, max_length=100)
    exclude: list[Criterion] | None = Field(default=None, max_length=100)
    note: Prose | None = Field(
        default=None, description="Why they change; it stands beside the new version."
    )


class HighlightsIn(In):
    """What is left out stays as it is, or is empty."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True)

    for_: Highlights | None = Field(default=None, alias="for")
    against: Highlights | None = None


def _exactly(annotation: Any) -> Any:
    """Return the type of a policy's field for a body: true is not taken for 1, nor 1 for true."""
    if annotation is bool:
        return StrictBool
    *others, last = get_args(annotation)

    def check(value: Any) -> Any:
        if isinstance(value, bool):
            raise ValueError(f"must be {', '.join(map(str, others))} or {last}")
        return value

    return Annotated[annotation, BeforeValidator(check)]


def _part_of_a_policy() -> type[In]:
    """Return a body with the fields of `Policy`, each of which may be left out."""
    fields: dict[str, Any] = {
        name: (_exactly(field.annotation) | None, Field(None, description=field.description))
        for name, field in Policy.model_fields.items()
    }
    about = "Any part of a policy; what is left out stays, or is the default."
    return create_model("PolicyIn", __base__=In, __doc__=about, **fields)


if TYPE_CHECKING:
    PolicyIn = In
else:
    PolicyIn = _part_of_a_policy()


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
    criteria: CriteriaIn = Field(
        default=CriteriaIn(),
        examples=[{"include": ["Peer support workers"], "exclude": ["Not about health"]}],
    )
    exclusion_reasons: ExclusionReasons = Field(default=[])
    seed_studies: SeedStudies = Field(default=[])
    highlights: HighlightsIn = HighlightsIn()
    policy: PoliciesIn = Field(
        default=PoliciesIn(), examples=[{"title_abstract": {"maybe": "conflict"}}]
    )


class ReviewDeletion(In):
    """The review's title, repeated: what is deleted does not come back."""

    title: Annotated[PlainText, Field(max_length=1000)] = Field(
        examples=["Peer support workers in health"]
    )


class ReviewPatch(In):
    """What is left out stays as it is."""

    title: Line | None = None
    question: Prose | None = None
    criteria: CriteriaPatch | None = None
    exclusion_reasons: ExclusionReasons | None = None
    seed_studies: SeedStudies | None = None
    highlights: HighlightsIn | None = None
    policy: PoliciesIn | None = Field(
        default=None, examples=[{"title_abstract": {"reviewers_per_record": 1}}]
    )

    def text_changes(self) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        if self.title is not None:
            changes["title"] = self.title
        if "question" in self.model_fields_set:
            changes["question"] = self.question
        if self.criteria is not None and self.criteria.include is not None:
            changes["criteria_include"] = self.criteria.include
        if self.criteria is not None and self.criteria.exclude is not None:
            changes["criteria_exclude"] = self.criteria.exclude
        if self.exclusion_reasons is not None:
            changes["exclusion_reasons"] = self.exclusion_reasons
        if self.seed_studies is not None:
            changes["seed_studies"] = self.seed_studies
        if self.highlights is not None and self.highlights.for_ is not None:
            changes["highlights_for"] = self.highlights.for_
        if self.highlights is not None and self.highlights.against is not None:
            changes["highlights_against"] = self.highlights.against
        return changes


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
    waiting: WaitingOut

    @classmethod
    def listed(cls, found: Overview) -> "ListedReviewOut":
        shown = ReviewOut.of(found.review, found.viewer.role, found.viewer.policies)
        return cls(
            **dict(shown),
            n_records=found.share.n_records,
            n_decided_by_me=found.share.n_decided,
            remaining_for_me=found.share.remaining,
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
    def whole(cls, found: Overview, at_full_text: int | None) -> "ReviewWaitingOut":
        return cls(
            **dict(WaitingOut.of(found.waiting)),
            n_records=found.share.n_records,
            n_decided_by_me=found.share.n_decided,
            remaining_for_me=found.share.remaining,
            remaining_at_full_text=at_full_text,
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


class MovedOut(Out):
    """A record that gets another status: `from` one `to` the other."""

    model_config = ConfigDict(serialize_by_alias=True)

    record_id: RecordId
    from_: Status = Field(alias="from", examples=["awaiting"])
    to: Status = Field(examples=["awaiting"])

    @classmethod
    def of(cls, moved: Moved) -> "MovedOut":
        number = str(moved.record_number)
        return cls.model_validate({"record_id": number, "from": moved.before, "to": moved.after})


def hidden_note(n_hidden: int) -> str:
    """Say why a preview leaves out what becomes of records."""
    return (
        f"The policy hides from you how people voted on {n_hidden} of the records, which are not "
        "settled yet; what becomes of these would tell it. Make the change to see what it does."
    )


class EffectOut(Out):
    """What a change of policy does, or with `dry_run` would do, to the decisions there are.

    The numbers count all; the lists name the first 500 records each. With `dry_run` all of it is
    null, and `note` says why, where it would tell of votes that the policy in force hides from
    you.
    """

    stage: Stage
    n_records_changed: int | None = Field(examples=[1])
    n_conflicts_opened: int | None = Field(examples=[0])
    n_conflicts_closed: int | None = Field(examples=[0])
    records_changed: list[MovedOut] | None
    conflicts_opened: list[str] | None = Field(
        description="The records that come into conflict.", examples=[[]]
    )
    conflicts_closed: list[str] | None = Field(
        description="The records whose conflict ends.", examples=[[]]
    )
    note: str | None = None

    @classmethod
    def of(cls, effect: Effect, *, dry_run: bool) -> "EffectOut":
        if dry_run and effect.n_hidden:
            return cls(
                stage=effect.stage,
                n_records_changed=None,
                n_conflicts_opened=None,
                n_conflicts_closed=None,
                records_changed=None,
                conflicts_opened=None,
                conflicts_closed=None,
                note=hidden_note(effect.n_hidden),
            )
        return cls(
            stage=effect.stage,
            n_records_changed=effect.n_records_changed,
            n_conflicts_opened=effect.n_conflicts_opened,
            n_conflicts_closed=effect.n_conflicts_closed,
            records_changed=[MovedOut.of(moved) for moved in effect.records_changed[:_MOST_NAMED]],
            conflicts_opened=[str(number) for number in effect.conflicts_opened[:_MOST_NAMED]],
            conflicts_closed=[str(number) for number in effect.conflicts_closed[:_MOST_NAMED]],
        )


class ChangedReviewOut(WholeReviewOut):
    dry_run: bool = Field(examples=[True])
    effects: list[EffectOut]
