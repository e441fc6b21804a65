"""How far the demo review is: its files read, its duplicates linked, its records ranked."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError, OperationalError

from tandem.config import Settings
from tandem.db.session import Database
from tandem.demo.making import (
    Demo,
    DemoNotReady,
    check_passwords,
    ensure,
    failed_jobs,
    files_of,
    try_again,
)
from tandem.log import logger
from tandem.ranking.models import Ranking
from tandem.records.models import ImportState, ImportStep, Record
from tandem.reviews import service as reviews
from tandem.reviews.policy import Stage
from tandem.tasks import TaskSignals

LOOK_SECONDS = 0.25
_AGAIN_SECONDS = 1.0

_log = logger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Progress:
    """What is done of one step: `done` of `total` records, or percent of linking duplicates.

    `total` is None where nobody knows it: while the records are ranked.
    """

    step: Literal["reading", "linking", "ranking", "ready"]
    done: int
    total: int | None


def load(
    settings: Settings, *, made: Callable[[Demo], object], on_progress: Callable[[Progress], object]
) -> None:
    """Make the demo review if need be, and return when it is ready to be screened.

    There is no limit of time: as long as the services run, its work goes on by itself.

    Args:
        settings: Of the installation that runs.
        made: Called as soon as its people can sign in.
        on_progress: Called now and then with the progress.

    Raises:
        DemoNotReady: Its records could not be read or ranked, however often that was tried.
    """
    database = Database(settings.resolved_database_url())
    task_signals = TaskSignals(settings.resolved_redis_url())
    try:
        demo = persistently(lambda: check_passwords(database, ensure(settings, database)))
        made(demo)
        if demo.review_id is None:
            return
        persistently(lambda: try_again(database, demo))
        _signal(database, task_signals, demo)
        while (now := persistently(lambda: progress(database, demo))).step != "ready":
            on_progress(now)
            if failed := persistently(lambda: failed_jobs(database, demo)):
                raise DemoNotReady(
                    "The demo review could not be loaded: "
                    f"{'; '.join(sorted(set(failed.values())))}. "
                    "All else runs; the next start tries it again."
                )
            time.sleep(LOOK_SECONDS)
        on_progress(now)
    finally:
        task_signals.close()
        database.close()


def persistently(work: Callable[[], T]) -> T:
    """Do it until the database takes it: that may be busy, or be started again."""
    is_first = True
    while True:
        try:
            return work()
        except (OperationalError, IntegrityError) as error:
            if is_first:
                _log.warning("the demo waits for the database", error=str(error.orig))
            is_first = False
            time.sleep(_AGAIN_SECONDS)


def progress(database: Database, demo: Demo) -> Progress:
    """Return what the demo's next step is and how far that is."""
    assert demo.review_id is not None  # noqa: S101  # there is nothing to load then
    with database.read() as session:
        files = files_of(session, demo)
        unfinished = [row for row in files if row.state is not ImportState.DONE]
        if any(row.step is ImportStep.LINKING for row in unfinished):
            percent = next(row.percent for row in unfinished if row.step is ImportStep.LINKING)
            return Progress("linking", percent or 0, 100)
        if unfinished:
            total = sum(row.n_total or demo.sizes[row.filename] for row in files)
            return Progress("reading", sum(row.n_read for row in files), total)
        review = reviews.get_review(session, demo.review_id)
        newest = session.scalar(
            select(Ranking.corpus_seq)
            .where(Ranking.review_id == review.id, Ranking.stage == Stage.TITLE_ABSTRACT)
            .order_by(Ranking.labels_seq.desc())
            .limit(1)
        )
        if review.last_record_number and newest != review.corpus_seq:
            return Progress("ranking", 0, None)
        n_shown = session.scalar(
            select(func.count()).where(Record.review_id == review.id, Record.is_shown)
        )
        return Progress("ready", n_shown or 0, n_shown)


def _signal(database: Database, task_signals: TaskSignals, demo: Demo) -> None:
    with database.read() as session:
        for row in files_of(session, demo):
            if row.state is ImportState.QUEUED:
                task_signals.uploaded(row.id)
