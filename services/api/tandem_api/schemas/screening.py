"""The queue, progress, rankings."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal

from pydantic import Field, StrictBool

from tandem.ranking import encoding
from tandem.reviews.policy import Stage
from tandem.screening.lease_models import Lease
from tandem.screening.people.blocked_records import BlockedRecords
from tandem.screening.progress import Progress
from tandem.screening.queue.service import Queue, QueueState
from tandem.screening.recall import Recall
from tandem.screening.shown_records import ShownRecord
from tandem_api.schemas.base import Id, In, Out, PersonId, PersonName, Whole
from tandem_api.schemas.decisions import ScreeningStage
from tandem_api.schemas.jobs import ParkedRankingOut
from tandem_api.schemas.members import WorkloadOut
from tandem_api.schemas.records import RecordOut
from tandem_api.schemas.webhooks import WebhookTroubleOut
from tandem_api.schemas.words import ShownStatus


class QueueIn(In):
    stage: ScreeningStage = Stage.TITLE_ABSTRACT
    limit: Whole = Field(default=10, ge=1, le=500, examples=[5])
    anew: StrictBool = Field(
        default=False,
        description="Give back what you hold and have not decided, and take all from the newest "
        "ranking. What you had put off stays behind all else.",
    )


class TermOut(Out):
    """A word or two, and how far they pull a record up (> 0) or down (< 0)."""

    term: str = Field(examples=["statins"])
    weight: float = Field(examples=[0.31])


class QueueItemOut(Out):
    """A record that is held for you until `lease_expires_at`; asking again renews that.

    `rank` is its place in the ranking it was taken from, 1 the best; null before there is one.
    `score` is null, too, for those to whom a ranking does not tell its `kind`: it would.
    `terms` are those of its own words that brought it there, the strongest first; none where
    the ranking does not tell: before there is a model, and far from its head.
    """

    record: RecordOut
    rank: int | None = Field(examples=[3])
    score: float | None = Field(examples=[0.83])
    ranking_id: Id | None
    lease_expires_at: datetime = Field(examples=["2026-11-23T10:00:00Z"])
    terms: list[TermOut]

    @classmethod
    def of(
        cls,
        lease: Lease,
        shown: ShownRecord,
        reasons: Sequence[tuple[str, float]],
        *,
        sees_score: bool,
    ) -> "QueueItemOut":
        return cls(
            record=RecordOut.shown(shown, lease.stage),
            rank=lease.rank,
            score=lease.score if sees_score else None,
            ranking_id=None if lease.ranking_id is None else str(lease.ranking_id),
            lease_expires_at=lease.expires_at,
            terms=[TermOut(term=term, weight=weight) for term, weight in reasons],
        )


class QueueOut(Out):
    """Your next records. `remaining`: how many you can still decide, these included.

    `state`: `ready` (here they are), `waiting` (the rest is held by others just now),
    `finished` (nothing left for you, or your share is done), `empty` (the review has no
    records), `paused` (you pause), `pilot_done` (you have read the pilot round, which runs).
    """

    items: list[QueueItemOut]
    remaining: int = Field(examples=[1138])
    state: QueueState
    withheld: int = Field(
        description="Records that you are not served: you have an interest in them, as their "
        "author or otherwise. `GET /reviews/{review_id}/interests` lists them.",
        examples=[2],
    )
    workload: WorkloadOut

    @classmethod
    def of(cls, queue: Queue, items: list[QueueItemOut]) -> "QueueOut":
        return cls(
            items=items,
            remaining=queue.remaining,
            state=queue.state,
            withheld=queue.n_withheld,
            workload=WorkloadOut.of(queue.workload),
        )


class DayOut(Out):
    date: date
    n_decisions: int = Field(examples=[42])


class ReviewerProgressOut(Out):
    user_id: PersonId
    name: PersonName
    n_decided: int = Field(examples=[42])
    by_day: list[DayOut]


class CurvePointOut(Out):
    n_decisions: int = Field(examples=[0])
    n_included: int = Field(examples=[0])


class RecallPointOut(Out):
    n_screened: int = Field(examples=[0])
    n_included: int = Field(examples=[0])
    n_possible: int | None = Field(
        description="With those that may be included in the end; null where votes are hidden.",
        examples=[0],
    )


class RecallOut(Out):
    """What was found, in the order in which records were screened: a point for each change.

    `team`: a record is screened when anybody first decides it, included once that is settled, and
    possible while it is open and somebody's present vote keeps it in. `own`: your own decisions;
    included, and included or maybe. Nothing says how many there are to be found.
    """

    of: Literal["team", "own"]
    points: list[RecallPointOut]

    @classmethod
    def from_found(cls, found: Recall) -> "RecallOut":
        points = [
            RecallPointOut(
                n_screened=point.n_screened,
                n_included=point.n_included,
                n_possible=point.n_possible,
            )
            for point in found.points
        ]
        return cls(of=found.of, points=points)


class PlotsOut(Out):
    """Where the same is to be had as pictures (SVG)."""

    recall: str = Field(
        examples=[
            "/api/v1/reviews/6f1c2d3e-5a4b-4c8d-9e0f-112233445566/plots/recall.svg?stage=title_abstract"
        ]
    )
    progress: str = Field(
        examples=[
            "/api/v1/reviews/6f1c2d3e-5a4b-4c8d-9e0f-112233445566/plots/progress.svg?stage=title_abstract"
        ]
    )
    agreement: str | None = Field(
        description="Null for those who may not see how far you agree.",
        examples=[
            "/api/v1/reviews/6f1c2d3e-5a4b-4c8d-9e0f-112233445566/plots/agreement.svg?stage=title_abstract"
        ],
    )


class StageProgressOut(Out):
    """`counts` by status as you may see it: everyone's, or your own `unscreened` and `done`."""

    n_records: int = Field(examples=[1180])
    counts: dict[ShownStatus, int] = Field(
        examples=[
            {"awaiting": 20, "conflict": 1, "excluded": 15, "included": 6, "unscreened": 1138}
        ]
    )
    reviewers: list[ReviewerProgressOut]
    recall_curve: list[CurvePointOut] | None = Field(
        description="Included records against decisions of the team; null for the blinded."
    )
    recall: RecallOut | None = Field(description="Null for an earlier state.")

    @classmethod
    def of(cls, progress: Progress) -> "StageProgressOut":
        return cls(
            n_records=progress.n_records,
            counts=progress.counts,
            reviewers=[
                ReviewerProgressOut(
                    user_id=str(person.user_id),
                    name=person.name,
                    n_decided=person.n_decided,
                    by_day=[DayOut(date=day, n_decisions=n) for day, n in person.by_day.items()],
                )
                for person in progress.reviewers
            ],
            recall_curve=[
                CurvePointOut(n_decisions=point.n_decisions, n_included=point.n_included)
                for point in progress.recall_curve
            ]
            if progress.recall_curve is not None
            else None,
            recall=RecallOut.from_found(progress.recall) if progress.recall else None,
        )


class SentencesOut(Out):
    """Sentence vectors: `encoded` of the review's records have one, made by `model`."""

    model: str = Field(examples=["all-MiniLM-L6-v2"])
    encoded: int = Field(examples=[640])
    of: int = Field(examples=[1180])

    @classmethod
    def of_progress(cls, progress: encoding.Progress) -> "SentencesOut":
        return cls(model=progress.model, encoded=progress.encoded, of=progress.of)


class BlockedRecordsOut(Out):
    """Title and abstract records that lack decisions which nobody is left to make.

    `n_screeners` people screen: all reviewers, and others who have decided a record. People who
    pause, or have done their share, do not count. `n_records` lack more decisions than there are
    such people without a decision on the record and without an interest in it; `record_ids` are
    the first 100. `n_decisions_beyond_shares` are in nobody's share. Let somebody come back, invite
    another person, or change shares or the policy.
    """

    n_screeners: int = Field(examples=[2])
    n_records: int
    record_ids: list[str] = Field(examples=[["17"]])
    n_decisions_beyond_shares: int = Field(examples=[0])

    @classmethod
    def of(cls, found: BlockedRecords) -> "BlockedRecordsOut":
        return cls(
            n_screeners=found.n_screeners,
            n_records=found.n_records,
            record_ids=[str(number) for number in found.numbers],
            n_decisions_beyond_shares=found.n_beyond_shares,
        )


class ProgressOut(Out):
    stages: dict[Stage, StageProgressOut]
    plots: PlotsOut
    sentences: SentencesOut | None = Field(
        description="How far the optional sentence vectors are; null where none were ever made."
    )
    ranking: ParkedRankingOut | None = Field(
        description="For owners: why no more rankings are made; null where they are.",
        examples=[None],
    )
    stranded: BlockedRecordsOut | None = Field(
        description="For owners: what nobody will decide as things are; null if there is nothing."
    )
    webhooks: list[WebhookTroubleOut] | None = Field(
        description="For owners: webhooks that fail, or were switched off for it; null if none."
    )
