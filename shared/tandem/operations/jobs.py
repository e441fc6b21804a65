"""Background work as its operators see it: what waits, runs, failed, and what was given up.

Jobs are no table of their own, which could differ from the truth: they are what imports, the
claims on trainings and encodings, and webhooks say in the database at this moment.
"""

from collections.abc import Iterator, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import chain
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.db.tries import DIED, Tried
from tandem.events.log import Event
from tandem.events.positions import EventPosition
from tandem.ids import ReviewId, UserId, WebhookId
from tandem.ranking import training
from tandem.ranking.models import Encoding, SecondLook, Training
from tandem.records.models import Import, ImportState, ImportStep
from tandem.reviews.models import Member, Review, Role
from tandem.webhooks.delivery import LEASE
from tandem.webhooks.models import (
    DeliveryKind,
    DeliveryState,
    DisabledReason,
    Webhook,
    WebhookDelivery,
)

KEPT = timedelta(days=30)
"""So long a file that could not be read is listed; its import says so for ever."""

_GIVEN_UP = (DisabledReason.GONE, DisabledReason.FAILING)


class JobKind(StrEnum):
    """`deduplication` is the last step of an import, under the import's own id."""

    IMPORT = "import"
    DEDUPLICATION = "deduplication"
    RANKING = "ranking"
    ENCODING = "encoding"
    SECOND_LOOKS = "second_looks"
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
        target: The import or webhook; the review itself for all else.
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


def unfinished(
    session: Session,
    *,
    states: Set[JobState] = frozenset(JobState),
    kinds: Set[JobKind] = frozenset(JobKind),
    without_events_of: Set[ReviewId] = frozenset(),
) -> list[Job]:
    """Return the work of all reviews that is not done, what has waited longest first.

    Args:
        session: Reads.
        states: Only these.
        kinds: Only these.
        without_events_of: Reviews of whose webhooks nothing is told; see `screens_in`.
    """
    moment = now()
    parts = (_imports, _rankings, _encodings, _second_looks, _webhooks)
    jobs = [
        job
        for job in chain.from_iterable(part(session, moment) for part in parts)
        if job.state in states
        and job.kind in kinds
        and not (job.kind is JobKind.WEBHOOK and job.review_id in without_events_of)
    ]
    return sorted(jobs, key=lambda job: (job.since, job.id))


def screens_in(session: Session, user_id: UserId) -> frozenset[ReviewId]:
    """Return the reviews in which this person may be blind to others' verdicts.

    How many events a review has, and when a webhook has something to send, hangs on how others
    voted; to administer the installation opens nobody's eyes.
    """
    query = select(Member.review_id).where(
        Member.user_id == user_id, Member.role.in_((Role.REVIEWER, Role.OBSERVER))
    )
    return frozenset(session.scalars(query))


def _imports(session: Session, moment: datetime) -> Iterator[Job]:
    is_new = or_(Import.finished_at.is_(None), Import.finished_at > moment - KEPT)
    over = (ImportState.DONE, ImportState.TAKEN_BACK)
    query = (
        select(Import)
        .join(Review, Review.id == Import.review_id)
        .where(Import.state.not_in(over), is_new, Review.is_active())
    )
    for row in session.scalars(query):
        match row.state:
            case ImportState.FAILED if row.parked_at is not None:
                state = JobState.PARKED
            case ImportState.FAILED:
                state = JobState.FAILED
            case ImportState.QUEUED:
                state = JobState.QUEUED
            case _:
                state = _state(row, moment)
        yield _job(
            row,
            JobKind.DEDUPLICATION if row.step is ImportStep.LINKING else JobKind.IMPORT,
            state,
            review_id=row.review_id,
            target=row.id,
            # One that has had a turn waits since its begin.
            due_since=row.claimed_at or row.created_at,
            id=f"import-{row.id}",
            is_over=row.state is ImportState.FAILED,
            moment=moment,
        )


def _rankings(session: Session, moment: datetime) -> Iterator[Job]:
    parked = set(session.scalars(select(Training.review_id).where(training.is_parked())))
    query = (
        select(Review.id, Review.created_at, Review.stale_since, Training)
        .outerjoin(Training, Training.review_id == Review.id)
        .where(
            Review.labels_seq > 0,
            Review.is_active(),
            or_(Training.review_id.is_(None), Training.trained_seq < Review.labels_seq),
        )
    )
    for review_id, created_at, stale_since, row in session.execute(query):
        due_since, id = stale_since or created_at, f"ranking-{review_id}"
        if row is None:
            kind, state = JobKind.RANKING, JobState.QUEUED
            yield Job(id, kind, state, review_id, target=review_id, since=due_since)
            continue
        yield _job(
            row,
            JobKind.RANKING,
            JobState.PARKED if review_id in parked else _state(row, moment),
            review_id=review_id,
            target=review_id,
            due_since=due_since,
            moment=moment,
        )


def _encodings(session: Session, moment: datetime) -> Iterator[Job]:
    query = (
        select(Encoding, Review.corpus_seq, Review.created_at)
        .join(Review, Review.id == Encoding.review_id)
        .where(Encoding.corpus_seq < Review.corpus_seq, Review.is_active())
    )
    for row, corpus_seq, created_at in session.execute(query):
        is_parked = row.parked_at is not None and row.parked_corpus_seq >= corpus_seq
        yield _job(
            row,
            JobKind.ENCODING,
            JobState.PARKED if is_parked else _state(row, moment),
            review_id=row.review_id,
            target=row.review_id,
            due_since=row.began_at or created_at,
            moment=moment,
        )


def _second_looks(session: Session, moment: datetime) -> Iterator[Job]:
    query = (
        select(SecondLook, Review.created_at)
        .join(Review, Review.id == SecondLook.review_id)
        .where(SecondLook.asked > SecondLook.done, Review.is_active())
    )
    for row, created_at in session.execute(query):
        yield _job(
            row,
            JobKind.SECOND_LOOKS,
            _state(row, moment) if row.parked_at is None else JobState.PARKED,
            review_id=row.review_id,
            target=row.review_id,
            due_since=row.asked_at or created_at,
            moment=moment,
        )


def _webhooks(session: Session, moment: datetime) -> Iterator[Job]:
    """Find the webhooks that are behind their log, or were switched off for their failures."""
    query = (
        select(Webhook, Event.created_at)
        .join(Review, Review.id == Webhook.review_id)
        .outerjoin(
            EventPosition,
            (EventPosition.consumer == Webhook.consumer)
            & (EventPosition.review_id == Webhook.review_id),
        )
        .outerjoin(
            Event,
            (Event.review_id == Webhook.review_id) & (Event.seq == EventPosition.seq + 1),
        )
        .where(
            Review.deleted_at.is_(None),
            or_(
                Webhook.disabled_reason.in_(_GIVEN_UP),
                Webhook.disabled_at.is_(None) & (EventPosition.seq < Review.last_seq),
            ),
        )
    )
    found = session.execute(query).all()
    answers = _last_answers(session, [row.id for row, _ in found if row.n_failures])
    for row, waits_since in found:
        if row.disabled_at is not None:
            state, since = JobState.PARKED, row.disabled_at
        elif row.lease_until is not None and row.lease_until >= moment:
            state, since = JobState.RUNNING, row.lease_until - LEASE
        elif row.n_failures:
            state, since = JobState.FAILED, row.failing_since or waits_since
        else:
            state, since = JobState.QUEUED, waits_since
        yield Job(
            id=f"{JobKind.WEBHOOK}-{row.id}",
            kind=JobKind.WEBHOOK,
            state=state,
            review_id=row.review_id,
            target=row.id,
            since=since,
            attempts=row.n_failures,
            cause=answers.get(row.id) or row.disabled_reason,
            next_try_at=row.next_attempt_at if state is JobState.FAILED else None,
            is_over=state is JobState.PARKED,
        )


def _last_answers(session: Session, webhook_ids: list[WebhookId]) -> dict[WebhookId, str]:
    """Return what came of the last attempts at what is their turn."""
    query = select(WebhookDelivery.webhook_id, WebhookDelivery.attempts).where(
        WebhookDelivery.webhook_id.in_(webhook_ids),
        WebhookDelivery.state == DeliveryState.PENDING,
        WebhookDelivery.kind == DeliveryKind.LOG,
    )
    return {
        webhook_id: str(attempts[-1].get("error") or f"HTTP {attempts[-1].get('status')}")
        for webhook_id, attempts in session.execute(query)
        if attempts
    }


def _state(row: Tried, moment: datetime) -> JobState:
    """Tell of work that is due and not parked whether somebody is at it."""
    if row.lease_until is not None and row.lease_until >= moment:
        return JobState.RUNNING
    has_failed = row.attempts > 0 and (row.cause is not None or row.lease_until is not None)
    return JobState.FAILED if has_failed and row.parked_at is None else JobState.QUEUED


def _job(
    row: Tried,
    kind: JobKind,
    state: JobState,
    *,
    review_id: ReviewId,
    target: UUID,
    due_since: datetime,
    moment: datetime,
    id: str | None = None,
    is_over: bool = False,
) -> Job:
    since = {
        JobState.QUEUED: due_since,
        JobState.RUNNING: row.claimed_at,
        JobState.FAILED: row.claimed_at,
        JobState.PARKED: row.parked_at,
    }[state]
    has_died = row.lease_until is not None and row.lease_until < moment
    waits = row.not_before if state is JobState.FAILED else None
    return Job(
        id=id or f"{kind}-{target}",
        kind=kind,
        state=state,
        review_id=review_id,
        target=target,
        since=since or due_since,
        attempts=row.attempts,
        worker=row.holder,
        cause=DIED if has_died else row.cause,
        next_try_at=waits if waits is not None and waits > moment else None,
        is_over=is_over or state is JobState.PARKED,
    )
