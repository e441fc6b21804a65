"""Decisions, alone and many at once."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StrictFloat, WithJsonSchema

from tandem.reviews.policy import Stage
from tandem.screening.decisions import Judgement, Recorded
from tandem.screening.models import Decision
from tandem.screening.previews import Preview, Turn
from tandem.screening.rules import Verdict
from tandem_api.schemas.base import In, Line, Out, PlainText, Prose

ScreeningStage = Literal[Stage.TITLE_ABSTRACT]
"""The stages that can be screened so far; full text comes with its own issue."""

COUNTED = (
    "Number of a change that rankings count. For the blinded only those are numbered that they "
    "may know of."
)


class DecisionIn(In):
    verdict: Verdict
    stage: ScreeningStage = Stage.TITLE_ABSTRACT
    reasons: list[Line] = Field(default=[], max_length=20, examples=[["wrong population"]])
    labels: list[Line] = Field(default=[], max_length=50)
    note: Prose | None = None
    seconds: StrictFloat | None = Field(
        default=None, ge=0, le=1e6, allow_inf_nan=False, description="Time spent on the record."
    )

    def judgement(self) -> Judgement:
        return Judgement(self.verdict, self.reasons, self.labels, self.note, self.seconds)


class DecisionItemIn(DecisionIn):
    record_id: PlainText = Field(max_length=50)


class DecisionsIn(In):
    """Each item is judged on its own: a malformed one does not sink the others."""

    items: list[Annotated[Any, WithJsonSchema({"$ref": "#/components/schemas/DecisionItemIn"})]] = (
        Field(max_length=1000)
    )


class DecisionOut(Out):
    """A decision as it stands in the ledger.

    A ranking counts it if the ranking's `labels_seq` is at least this one. `rank` and
    `ranking_id` say where the record stood when it was served; where it was not, in the newest
    ranking then.
    """

    id: str
    record_id: str
    stage: Stage
    verdict: Verdict
    reasons: list[str]
    labels: list[str]
    note: str | None
    seconds: float | None
    informed: bool = Field(description="Another's verdict was open to the reviewer by then.")
    rank: int | None
    ranking_id: str | None
    carried_from: str | None = Field(
        description="The linked record on which this was decided, where it was not this one."
    )
    criteria_version: int = Field(description="Of the review's criteria, as they were then.")
    labels_seq: int = Field(description=COUNTED)
    decided_at: datetime

    @classmethod
    def of(cls, decision: Decision, labels_seq: int) -> "DecisionOut":
        if decision.verdict is None:
            raise AssertionError("a withdrawal is not shown as a decision")
        return cls(
            id=str(decision.id),
            record_id=str(decision.record_number),
            stage=decision.stage,
            verdict=decision.verdict,
            reasons=decision.reasons,
            labels=decision.labels,
            note=decision.note,
            seconds=decision.seconds,
            informed=decision.informed,
            rank=decision.rank,
            ranking_id=None if decision.ranking_id is None else str(decision.ranking_id),
            carried_from=None if decision.carried_from is None else str(decision.carried_from),
            criteria_version=decision.criteria_version,
            labels_seq=labels_seq,
            decided_at=decision.created_at,
        )


class PlaceOut(Out):
    status: str
    stage: Stage


class RecordedOut(Out):
    decision: DecisionOut
    record: PlaceOut

    @classmethod
    def of(cls, recorded: Recorded, stage: Stage) -> "RecordedOut":
        if recorded.decision is None or recorded.labels_seq is None:
            raise AssertionError("a decision that was just recorded is there")
        return cls(
            decision=DecisionOut.of(recorded.decision, recorded.labels_seq),
            record=PlaceOut(status=recorded.status, stage=stage),
        )


class PreviewOut(Out):
    """What would become of the record and its conflict, as far as it is yours to know.

    While a record's status is not open to you, nothing here depends on how others voted.
    """

    status_before: str
    status_after: str
    conflict: Turn | None = Field(description="What would happen to the record's conflict.")
    n_others_touched: int = Field(description="Other people whose decision would change.")

    @classmethod
    def of(cls, preview: Preview) -> "PreviewOut":
        return cls(
            status_before=preview.status_before,
            status_after=preview.status_after,
            conflict=preview.conflict,
            n_others_touched=preview.n_others_touched,
        )


class PreviewedOut(Out):
    """The answer to `?dry_run=true`: nothing was done."""

    preview: PreviewOut


class WithdrawnOut(Out):
    decision: None = None
    record: PlaceOut


class ItemError(Out):
    code: str
    detail: str


class DecisionItemOut(Out):
    """What became of one item: `status` as if it had been sent alone."""

    record_id: str | None
    status: int
    decision: DecisionOut | None = None
    record: PlaceOut | None = None
    error: ItemError | None = None


class DecisionsOut(Out):
    items: list[DecisionItemOut]
