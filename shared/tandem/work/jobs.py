"""Background work as its operators see it: what waits, runs, failed, and what was given up.

Jobs are no table of their own, which could differ from the truth: they are what the rows of each
kind of work say at this moment.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from tandem.ids import ReviewId
from tandem.work.attempts import DIED, Attempted
from tandem.work.lease import Kind


class JobKind(StrEnum):
    """`deduplication` is the last step of an import, under the import's own id.

    `text`: a file of a full text is read.
    """

    IMPORT = "import"
    DEDUPLICATION = "deduplication"
    RANKING = "ranking"
    ENCODING = "encoding"
    SECOND_LOOKS = "second_looks"
    TEXT = "text"
    WEBHOOK = "webhook"


class JobState(StrEnum):
    """`failed`: of an import, that its file cannot be read; all else will be tried again.

    `parked`: tried too often. Nobody tries it any more unless somebody asks.
    """

    QUEUED = "queued"
    RUNNING = "running"
    FAILED = "failed"
    PARKED = "parked"


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work that is not done.

    Attributes:
        id: Its kind and the id of what it works on.
        kind: Of work.
        state: At this moment.
        review_id: Whose work it is.
        target: The import, webhook or file of a text; the review itself for all else.
        since: From when on it is in this state.
        attempts: Tries since it last got any further.
        worker: Who runs it, or ran it last: host and process.
        cause: Why the last try failed.
        next_try_at: Not earlier than then; None: as soon as a worker is free, or never.
        is_over: Nobody tries it any more unless somebody asks.
    """

    id: str
    kind: JobKind
    state: JobState
    review_id: ReviewId
    target: UUID
    since: datetime
    attempts: int = 0
    worker: str | None = None
    cause: str | None = None
    next_try_at: datetime | None = None
    is_over: bool = False


def of_kind(session: Session, kind: Kind[Any], moment: datetime) -> Iterator[Job]:
    """Return the unfinished work of one kind.

    `kind.unfinished` selects for each: its row (null where nobody has begun it yet), the review,
    the target, since when it is due, whether it is parked, whether it has failed for good, and the
    name of the job's kind.
    """
    for row, review_id, target, due_since, is_parked, has_failed, name in session.execute(
        kind.unfinished()
    ):
        id, named = f"{kind.name}-{target}", JobKind(name)
        if row is None:
            yield Job(id, named, JobState.QUEUED, review_id, target, since=due_since)
            continue
        state = _state(row, moment, is_parked=bool(is_parked), has_failed=has_failed)
        waits = row.not_before if state is JobState.FAILED else None
        yield Job(
            id=id,
            kind=named,
            state=state,
            review_id=review_id,
            target=target,
            since=_since(row, state) or due_since,
            attempts=row.attempts,
            worker=row.holder,
            cause=DIED if row.lease_until and row.lease_until < moment else row.cause,
            next_try_at=waits if waits is not None and waits > moment else None,
            is_over=has_failed or state is JobState.PARKED,
        )


def _state(row: Attempted, moment: datetime, *, is_parked: bool, has_failed: bool) -> JobState:
    if is_parked:
        return JobState.PARKED
    if has_failed:
        return JobState.FAILED
    if row.lease_until is not None and row.lease_until >= moment:
        return JobState.RUNNING
    was_tried = row.attempts > 0 and (row.cause is not None or row.lease_until is not None)
    return JobState.FAILED if was_tried and row.parked_at is None else JobState.QUEUED


def _since(row: Attempted, state: JobState) -> datetime | None:
    if state is JobState.QUEUED:
        return None
    return row.parked_at if state is JobState.PARKED else row.claimed_at
