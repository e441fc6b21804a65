"""Audits of recall: what was registered, drawn, certified and withdrawn."""

from datetime import datetime
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field

from tandem.reviews.policy import Stage
from tandem.stopping.audits import (
    HIGHEST_CONFIDENCE,
    HIGHEST_TARGET,
    LOWEST_CONFIDENCE,
    LOWEST_TARGET,
)
from tandem.stopping.certificate import still_bad
from tandem.stopping.counting import Step
from tandem.stopping.models import Serving
from tandem.stopping.states import AuditState, Shown, certificate_in_force
from tandem.stopping.words import sentences
from tandem_api.schemas.base import In, Out, PersonId, PersonName, Prose
from tandem_api.schemas.decisions import RankedStage

TARGET = Fraction(19, 20)
"""What the test is asked for where no audit names a target."""
_SHARE = "A decimal number; 0.9 is nine tenths exactly."
_AUDIT_ID = "8f9a0b1c-2d3e-4f4a-8b5c-7d8e9f0a1b2c"
_SEAL = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
UP_TO = "The review's `labels_seq` that this counts up to."


TargetRecall = Annotated[
    float, Field(ge=float(LOWEST_TARGET), le=float(HIGHEST_TARGET), examples=[0.9])
]


Outcome = Literal["include", "exclude", "pending"]


class AuditIn(In):
    """A target that the team means to show, registered before any draw counts."""

    stage: RankedStage
    target_recall: TargetRecall = Field(description=_SHARE)
    confidence: Annotated[
        float, Field(ge=float(LOWEST_CONFIDENCE), le=float(HIGHEST_CONFIDENCE), examples=[0.9])
    ] = Field(description=_SHARE)
    note: Prose | None = Field(default=None, description="Why this target, for the report.")


class AuditChangeIn(In):
    """What is to change; what is left out stays."""

    serving: Serving | None = Field(
        default=None, description="`draws_only` opens the audit, `mixed` pauses it."
    )
    target_recall: TargetRecall | None = None
    state: Literal["abandoned"] | None = Field(
        default=None,
        description="Ends the audit and reveals its seed. A certificate stays.",
    )


class FrameOut(Out):
    """What is drawn from: every record that was there at the registration."""

    n: int
    seq: int = Field(description="The review's `labels_seq` at the registration.")
    last: int = Field(description="The largest record number.")
    sha256: str = Field(
        description="Of `SEED/STAGE/LAST`, so that the order is fixed beforehand.",
        examples=[_SEAL],
    )


class FrameGivenOut(Out):
    """What a certificate is about."""

    n: int
    last: int = Field(description="The largest record number.")
    sha256: str = Field(examples=[_SEAL])


class OutsideFrameOut(Out):
    """Records that came after the registration: imported, or not screened at a draw before."""

    settled: int
    includes: int
    unsettled: int


class AuditMadeOut(Out):
    """A change after the registration."""

    seq: int
    what: str = Field(examples=["serving: draws_only"])


class AuditOut(Out):
    """An audit, by the labels in force now."""

    id: str = Field(examples=[_AUDIT_ID])
    stage: Stage
    state: AuditState
    serving: Serving
    registered_at: datetime
    by: PersonId = Field(description="Who registered it.")
    by_name: PersonName
    note: str | None
    target_recall: float = Field(description="That is aimed at now.")
    certified_recall: float | None = Field(
        description="Of the newest certificate that holds; it may be of another target than the "
        "one now. Null: none holds.",
        examples=[0.9],
    )
    confidence: float
    frame: FrameOut
    seed_revealed: str | None = Field(
        description="In hexadecimal, once an owner has ended the audit."
    )
    n_draws: int
    n_draw_includes: int
    n_pending: int = Field(description="Records that have left the pool and are not settled.")
    pool: int = Field(description="Records of the frame that nobody has decided or drawn.")
    found: int = Field(description="Settled includes in the frame.")
    bad_total: int = Field(description="So many includes in the frame would be too many.")
    e: float
    e_needed: float
    e_provisional: bool = Field(
        description="Records wait: draws among them count as includes, all others as excludes."
    )
    draws_to_go_if_none: int
    recall_low: float | None = Field(
        description="At all times and for all targets at once, so it may lie a little below a "
        "recall that is certified. Null where it is unknown."
    )
    outside_frame: OutsideFrameOut
    changes: list[AuditMadeOut]
    carried: float | None = Field(description="Evidence that an audit before this one had.")
    reframed_as: str | None = Field(description="The audit with the new frame.")
    sentences: list[str] = Field(
        description="The same in words.",
        examples=[["412 read at random, 0 of them included. Evidence 2.8 of 10."]],
    )
    as_of_seq: int = Field(description=UP_TO)

    @classmethod
    def of(cls, found: Shown, *, by_name: str, as_of_seq: int) -> "AuditOut":
        audit, now = found.audit, found.now
        holds = certificate_in_force(audit)
        outside = found.ledger.outside
        return cls(
            id=str(audit.id),
            stage=audit.stage,
            state=found.state,
            serving=audit.serving,
            registered_at=audit.registered_at,
            by=str(audit.registered_by),
            by_name=by_name,
            note=audit.note,
            target_recall=float(now.target),
            certified_recall=None if holds is None else holds["target_recall"],
            confidence=float(now.confidence),
            frame=FrameOut(
                n=audit.n_frame,
                seq=audit.registered_seq,
                last=audit.last_number,
                sha256=audit.seal,
            ),
            seed_revealed=audit.seed.hex() if audit.ended_at else None,
            n_draws=now.n_draws,
            n_draw_includes=now.hits,
            n_pending=sum(found.ledger.waiting.values()),
            pool=now.pool,
            found=now.found,
            bad_total=now.bad_total,
            e=now.e,
            e_needed=now.needed,
            e_provisional=now.is_provisional,
            draws_to_go_if_none=now.draws_to_go,
            recall_low=now.recall_low,
            outside_frame=OutsideFrameOut(
                settled=outside.settled, includes=outside.includes, unsettled=outside.unsettled
            ),
            changes=[AuditMadeOut(**change) for change in audit.changes],
            carried=now.carried,
            reframed_as=str(audit.followed_by) if audit.followed_by else None,
            sentences=sentences(found),
            as_of_seq=as_of_seq,
        )


def outcome_of(step: Step) -> Outcome:
    """Return what a draw has come to, by the labels in force now."""
    if step.drawn.is_pending:
        return "pending"
    return "include" if step.drawn.is_include else "exclude"


class DrawOut(Out):
    """One draw."""

    i: int
    record_id: str = Field(examples=["17"])
    pool: int
    found_before: int
    k: int
    outcome: Outcome
    factor: float
    e: float

    @classmethod
    def of(cls, step: Step) -> "DrawOut":
        bet = step.bet
        return cls(
            i=step.drawn.place,
            record_id=str(step.drawn.record_number),
            pool=bet.pool,
            found_before=bet.found,
            k=still_bad(bet.found, bet.target),
            outcome=outcome_of(step),
            factor=step.factor,
            e=step.e,
        )


class CertificateOut(Out):
    """A certificate as it was given, with the text for a methods section."""

    audit_id: str = Field(examples=[_AUDIT_ID])
    given_at: datetime
    seq: int
    target_recall: float
    confidence: float
    n_draws: int
    n_draw_includes: int
    found: int
    pool: int
    bad_total: int
    e: float | None = Field(description="Null where it is certain without statistics.")
    e_needed: float
    is_certain: bool
    recall_low: float | None
    frame: FrameGivenOut
    outside_frame: OutsideFrameOut
    changes: list[AuditMadeOut]
    withdrawn_at: datetime | None
    withdrawn_because: str | None
    text: str = Field(description="Markdown, to print.", examples=["# Certificate of recall"])
    methods: str = Field(
        description="A paragraph for the report (PRISMA 2020, item 8).",
        examples=["Titles and abstracts were screened independently in Tandem."],
    )
