"""Taking failed and parked work up again, because somebody says that its cause is mended."""

from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.errors import Conflict, NotFound
from tandem.events import log
from tandem.events.types import ImportRetried
from tandem.ids import UserId, WebhookId
from tandem.operations.jobs import Job, JobKind, JobState, screens_in, unfinished
from tandem.ranking import encoding_claims, second_looks, training
from tandem.records import imports
from tandem.records.models import Import
from tandem.reviews import service as reviews
from tandem.reviews.models import Review
from tandem.webhooks import endpoints


class NotFailed(Conflict):
    """Only what failed or was parked is tried again by hand."""

    code = "not_failed"


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
    match job.kind:
        case JobKind.IMPORT | JobKind.DEDUPLICATION:
            imports.try_anew(session.get_one(Import, job.target, with_for_update=True))
            if job.is_over:  # else its members were told of no failure
                retried = ImportRetried(import_id=str(job.target), detail={"by": str(by)})
                log.append(session, review, retried)
        case JobKind.RANKING:
            training.try_anew(session, job.review_id)
        case JobKind.ENCODING:
            encoding_claims.try_anew(session, job.review_id)
        case JobKind.SECOND_LOOKS:
            second_looks.try_anew(session, job.review_id)
        case JobKind.WEBHOOK:
            _call_again(session, review, job, by)
    return job


def _find(session: Session, job_id: str, by: UserId) -> Job:
    for job in unfinished(session, without_events_of=screens_in(session, by)):
        if job.id == job_id:
            return job
    raise NotFound("There is no such job; it may be done by now.")


def _call_again(session: Session, review: Review, job: Job, by: UserId) -> None:
    """Let a webhook be called now, and switch it on if its failures have switched it off.

    Whoever answered for it still does.
    """
    webhook = endpoints.lock(session, review_id=job.review_id, webhook_id=WebhookId(job.target))
    webhook.next_attempt_at = now()
    if webhook.disabled_at is not None:
        webhook.n_failures, webhook.failing_since = 0, None
        webhook.disabled_at = webhook.disabled_reason = None
        endpoints.tell(session, review, webhook, "changed", by=by, changed=["enabled"])
