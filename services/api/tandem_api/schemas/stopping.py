"""The state of stopping in a stage: what its page shows."""

from dataclasses import asdict
from enum import StrEnum
from fractions import Fraction
from typing import Any

from pydantic import Field

from tandem.reviews.policy import Stage
from tandem.stopping.display import ASSUMES, FEWEST_IN_BOTH, TEAM_NOTE, Display, Team
from tandem.stopping.states import Shown
from tandem_api.schemas.audits import TARGET, UP_TO, AuditOut
from tandem_api.schemas.base import Out


class HypergeometricOut(Out):
    """A test that is right only where what is left is no harder to find than what was found."""

    p: float
    target_recall: float
    supported_recall_95: float | None = Field(
        description="The largest recall for which p is below 5 %."
    )


class ProjectedOut(Out):
    """Includes among the records left, with an interval of 95 %."""

    includes_left: float
    low: float
    high: float


class DisplayOut(Out):
    """The usual heuristics. They promise nothing."""

    assumption: str = Field(examples=[ASSUMES])
    run_since_include: int = Field(description="Settled records since the last include.")
    run_bar: list[int] = Field(
        description="Runs at which many teams stop: 50, and 5 % of the records.",
        examples=[[50, 80]],
    )
    knee_ratio: float | None = Field(description="6 is the usual bar.")
    hypergeometric: HypergeometricOut
    projected: ProjectedOut | None = Field(
        description="If includes stay as frequent as among the last records settled."
    )


class CostOut(Out):
    """What a certificate costs from here on."""

    target_recall: float
    confidence: float
    draws_if_none_found: int
    draws_if_one_left: float
    share_of_pool: float


class AuditCostOut(Out):
    """What an audit would cost, if it were registered now."""

    cost: list[CostOut]


class TeamSensitivityOut(Out):
    """Two reviewers' includes, among the records included in the end."""

    both: int
    only_1: int
    only_2: int
    sensitivity_1: float | None
    sensitivity_2: float | None
    sensitivity_team: float | None
    chapman_missed: float | None = Field(
        description=f"Includes that both missed; null below {FEWEST_IN_BOTH} in both."
    )
    note: str = Field(examples=[TEAM_NOTE])

    @classmethod
    def of(cls, team: Team) -> "TeamSensitivityOut":
        found, says = team.found, team.both >= FEWEST_IN_BOTH
        return cls(
            both=team.both,
            only_1=team.only_1,
            only_2=team.only_2,
            sensitivity_1=_number(found.first) if says else None,
            sensitivity_2=_number(found.second) if says else None,
            sensitivity_team=_number(found.team) if says else None,
            chapman_missed=float(found.missed) if says else None,
            note=TEAM_NOTE,
        )


class BlockingKind(StrEnum):
    """What a certificate waits for.

    `outside_frame`: records that came after the audit was registered and are not settled.
    """

    CONFLICT = "conflict"
    AWAITING = "awaiting"
    DRAWN_UNDECIDED = "drawn_undecided"
    OUTSIDE_FRAME = "outside_frame"


class BlockingOut(Out):
    """How many records a certificate waits for, and why."""

    kind: BlockingKind
    n: int


class StoppingOut(Out):
    """How far a stage is, for those who see all of it."""

    stage: Stage
    as_of_seq: int = Field(description=UP_TO)
    n_records: int
    n_settled: int
    n_pending: int
    n_included: int
    n_pool: int = Field(description="Records that nobody has decided.")
    display: DisplayOut
    cost: list[CostOut]
    audit: AuditOut | None
    team: TeamSensitivityOut | None
    blocking: list[BlockingOut]


class OwnStoppingOut(Out):
    """The same for those who must not see the progress of the pair."""

    stage: Stage
    remaining_for_you: int
    note: str | None = Field(examples=["Records now come in random order."])


def _number(share: Any) -> float | None:
    return None if share is None else float(share)


def stopping_out(
    found: Display,
    shown: Shown | None,
    audit: AuditOut | None,
    *,
    stage: Stage,
    as_of_seq: int,
) -> StoppingOut:
    """Return the panel of a stage."""
    return StoppingOut(
        stage=stage,
        as_of_seq=as_of_seq,
        n_records=found.n_records,
        n_settled=found.n_settled,
        n_pending=found.n_pending,
        n_included=found.n_included,
        n_pool=found.n_pool,
        display=_display(found, shown.now.target if shown else TARGET),
        cost=[CostOut(**asdict(offer)) for offer in found.offers()],
        audit=audit,
        team=TeamSensitivityOut.of(found.team) if found.team else None,
        blocking=_blocking(shown) if shown else [],
    )


def _display(found: Display, target: Fraction) -> DisplayOut:
    knee, projected = found.reading.knee(), found.projected
    return DisplayOut(
        assumption=found.assumption,
        run_since_include=found.reading.run_since_include,
        run_bar=list(found.run_bars),
        knee_ratio=knee.ratio if knee else None,
        hypergeometric=HypergeometricOut(
            p=found.reading.hypergeometric_p(target),
            target_recall=float(target),
            supported_recall_95=found.reading.supported_recall(),
        ),
        projected=ProjectedOut(**asdict(projected)) if projected else None,
    )


def _blocking(audit: Shown) -> list[BlockingOut]:
    waiting = dict(audit.ledger.waiting)
    if not audit.now.can_certify:
        waiting["outside_frame"] = audit.ledger.outside.unsettled
    return [BlockingOut(kind=BlockingKind(kind), n=n) for kind, n in waiting.items() if n]
