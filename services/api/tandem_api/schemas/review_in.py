"""What clients send about a review."""

import re
from typing import TYPE_CHECKING, Annotated, Any, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    create_model,
)

from tandem.records import seeds
from tandem.reviews import wording
from tandem.reviews.policy import Policy, Stage
from tandem_api.schemas.base import In, Line, PlainText, Prose

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
