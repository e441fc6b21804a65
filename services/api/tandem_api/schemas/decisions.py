"""Decisions, alone and many at once."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StrictFloat, WithJsonSchema

from tandem.ids import DecisionId
from tandem.reviews.policy import Stage
from tandem.screening.client_state import Basis, NewerDecision
from tandem.screening.ledger.entries import DecisionInput
from tandem.screening.models import Decision
from tandem.screening.previews import Preview, Turn
from tandem.screening.queue.service import Left
from tandem.screening.recording import Recorded
from tandem.screening.rules import Classification, Verdict
from tandem_api.schemas.base import Id, In, Line, Out, PlainText, Prose, RecordId, Time
from tandem_api.schemas.members import WorkloadOut
from tandem_api.schemas.words import ErrorCode, ShownStatus

ScreeningStage = Stage
"""The stages that are screened."""

RankedStage = Literal[Stage.TITLE_ABSTRACT]
"""The stages in which a ranking is learned, so that reading may stop before the end."""

CLASSIFICATION = (
    "Of a full text that you include, or say maybe to: its study is not finished (`ongoing`), or "
    "what is published does not suffice to judge it (`awaiting_classification`)."
)

COUNTED = (
    "Number of a change that rankings count. For the blinded only those are numbered that they "
    "may know of."
)


BASIS = (
    "The id of your newest decision on this record and stage that you know of, null for none. If "
    "there is a newer one: 409 `newer_decision`. Left out: nothing is checked."
)
MADE_AT = (
    "When it was made, by your clock: kept beside the server's time, and decides nothing. At most "
    "5 minutes ahead of the server's clock."
)


CRITERIA_VERSION = (
    "Of the review's criteria that were shown when it was made, as `criteria_version` of the "
    "review. A decision under earlier criteria counts, and is among those that the change may "
    "touch; the same one under later criteria says that you have looked again. Left out: those in "
    "force when it arrives."
)


class _DecisionFields(In):
    stage: ScreeningStage = Stage.TITLE_ABSTRACT
    reasons: list[Line] = Field(default=[], max_length=20, examples=[["wrong population"]])
    labels: list[Line] = Field(default=[], max_length=50)
    note: Prose | None = None
    seconds: StrictFloat | None = Field(
        default=None,
        ge=0,
        le=1e6,
        allow_inf_nan=False,
        description="Time spent on the record.",
        examples=[12.5],
    )
    basis: UUID | None = Field(
        default=None, description=BASIS, examples=["5c6d7e8f-9a0b-4d1e-9f2a-4b5c6d7e8f9a"]
    )
    made_at: Time | None = Field(
        default=None, description=MADE_AT, examples=["2026-11-23T09:29:58Z"]
    )

    criteria_version: int | None = Field(
        default=None, ge=1, le=2**31 - 1, description=CRITERIA_VERSION, examples=[1]
    )

    classification: Classification | None = Field(
        default=None, description=CLASSIFICATION, examples=[None]
    )

    def known(self) -> Basis | None:
        """Return what the client says it knows of; None where it says nothing."""
        if "basis" not in self.model_fields_set:
            return None
        return Basis(None if self.basis is None else DecisionId(self.basis))

    def judged(self, verdict: Verdict) -> DecisionInput:
        return DecisionInput(
            verdict,
            self.reasons,
            self.labels,
            self.note,
            self.seconds,
            made_at=self.made_at,
            classification=self.classification,
        )


class DecisionIn(_DecisionFields):
    verdict: Verdict = Field(examples=["exclude"])


class DecisionItemIn(_DecisionFields):
    """One of many. A `verdict` of null withdraws your decision, without any other field."""

    record_id: PlainText = Field(max_length=50, examples=["17"])
    verdict: Verdict | None


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

    id: Id
    record_id: RecordId
    stage: Stage
    verdict: Verdict
    reasons: list[str] = Field(examples=[[]])
    classification: Classification | None = Field(description=CLASSIFICATION, examples=[None])
    labels: list[str] = Field(examples=[["interviews"]])
    note: str | None
    seconds: float | None = Field(examples=[12.5])
    informed: bool = Field(description="Another's verdict was open to the reviewer by then.")
    rank: int | None = Field(examples=[3])
    ranking_id: Id | None
    carried_from: str | None = Field(
        description="The linked record on which this was decided, where it was not this one."
    )
    criteria_version: int = Field(description="Of the review's criteria, as they were then.")
    labels_seq: int = Field(description=COUNTED, examples=[42])
    decided_at: datetime
    made_at: datetime | None = Field(
        description="When it was made by the client's own clock.", examples=["2026-11-23T09:29:58Z"]
    )

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
            classification=decision.classification,
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
            made_at=decision.made_at,
        )

    @classmethod
    def newer(cls, error: NewerDecision) -> "DecisionOut | None":
        """Return the decision that was in the way; None where it was a withdrawal."""
        if error.decision is None or error.labels_seq is None:
            return None
        return cls.of(error.decision, error.labels_seq)


class PlaceOut(Out):
    status: ShownStatus = Field(examples=["done"])
    stage: Stage
    counted: bool = Field(
        default=True,
        exclude_if=lambda counted: counted,
        description="Left out where it counts. False: the record is not at full text now, or its "
        "text is not retrieved. What you decided is kept, and counts when it is there again.",
        examples=[True],
    )


class RecordedOut(Out):
    decision: DecisionOut
    record: PlaceOut

    @classmethod
    def of(cls, recorded: Recorded, stage: Stage) -> "RecordedOut":
        if recorded.decision is None or recorded.labels_seq is None:
            raise AssertionError("a decision that was just recorded is there")
        return cls(
            decision=DecisionOut.of(recorded.decision, recorded.labels_seq),
            record=PlaceOut(status=recorded.status, stage=stage, counted=recorded.counted),
        )


class _LeftOut(Out):
    remaining: int = Field(
        description="How many you can still decide, as the queue says.", examples=[1137]
    )
    workload: WorkloadOut


class DecidedOut(RecordedOut, _LeftOut):
    """Your decision, and what is left for you."""

    @classmethod
    def with_left(cls, recorded: RecordedOut, left: Left) -> "DecidedOut":
        workload = WorkloadOut.of(left.workload)
        return cls(**dict(recorded), remaining=left.remaining, workload=workload)


class PreviewOut(Out):
    """What would become of the record and its conflict, as far as it is yours to know.

    While a record's status is not open to you, nothing here depends on how others voted.
    """

    status_before: ShownStatus
    status_after: ShownStatus
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


class WithdrawnOut(_LeftOut):
    decision: None = Field(default=None, examples=[None])
    record: PlaceOut


class ItemError(Out):
    code: ErrorCode = Field(examples=["newer_decision"])
    detail: str = Field(
        examples=[
            "You have decided this record since, in another window or on another device. "
            "Nothing was changed. Look at it, and send yours again with that decision as "
            "`basis` if it holds."
        ]
    )


class DecisionItemOut(Out):
    """What became of one item: `status` as if it had been sent alone.

    `decision` is yours as it stands now: null where you have none; with `newer_decision` the one
    that your client did not know of.
    """

    record_id: RecordId | None
    status: int = Field(examples=[200])
    decision: DecisionOut | None = None
    record: PlaceOut | None = None
    error: ItemError | None = None


class DecisionsOut(Out):
    items: list[DecisionItemOut]
