"""The tasks: each reads what to do from the database, and may be run twice or never.

What loads scikit-learn is imported where it is used: it is a third of a worker's memory, and most
of the time no ranking is made.
"""

import shutil
from uuid import UUID

from redis import Redis

from tandem.ids import ImportId, ReviewId
from tandem.operations import removal
from tandem.ranking import encoding, sentences, training
from tandem.records import import_work, importing
from tandem.records.importing import Rest
from tandem.screening.duplicates import deduplication
from tandem.tasks import (
    BULK,
    ENCODE,
    IMPORT,
    LARGE,
    READ_TEXTS,
    REMOVE_REVIEW,
    RERANK,
    RERANK_LARGE,
    SECOND_LOOKS,
)
from tandem.texts import reading_work
from tandem_worker import progress
from tandem_worker.app import app
from tandem_worker.runtime import Runtime, runtime

LARGE_REVIEW = 50_000
"""Records. A training of so many takes seconds, of the largest reviews minutes; of the usual few
thousand some hundredths."""

ENOUGH_LARGE = 20
"""While so many messages wait, all workers of large reviews are busy, and learn of this one too."""


@app.task(name=RERANK)  # type: ignore[untyped-decorator]  # Celery has no types
def rerank(review_id: str) -> None:
    """Rank the review again if anything has changed since its newest ranking."""
    here, review = runtime(), ReviewId(UUID(review_id))
    with here.database.read() as session:
        is_large = training.is_large(session, review, n_records=LARGE_REVIEW)
        is_stale = training.stale_and_large(session, n_records=LARGE_REVIEW, of=review)
    if not is_large:
        _train(here, review)
    elif is_stale and here.task_signals.backlog(LARGE) < ENOUGH_LARGE:
        here.task_signals.large_changed()


@app.task(name=RERANK_LARGE)  # type: ignore[untyped-decorator]  # Celery has no types
def rerank_large() -> None:
    """Rank the large review whose ranking has been stale for longest.

    Not that of the message: the reviews whose people decide all the time have the most messages.
    """
    here = runtime()
    with here.database.read() as session:
        stalest_first = training.stale_and_large(session, n_records=LARGE_REVIEW)
    for review in stalest_first:
        if _train(here, review):  # else another worker was quicker
            return


def _train(here: Runtime, review: ReviewId) -> bool:
    """Train if it is due and nobody else does; return whether it was done."""
    from tandem.ranking.rerank import rerank as train

    next_begin = train(
        here.database,
        here.artifacts,
        here.cache,
        review,
        timing=here.timing,
        model=here.model,
        memory=here.settings.ranking_memory_mib,
        on_progress=lambda made: progress.of_ranking(here.task_signals, review, made),
    )
    if next_begin is not None:
        here.task_signals.ranks_again(review, next_begin)
    return next_begin is not None


@app.task(name=IMPORT)  # type: ignore[untyped-decorator]  # Celery has no types
def import_records(import_id: str, fence: int | None = None) -> None:
    """Read an uploaded file into its review, from where the last worker left off."""
    here = runtime()
    got = importing.run(
        here.database,
        here.artifacts,
        ImportId(UUID(import_id)),
        link=deduplication.run,
        memory=here.settings.import_memory_mib,
        on_progress=lambda row: progress.of_import(here.task_signals, row),
        fence=fence,
        others_wait=lambda: here.task_signals.backlog(BULK) > 0,
    )
    if isinstance(got, Rest):
        here.task_signals.uploaded(got.import_id, got.fence)
    elif got is not None:
        here.task_signals.changed(got)
        if sentences.is_installed():
            here.task_signals.to_encode(got)
        with here.database.read() as session:
            for following in import_work.next_in_line(session, of=got):
                here.task_signals.uploaded(following)


@app.task(name=ENCODE)  # type: ignore[untyped-decorator]  # Celery has no types
def encode(review_id: str, fence: int | None = None) -> None:
    """Make sentence vectors for a few seconds, then stand behind what else waits."""
    if not sentences.is_installed():
        return
    here, review = runtime(), ReviewId(UUID(review_id))
    following = encoding.encode_some(
        here.database,
        review,
        sentences.encode,
        fence=fence,
        finished=lambda: here.task_signals.changed(review),
    )
    if following is None:
        sentences.release()
    else:
        here.task_signals.to_encode(review, following)


@app.task(name=SECOND_LOOKS)  # type: ignore[untyped-decorator]  # Celery has no types
def make_second_looks(review_id: str) -> None:
    """Score the review's excluded records if somebody has asked for it."""
    from tandem.ranking import second_look_scores

    here, review = runtime(), ReviewId(UUID(review_id))
    memory = here.settings.ranking_memory_mib
    second_look_scores.make(here.database, here.artifacts, here.cache, review, here.model, memory)


@app.task(name=READ_TEXTS)  # type: ignore[untyped-decorator]  # Celery has no types
def read_texts(review_id: str) -> None:
    """Read the review's full texts for a few seconds, then stand behind what else waits."""
    here, review = runtime(), ReviewId(UUID(review_id))
    more = reading_work.run(
        here.database,
        here.artifacts,
        review,
        scan_command=here.settings.scan_command,
        on_read=lambda: here.task_signals.changed(review),
    )
    if more:
        here.task_signals.to_read(review)


@app.task(name=REMOVE_REVIEW)  # type: ignore[untyped-decorator]  # Celery has no types
def remove_review(review_id: str) -> None:
    """Remove what is left of a deleted review, a few rows at a time."""
    here, review = runtime(), ReviewId(UUID(review_id))
    with Redis.from_url(here.settings.resolved_redis_url()) as redis:
        removal.remove(here.database, here.artifacts, redis, review)
    # Of an object store's features this host has a copy.
    shutil.rmtree(here.cache / "features" / review_id, ignore_errors=True)
