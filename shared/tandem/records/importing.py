"""What a worker does with a queued file: reads it in small batches, so that it may die anywhere."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import cast

from sqlalchemy import text
from sqlalchemy.orm import Session

from tandem import progress
from tandem.artifacts import Artifacts
from tandem.db.base import now
from tandem.db.session import Database
from tandem.errors import TandemError
from tandem.events import log
from tandem.events.types import ImportFinished
from tandem.ids import ImportId, ReviewId
from tandem.log import logger
from tandem.memory import allowed
from tandem.records import batch, import_memory, import_warnings, import_work, imports
from tandem.records.formats.entry import Entry, Rejection
from tandem.records.formats.reading import Format, Reading, read
from tandem.records.models import Import, ImportState, ImportStep
from tandem.reviews import service as reviews
from tandem.reviews.service import NoReview, ReviewArchived
from tandem.work import lease
from tandem.work.lease import Held, Overtaken

BATCH = 60
"""Records per transaction: decisions of the same review wait at most for one of them."""

TURN = timedelta(seconds=20)
"""After so long a file gives way to what waits for the same slot: one that never ends would keep
out all others. With what it took to find its place again; see `_Turn`."""

log_ = logger(__name__)


class NoRecords(TandemError):
    """The file has a known format but nothing in it."""

    code = "no_records"


@dataclass(frozen=True, slots=True)
class Rest:
    """A file whose turn is over. Who names this fence goes on with it, behind what else waits."""

    import_id: ImportId
    fence: int


Link = Callable[
    [Database, ReviewId, ImportId, Callable[[Session], None], progress.OnProgress], None
]
"""Links duplicates after an import. Of what it is given last it calls the one in every transaction
and the other, outside of all, with how far it is."""


OnProgress = Callable[[Import], object]
"""Called with the import's row, detached, when it has got further."""


def run(
    database: Database,
    artifacts: Artifacts,
    import_id: ImportId,
    *,
    link: Link,
    memory: int | None = None,
    on_progress: OnProgress = lambda _: None,
    fence: int | None = None,
    others_wait: Callable[[], bool] = lambda: False,
) -> ReviewId | Rest | None:
    """Read a queued file to its end; return its review, or None where nothing was to do.

    Safe to run twice and to be killed anywhere: every batch commits its records together with
    the position behind it, and only the holder of the newest fence may commit.

    Args:
        database: Where the records go.
        artifacts: Where the file is.
        import_id: Which.
        link: Links duplicates when all is read.
        memory: MiB that it may take; None for half of the machine's memory. An import that takes
            more fails before it has stored anything, and its row says what to do.
        on_progress: Called after each step.
        fence: Of the `Rest` that the turn before returned; None for the first turn.
        others_wait: Asked when the turn is over. If they do, a `Rest` is returned, and somebody
            has to go on with it.
    """
    try:
        held = import_work.claim(database, import_id, fence)
    except (NoReview, ReviewArchived):
        return None
    if not isinstance(held, Held):
        return held
    try:
        most = allowed(memory)
        turn = _Turn(others_wait)
        unfinished = _read_in(database, artifacts, held, link, most, on_progress, turn)
    except Overtaken:
        log_.warning("import taken over by another worker, or back", import_id=str(import_id))
        return None
    except NoReview:
        log_.warning("its review was deleted", import_id=str(import_id))
        return None
    return unfinished or held.row.review_id


class _Turn:
    """A file's time in a slot.

    To go on, a file is read again up to its place. So a turn is at least four times as long as
    that took, and a file of any length is read in at most a quarter more than without turns.
    """

    def __init__(self, others_wait: Callable[[], bool]) -> None:
        self._others_wait = others_wait
        self._began = time.monotonic()
        self._ends = math.inf

    def found_its_place(self) -> None:
        moment = time.monotonic()
        self._ends = moment + max(TURN.total_seconds(), 4 * (moment - self._began))

    @property
    def is_over(self) -> bool:
        return time.monotonic() > self._ends and self._others_wait()


def _read_in(
    database: Database,
    artifacts: Artifacts,
    held: Held[Import],
    link: Link,
    most: int,
    on_progress: OnProgress,
    turn: _Turn,
) -> Rest | None:
    """Store the file's records, or say in the import's row why it has none."""
    try:
        reading = _opened(database, artifacts, held.row, most)
        if not _store_all(database, held, reading, on_progress, turn):
            return Rest(held.row.id, import_work.rest(database, held))
        del reading
        # Linking takes as much memory as reading: nothing here holds the file any more.
        _link_duplicates(database, held, link, on_progress)
        _finish(database, held)
    except NoReview:
        raise
    except TandemError as error:
        import_work.fail_for_good(database, held, str(error))
    except Overtaken:
        raise
    except Exception as error:
        import_work.fail(database, held, error)
        raise
    return None


def _opened(database: Database, artifacts: Artifacts, row: Import, most: int) -> Reading:
    """Prepare to read an import's file.

    Raises:
        NoRecords: It has a known format, but nothing in it.
        TooLarge: It takes more than `most` bytes of memory.
    """
    data = artifacts.read(row.artifact)
    import_memory.require_to_read(data, most)
    reading = read(data, cast("Format | None", row.requested_format))
    if reading.total == 0:
        raise NoRecords(f"The file is {reading.format.upper()}, but there is no record in it.")
    with database.read() as session:
        n_before = reviews.get_review(session, row.review_id).last_record_number
    import_memory.require_to_compare(n_before - row.n_read + reading.total, most)
    return reading


def _store_all(
    database: Database, held: Held[Import], reading: Reading, on_progress: OnProgress, turn: _Turn
) -> bool:
    """Store what is left of the file; return False where the turn ended before."""
    entries = islice(reading.entries, held.row.n_read, None)
    position = held.row.n_read
    while some := list(islice(entries, BATCH)):
        if position == held.row.n_read:
            turn.found_its_place()
        elif turn.is_over:
            return False
        position += len(some)
        with database.read() as session:
            ready = _made_ready(session, held, some)
        database.write.give_way()
        with database.write.begin() as session:
            review = reviews.lock(session, held.row.review_id)
            row = import_work.hold(session, held)
            row.step, row.format, row.n_total = ImportStep.READING, reading.format, reading.total
            if review.last_record_number != ready.after:  # another import has stored some
                ready = _made_ready(session, held, some)
            batch.store(session, review, row, ready)
            row.percent = 100 * row.n_read // reading.total
            row.got_further()
        on_progress(row)
    if position - held.row.n_read > BATCH:
        _tell_the_planner(database)
    return True


def _made_ready(
    session: Session, held: Held[Import], some: Sequence[Entry | Rejection]
) -> batch.Ready:
    return batch.make_ready(
        session,
        review_id=held.row.review_id,
        import_id=held.row.id,
        source=held.row.source,
        batch=some,
    )


def _link_duplicates(
    database: Database, held: Held[Import], link: Link, on_progress: OnProgress
) -> None:
    def got_to(percent: int) -> None:
        with database.write.begin() as session:
            reviews.lock(session, held.row.review_id)
            row = import_work.hold(session, held)
            row.step, row.percent = ImportStep.LINKING, percent
        on_progress(row)

    def go_on(session: Session) -> None:
        import_work.hold(session, held)

    percent = progress.Percent(got_to)
    percent(0.0)
    # Comparing commits nothing for as long as it takes.
    with lease.renewed(database, held):
        link(database, held.row.review_id, held.row.id, go_on, percent)


def _finish(database: Database, held: Held[Import]) -> None:
    with database.write.begin() as session:
        review = reviews.lock(session, held.row.review_id)
        row = import_work.hold(session, held)
        row.step, row.percent = None, None
        row.state, row.finished_at = ImportState.DONE, now()
        row.succeed()
        if row.n_rejected == row.n_read:
            row.warnings = [import_warnings.nothing_read(row.n_rejected), *row.warnings]
        imports.warn_of_same_file(session, row)
        import_work.ask_for_ranking(review, row)
        log.append(
            session,
            review,
            ImportFinished(
                import_id=str(row.id),
                n_read=row.n_read,
                n_added=row.n_added,
                n_duplicates=row.n_duplicates,
                n_rejected=row.n_rejected,
                detail={"by": str(row.created_by)}
                | batch.sealed_texts(row)
                | batch.sealed_origin(session, row),
            ),
        )


def _tell_the_planner(database: Database) -> None:
    """Let PostgreSQL count at once, not when its own turn comes.

    Until then it takes the review for nearly empty, and a queue request takes half a minute.
    """
    if not database.is_sqlite:
        with database.write.begin() as session:
            session.execute(text("ANALYZE record"))
