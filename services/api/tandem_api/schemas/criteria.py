"""Versions of the criteria, second looks at what was decided under earlier ones, words in use."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import Field

from tandem.accounts.models import User
from tandem.ids import UserId
from tandem.reviews.models import CriteriaVersion, Review
from tandem.reviews.policy import Stage
from tandem.reviews.wording import key
from tandem.screening.criteria.affected import Affected, AffectedBy, Why
from tandem.screening.visible_votes import LabelInUse
from tandem_api.paging import Page
from tandem_api.schemas.base import Out, PersonId, PersonName
from tandem_api.schemas.decisions import DecisionOut
from tandem_api.schemas.records import BibliographicOut


class CriteriaVersionOut(Out):
    """The criteria as they were from `created_at` on, until the next version."""

    version: int = Field(examples=[2])
    include: list[str] = Field(examples=[["Paid peer support workers"]])
    exclude: list[str] = Field(examples=[["Not about health"]])
    note: str | None = Field(
        description="Why they were changed.",
        examples=["Volunteers were read in by one of us and not by the other."],
    )
    created_by: PersonId
    created_by_name: PersonName
    created_at: datetime = Field(examples=["2026-11-24T08:00:00Z"])

    @classmethod
    def of(cls, row: CriteriaVersion, names: Mapping[UserId, str]) -> "CriteriaVersionOut":
        return cls(
            version=row.version,
            include=row.include,
            exclude=row.exclude,
            note=row.note,
            created_by=str(row.created_by),
            created_by_name=names[row.created_by],
            created_at=row.created_at,
        )


class WhyOut(Out):
    """One cause for another look.

    `reason`: a reason of the decision is a criterion that was removed or reworded. `maybe`: it
    was left open. `words`: it gives no reason, and title or abstract have words that the change
    added or removed. `conflict`: people differed over a criterion that was changed.
    """

    cause: AffectedBy = Field(examples=["words"])
    criteria: list[str] = Field(examples=[[]])
    words: list[str] = Field(examples=[["paid"]])

    @classmethod
    def of(cls, why: Why) -> "WhyOut":
        return cls(cause=why.touch, criteria=list(why.criteria), words=list(why.words))


class AffectedOut(Out):
    """A decision of yours that wants another look."""

    record: BibliographicOut
    decision: DecisionOut
    why: list[WhyOut]

    @classmethod
    def of(cls, one: Affected) -> "AffectedOut":
        return cls(
            record=BibliographicOut.of(one.record),
            decision=DecisionOut.of(one.decision, one.labels_seq),
            why=[WhyOut.of(why) for why in one.why],
        )


class AffectedPage(Page[AffectedOut]):
    """A page of the list, which leads with what has most causes; `n` counts the whole list."""

    criteria_version: int = Field(description="The newest.")
    n: int
    explanation: str | None = Field(description="Why the list is empty, where it is.")


class LooksOut(Out):
    """How many decisions somebody would be asked to look at again."""

    user_id: PersonId
    name: PersonName
    n: int = Field(examples=[12])

    @classmethod
    def of(cls, user_id: UserId, person: User, n: int) -> "LooksOut":
        return cls(user_id=str(user_id), name=person.name, n=n)


class ReasonOut(Out):
    """Of how many excluded records a reason is the final one."""

    reason: str = Field(examples=["wrong population"])
    n_records: int = Field(examples=[310])
    is_listed: bool = Field(
        description="It is one of the review's exclusion reasons.", examples=[True]
    )


class ReasonsPage(Page[ReasonOut]):
    """The listed reasons in their fixed order, then the others, the most frequent first."""

    stage: Stage
    n_without_reason: int = Field(
        description="Excluded records for which nobody gave one.", examples=[11]
    )

    @staticmethod
    def item(review: Review, reason: str, n_records: int) -> ReasonOut:
        listed = {key(one) for one in review.exclusion_reasons}
        return ReasonOut(reason=reason, n_records=n_records, is_listed=key(reason) in listed)


class LabelOut(Out):
    """A label, and on how many records it is, as far as you may see it."""

    label: str = Field(examples=["interviews"])
    n_records: int = Field(examples=[31])
    n_own: int = Field(description="Of your own decisions.", examples=[20])

    @classmethod
    def of(cls, label: LabelInUse) -> "LabelOut":
        return cls(label=label.label, n_records=label.n_records, n_own=label.n_own)
