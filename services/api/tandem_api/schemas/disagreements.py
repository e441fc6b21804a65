"""What reviewers disagreed about: kinds, causes and criteria of conflicts, counted."""

from pydantic import Field

from tandem.reviews.policy import Stage
from tandem.screening.conflicts.disagreements import Disagreements, Outcomes
from tandem.screening.models import Cause, ConflictState, ResolvedBy
from tandem.screening.rules import ConflictKind
from tandem_api.schemas.base import Out


class KindOut(Out):
    kind: ConflictKind
    n_open: int = Field(examples=[0])
    n_resolved: int = Field(examples=[10])


class OutcomesOut(Out):
    """Resolutions that stand: how many included the record, how many excluded it."""

    n_include: int = Field(examples=[5])
    n_exclude: int = Field(examples=[2])


class CauseOut(OutcomesOut):
    cause: Cause | None = Field(description="Null: not given.", examples=["ambiguous_criterion"])


class CriterionOut(OutcomesOut):
    criterion: str | None = Field(description="Null: not given.", examples=["Peer support workers"])


class ReasonsOut(Out):
    """Two first reasons for an exclude that met. Null: none was given."""

    reasons: list[str | None] = Field(
        min_length=2, max_length=2, examples=[["wrong design", "wrong population"]]
    )
    n: int = Field(examples=[2])


class StageDisagreementsOut(Out):
    """A stage's conflicts, counted; causes and criteria with the most resolutions first."""

    n_open: int
    n_resolved: int = Field(examples=[12])
    by_kind: list[KindOut]
    settled_by: dict[ResolvedBy, int] = Field(
        examples=[{"agreement": 2, "duplicate": 0, "policy": 0, "resolution": 9, "withdrawal": 1}]
    )
    resolutions: OutcomesOut
    by_cause: list[CauseOut]
    by_criterion: list[CriterionOut]
    reasons: list[ReasonsOut]

    @classmethod
    def of(cls, found: Disagreements) -> "StageDisagreementsOut":
        kinds = [
            KindOut(
                kind=kind,
                n_open=found.by_kind[kind, ConflictState.OPEN],
                n_resolved=found.by_kind[kind, ConflictState.RESOLVED],
            )
            for kind in ConflictKind
        ]
        return cls(
            n_open=sum(kind.n_open for kind in kinds),
            n_resolved=sum(kind.n_resolved for kind in kinds),
            by_kind=kinds,
            settled_by={by: found.settled_by[by] for by in ResolvedBy},
            resolutions=OutcomesOut(**_counts(found.resolutions)),
            by_cause=[
                CauseOut(cause=cause, **_counts(outcomes))
                for cause, outcomes in sorted(found.by_cause.items(), key=_most_first)
            ],
            by_criterion=[
                CriterionOut(criterion=criterion, **_counts(outcomes))
                for criterion, outcomes in sorted(found.by_criterion.items(), key=_most_first)
            ],
            reasons=[
                ReasonsOut(reasons=list(pair), n=n)
                for pair, n in sorted(
                    found.reasons.items(), key=lambda item: (-item[1], *map(_text, item[0]))
                )
            ],
        )


def _counts(outcomes: Outcomes) -> dict[str, int]:
    return {"n_include": outcomes.n_include, "n_exclude": outcomes.n_exclude}


def _most_first(item: tuple[str | None, Outcomes]) -> tuple[int, str]:
    return -(item[1].n_include + item[1].n_exclude), _text(item[0])


def _text(value: str | None) -> str:
    return value or ""


class DisagreementsOut(Out):
    """By stage, for those stages in which you see all verdicts."""

    stages: dict[Stage, StageDisagreementsOut]

    @classmethod
    def of(cls, found: dict[Stage, Disagreements]) -> "DisagreementsOut":
        return cls(
            stages={stage: StageDisagreementsOut.of(counted) for stage, counted in found.items()}
        )
