"""Background work, for those who run the installation."""

from datetime import datetime
from typing import Annotated

from fastapi import Query, Response
from sqlalchemy.orm import Session

from tandem.db.keyset import sliced
from tandem.ids import ImportId
from tandem.operations.jobs import retry, screens_in, unfinished
from tandem.work.jobs import Job, JobKind, JobState
from tandem_api.deps import Administrator, Here, Limit, PageFrom, Read
from tandem_api.paging import Page
from tandem_api.problems import errors
from tandem_api.routing import Router
from tandem_api.schemas.jobs import JobOut, RetriedOut
from tandem_api.writing import Write

router = Router(prefix="/jobs", tags=["operations"])


@router.get("", responses=errors(403))
def list_jobs(
    session: Read,
    me: Administrator,
    page: PageFrom,
    state: Annotated[JobState | None, Query(description="Only those in this state.")] = None,
    kind: Annotated[JobKind | None, Query(description="Only those of this kind.")] = None,
    limit: Limit = 100,
) -> Page[JobOut]:
    """List the background work that is not done, the oldest first (administrators).

    Webhooks of reviews in which you screen yourself are left out: that they have something to send
    may tell how others voted.
    """
    found = unfinished(
        session,
        states=frozenset(JobState) if state is None else {state},
        kinds=frozenset(JobKind) if kind is None else {kind},
        without_events_of=screens_in(session, me.id),
    )
    in_order = sliced(found, lambda job: (job.since, job.id), (datetime, str), page, limit)
    return Page.of(in_order.map(JobOut.of))


@router.post("/{job_id}/retry", status_code=202, response_model=RetriedOut)
def retry_job(job_id: str, me: Administrator, here: Here, write: Write) -> Response:
    """Try a failed or parked job again (administrators), with all its tries before it."""
    found: list[Job] = []

    def work(session: Session) -> RetriedOut:
        found.append(retry(session, job_id=job_id, by=me.id))
        return RetriedOut(id=job_id)

    answer = write(work, status=202)
    for job in found:  # none where it was answered as the first time
        if job.kind in (JobKind.IMPORT, JobKind.DEDUPLICATION):
            here.task_signals.has_new_events(job.review_id)
            here.task_signals.uploaded(ImportId(job.target))
        elif job.kind is JobKind.TEXT:
            here.task_signals.to_read(job.review_id)
        else:
            here.task_signals.changed(job.review_id)
    return answer
