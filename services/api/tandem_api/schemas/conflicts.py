"""Conflicts: the differing votes, their resolution and their discussion."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StrictFloat, StringConstraints

from tandem.reviews.policy import Stage
from tandem.screening.conflicts.discussion import ShownMessage
from tandem.screening.conflicts.visible import Needs, ShownConflict, ShownDecision, ShownResolution
from tandem.screening.ledger.entries import DecisionInput, ResolutionInput
from tandem.screening.models import Cause, ConflictState, ResolvedBy
from tandem.screening.rules import Classification, ConflictKind, Verdict
from tandem_api.schemas.base import Id, In, Line, Out, PersonId, PersonName, Prose
from tandem_api.schemas.decisions import CLASSIFICATION, CRITERIA_VERSION
from tandem_api.schemas.records import BibliographicOut

Criterion = Annotated[
    Prose, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)
]


Words = Annotated[Prose, StringConstraints(min_length=1, max_length=10_000, pattern=r"\S")]


class ConflictDecisionOut(Out):
    """One of the differing votes: by name, or as A, B, C where the policy hides the names.

    `letter` is the voter's while the conflict exists, the same for every viewer; `reviewer` is
    their name, or the letter again.
    """

    letter: str = Field(examples=["A"])
    reviewer: PersonName
    reviewer_id: PersonId | None
    mine: bool
    verdict: Verdict = Field(examples=["exclude"])
    reasons: list[str] = Field(examples=[["wrong population"]])
    classification: Classification | None = Field(description=CLASSIFICATION, examples=[None])
    note: str | None

    @classmethod
    def of(cls, vote: ShownDecision) -> "ConflictDecisionOut":
        return cls(
            letter=vote.letter,
            reviewer=vote.reviewer,
            reviewer_id=None if vote.reviewer_id is None else str(vote.reviewer_id),
            mine=vote.is_mine,
            verdict=vote.verdict,
            reasons=vote.reasons,
            classification=vote.classification,
            note=vote.note,
        )


class ResolutionIn(In):
    verdict: Literal[Verdict.INCLUDE, Verdict.EXCLUDE]
    reasons: list[Line] = Field(default=[], max_length=20)
    note: Prose | None = None
    cause: Cause | None = Field(
        default=None, description="Why the reviewers differed.", examples=["ambiguous_criterion"]
    )
    criterion: Criterion | None = Field(
        default=None,
        description="What they differed on: one of the review's criteria, or your own words.",
        examples=["Peer support workers"],
    )
    classification: Classification | None = Field(
        default=None, description=CLASSIFICATION, examples=[None]
    )

    def settlement(self) -> ResolutionInput:
        verdict = Verdict(self.verdict)
        return ResolutionInput(
            verdict, self.reasons, self.note, self.cause, self.criterion, self.classification
        )


class ReopeningIn(In):
    note: Prose | None = Field(
        default=None,
        description="Why the resolution is taken back.",
        examples=["The criterion was reworded since."],
    )


class SecondVoteIn(In):
    verdict: Verdict
    reasons: list[Line] = Field(default=[], max_length=20)
    labels: list[Line] = Field(default=[], max_length=50)
    note: Prose | None = Field(default=None, examples=["I had read over the second sentence."])
    seconds: StrictFloat | None = Field(default=None, ge=0, le=1e6, allow_inf_nan=False)
    criteria_version: int | None = Field(
        default=None, ge=1, le=2**31 - 1, description=CRITERIA_VERSION, examples=[1]
    )
    classification: Classification | None = Field(
        default=None, description=CLASSIFICATION, examples=[None]
    )

    def given(self) -> DecisionInput:
        return DecisionInput(
            self.verdict,
            self.reasons,
            self.labels,
            self.note,
            self.seconds,
            classification=self.classification,
        )


class ResolutionOut(Out):
    """What settled a conflict; `taken_back_at` where it was opened again since.

    Who gave it, or took it back, is null where names are hidden from you.
    """

    verdict: Verdict
    reasons: list[str] = Field(examples=[[]])
    classification: Classification | None = Field(description=CLASSIFICATION, examples=[None])
    note: str | None = Field(examples=["Peers are the participants."])
    cause: Cause | None = Field(examples=["ambiguous_criterion"])
    criterion: str | None = Field(examples=["Peer support workers"])
    resolver_id: PersonId | None
    resolver_name: str | None = Field(examples=["Eve Adeyemi"])
    resolved_at: datetime = Field(examples=["2026-11-24T14:05:00Z"])
    taken_back_at: datetime | None = Field(examples=["2026-11-25T08:00:00Z"])
    taken_back_by: Id | None
    taken_back_by_name: str | None = Field(examples=["Eve Adeyemi"])
    taken_back_note: str | None = Field(examples=["The criterion was reworded since."])

    @classmethod
    def of(cls, shown: ShownResolution) -> "ResolutionOut":
        made, names = shown.resolution, shown.names
        by = made.taken_back_by if names is not None else None
        return cls(
            verdict=made.verdict,
            reasons=made.reasons,
            classification=made.classification,
            note=made.note,
            cause=made.cause,
            criterion=made.criterion,
            resolver_id=None if names is None else str(made.resolver_id),
            resolver_name=None if names is None else names[made.resolver_id],
            resolved_at=made.created_at,
            taken_back_at=made.taken_back_at,
            taken_back_by=None if by is None else str(by),
            taken_back_by_name=None if by is None or names is None else names[by],
            taken_back_note=made.taken_back_note,
        )


class ConflictOut(Out):
    """Differing decisions on a record. `decisions` are shown as far as the policy lets you.

    `second_votes` are the letters of those who have voted once more since it was opened (to who
    settles and sees no names: once all have); `needs` says who can end it now (an adjudicator
    always can); `history` are the resolutions that were taken back, the oldest first.
    """

    id: Id
    record: BibliographicOut
    stage: Stage
    state: ConflictState
    kind: ConflictKind
    opened_at: datetime
    resolved_at: datetime | None
    resolved_by: ResolvedBy | None = Field(examples=[None])
    needs: Needs | None = Field(examples=["adjudicator"])
    decisions: list[ConflictDecisionOut]
    second_votes: list[str] = Field(examples=[[]])
    resolution: ResolutionOut | None
    history: list[ResolutionOut]

    @classmethod
    def of(cls, shown: ShownConflict) -> "ConflictOut":
        conflict, settled = shown.conflict, shown.resolution
        return cls(
            id=str(conflict.id),
            record=BibliographicOut.of(shown.record),
            stage=conflict.stage,
            state=conflict.state,
            kind=conflict.kind,
            opened_at=conflict.opened_at,
            resolved_at=conflict.resolved_at,
            resolved_by=conflict.resolved_by,
            needs=shown.needs,
            decisions=[ConflictDecisionOut.of(vote) for vote in shown.decisions],
            second_votes=shown.second_votes,
            resolution=ResolutionOut.of(settled) if settled else None,
            history=[ResolutionOut.of(earlier) for earlier in shown.history],
        )


class MessageIn(In):
    text: Words = Field(examples=["The peers are the participants here, not the staff."])


class MessageOut(Out):
    """A comment. `author` is a name, the letter of their vote, or `adjudicator`."""

    id: Id
    author: str = Field(examples=["A"])
    author_id: str | None
    mine: bool
    text: str = Field(examples=["The peers are the participants here, not the staff."])
    sent_at: datetime = Field(examples=["2026-11-24T14:05:00Z"])

    @classmethod
    def of(cls, shown: ShownMessage) -> "MessageOut":
        return cls(
            id=str(shown.message.id),
            author=shown.author,
            author_id=None if shown.author_id is None else str(shown.author_id),
            mine=shown.is_mine,
            text=shown.message.text,
            sent_at=shown.message.created_at,
        )
