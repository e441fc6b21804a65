"""Background work, for administrators, and the part of it that owners see."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from tandem.ranking.models import Training
from tandem.work.jobs import Job, JobKind, JobState
from tandem_api.schemas.base import Id, Out


class JobOut(Out):
    """One piece of background work that is not done.

    `queued` waits for a worker. `failed` will be tried again by itself, except an import whose
    file cannot be read. `parked` was tried too often and waits for somebody to say that it may be
    tried again, or for something about it to change.
    """

    id: str = Field(examples=["ranking-6f1c2d3e-5a4b-4c8d-9e0f-112233445566"])
    kind: JobKind = Field(
        description="`deduplication` is the last step of an import.", examples=["ranking"]
    )
    state: JobState = Field(examples=["parked"])
    review_id: Id
    target_id: Id = Field(
        description="The import, webhook or file of a text; else the review itself."
    )
    since: datetime = Field(description="From when on it is in this state.")
    attempts: int = Field(description="Tries since it last got any further.", examples=[5])
    worker: str | None = Field(
        description="Who runs it or ran it last: host and process.", examples=["worker-1:4711"]
    )
    cause: str | None = Field(
        description="Why the last try failed.",
        examples=["The worker fell silent: it was killed, ran out of memory, or was cut off."],
    )
    next_try_at: datetime | None = Field(description="It is not tried again earlier than then.")

    @classmethod
    def of(cls, job: Job) -> "JobOut":
        return cls(
            id=job.id,
            kind=job.kind,
            state=job.state,
            review_id=str(job.review_id),
            target_id=str(job.target),
            since=job.since,
            attempts=job.attempts,
            worker=job.worker,
            cause=job.cause,
            next_try_at=job.next_try_at,
        )


class RetriedOut(Out):
    """A job that is due again, at once, as if it had never failed."""

    id: str = Field(examples=["ranking-6f1c2d3e-5a4b-4c8d-9e0f-112233445566"])
    state: Literal["queued"] = "queued"


class ParkedRankingOut(Out):
    """Rankings are made no more: all tries failed. The newest one is served on.

    They are tried again when records are added or changed, when the policy changes, when an owner
    asks for a ranking, or when an administrator says so.
    """

    state: Literal["parked"] = "parked"
    since: datetime | None
    cause: str | None

    @classmethod
    def of(cls, training: Training) -> "ParkedRankingOut":
        return cls(since=training.parked_at, cause=training.cause)
