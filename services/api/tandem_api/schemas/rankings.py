"""Rankings: what they learnt from, and how they can be asked for."""

from datetime import datetime
from typing import Any

from pydantic import Field

from tandem.ranking.models import Ranking
from tandem.reviews.policy import Stage
from tandem_api.schemas.base import Id, Out
from tandem_api.schemas.decisions import COUNTED
from tandem_api.schemas.screening import TermOut
from tandem_api.schemas.words import RankingKind


class RankingOut(Out):
    """One finished training. It counts every decision whose `labels_seq` is not above its own.

    `kind`: `model`, or before there are labels of both kinds `text` (by the review's question
    and criteria) or `random`. `terms` are those that tell most in the model as a whole.
    `n_vectors` records had a sentence vector that a model could use beside their words.
    `kind`, `n_labels`, `n_relevant` and `terms` are null for blinded reviewers, and for those who
    settle conflicts where the policy hides the votes from them.
    """

    id: Id
    stage: Stage
    model: str = Field(examples=["tandem-1"])
    preset: dict[str, Any] = Field(examples=[{"ngrams": [1, 2]}])
    kind: RankingKind | None
    labels_seq: int = Field(description=COUNTED, examples=[42])
    n_labels: int | None = Field(examples=[40])
    n_relevant: int | None = Field(examples=[6])
    n_ranked: int = Field(examples=[1180])
    n_vectors: int = Field(examples=[1180])
    terms: list[TermOut] | None
    seconds: float = Field(examples=[0.4])
    created_at: datetime

    @classmethod
    def of(cls, ranking: Ranking, *, labels_seq: int, sees_all: bool) -> "RankingOut":
        return cls(
            id=str(ranking.id),
            stage=ranking.stage,
            model=ranking.model,
            preset=ranking.preset,
            kind=ranking.kind if sees_all else None,
            labels_seq=labels_seq,
            n_labels=ranking.n_labels if sees_all else None,
            n_relevant=ranking.n_relevant if sees_all else None,
            n_ranked=ranking.n_ranked,
            n_vectors=ranking.n_vectors,
            terms=[TermOut(term=term, weight=weight) for term, weight in ranking.terms]
            if sees_all
            else None,
            seconds=ranking.seconds,
            created_at=ranking.created_at,
        )


class RankingAskedOut(Out):
    """A ranking that counts `labels_seq` will follow within seconds."""

    labels_seq: int = Field(description=COUNTED, examples=[43])
