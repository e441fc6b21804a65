"""All background work: what is not done, and taking up again what failed or was parked."""

from collections.abc import Set
from itertools import chain
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.errors import Conflict, NotFound
from tandem.events import log
from tandem.events.types import ImportRetried
from tandem.ids import ReviewId, UserId, WebhookId
from tandem.ranking.encoding_work import ENCODINGS
from tandem.ranking.second_looks import SECOND_LOOKS
from tandem.ranking.training import RANKINGS
from tandem.records.import_work import IMPORTS
from tandem.reviews import service as reviews
from tandem.reviews.models import Member, Review, Role
from tandem.texts.work import TEXTS
from tandem.webhooks import endpoints
from tandem.webhooks import jobs as webhook_jobs
from tandem.work import lease
from tandem.work.jobs import Job, JobKind, JobState, of_kind
from tandem.work.lease import Kind

KINDS: tuple[Kind[Any], ...] = (IMPORTS, RANKINGS, ENCODINGS, SECOND_LOOKS, TEXTS)
"""Work that one worker at a time holds by a lease. Linking duplicates is an import's last step;
webhooks count their attempts in their own way, over days."""


class NotFailed(Conflict):
    """Only what failed or was parked is tried again by hand."""

    code = "not_failed"


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
        without_events_of: Reviews whose webhooks are left out; see `screens_in`.
    """
    moment = now()
    of_webhooks = webhook_jobs.unfinished(session, moment)
    jobs = [
        job
        for job in chain(*(of_kind(session, kind, moment) for kind in KINDS), of_webhooks)
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


def retry(session: Session, *, job_id: str, by: UserId) -> Job:
    """Make a failed or parked job due at once, with all its tries before it; return it as it was.

    Args:
        session: Of the change.
        job_id: As `unfinished` gave it.
        by: The administrator who says so.

    Raises:
        NotFound: There is no such job; it may be done by now.
        NotFailed: It waits or runs.
    """
    review_id = _find(session, job_id, by).review_id
    session.expire_all()
    review = reviews.lock(session, review_id)
    # Looked at again under the lock: a worker may have finished it meanwhile.
    job = _find(session, job_id, by)
    if job.state not in (JobState.FAILED, JobState.PARKED):
        raise NotFailed(f"This job is {job.state}; only failed and parked ones are tried again.")
    for kind in KINDS:
        if job.id.startswith(f"{kind.name}-"):
            lease.try_again(session, kind, job.target)
    if job.kind in (JobKind.IMPORT, JobKind.DEDUPLICATION) and job.is_over:
        # Otherwise its members have seen no failure.
        retried = ImportRetried(import_id=str(job.target), detail={"by": str(by)})
        log.append(session, review, retried)
    if job.kind is JobKind.WEBHOOK:
        _call_again(session, review, job, by)
    return job


def _find(session: Session, job_id: str, by: UserId) -> Job:
    for job in unfinished(session, without_events_of=screens_in(session, by)):
        if job.id == job_id:
            return job
    raise NotFound("There is no such job; it may be done by now.")


def _call_again(session: Session, review: Review, job: Job, by: UserId) -> None:
    """Let a webhook be called now, and switch it on if its failures have switched it off.

    The person who answers for it stays the same.
    """
    webhook = endpoints.lock(session, review_id=job.review_id, webhook_id=WebhookId(job.target))
    webhook.next_attempt_at = now()
    if webhook.disabled_at is not None:
        webhook.n_failures, webhook.failing_since = 0, None
        webhook.disabled_at = webhook.disabled_reason = None
        endpoints.tell(session, review, webhook, "changed", by=by, changed=["enabled"])
