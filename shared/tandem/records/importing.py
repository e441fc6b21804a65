"""What a worker does with a queued file: reads it in small batches, so that it may die anywhere."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import cast

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from tandem.artifacts import Artifacts
from tandem.db.base import now
from tandem.db.session import Database
from tandem.db.tries import MOST_TRIES, cause_of
from tandem.errors import TandemError
from tandem.events import log
from tandem.events.types import ImportFailed, ImportFinished
from tandem.ids import ImportId, ReviewId
from tandem.log import logger
from tandem.records import batch
from tandem.records.formats.entry import Entry, Rejection
from tandem.records.formats.reading import Format, Reading, read
from tandem.records.imports import is_free
from tandem.records.models import Import, ImportState, ImportStep
from tandem.reviews import service as reviews
from tandem.reviews.models import Review

BATCH = 60
"""Records per transaction: decisions of the same review wait at most for one of them."""

LEASE = timedelta(seconds=60)
"""A worker that commits no batch for this long is taken for dead. Decoding the largest upload
takes less, and a batch well under 2 s."""

_COMPARING = timedelta(milliseconds=2)
"""For each record of the review, while duplicates are looked for: several times what it takes."""

log_ = logger(__name__)


class NoRecords(TandemError):
    """The file has a known format but nothing in it."""

    code = "no_records"


class _Overtaken(Exception):
    """Another worker has taken this import over; what this one read is not committed."""


@dataclass(frozen=True, slots=True)
class _Claimed:
    """`is_used_up`: all tries have failed, the last one by a worker that died of it."""

    id: ImportId
    review_id: ReviewId
    fence: int
    artifact: str
    source: str | None
    requested_format: Format | None
    n_read: int
    is_used_up: bool


Link = Callable[[Database, ReviewId, ImportId, Callable[[Session], None]], None]
"""Links duplicates after an import; what it is given last it calls in every transaction."""


Told = Callable[[Import], object]
"""Called with the import's row, detached, when it has got further."""


def run(
    database: Database,
    artifacts: Artifacts,
    import_id: ImportId,
    *,
    link: Link,
    told: Told = lambda _: None,
) -> ReviewId | None:
    """Read a queued file to its end; return its review, or None where nothing was to do.

    Safe to run twice and to be killed anywhere: every batch commits its records together with
    the position behind it, and only the holder of the newest fence may commit.
    """
    claimed = _claim(database, import_id)
    if claimed is None:
        return None
    try:
        _read_in(database, artifacts, claimed, link, told)
    except _Overtaken:
        log_.warning("import taken over by another worker", import_id=str(import_id))
        return None
    return claimed.review_id


def _read_in(
    database: Database, artifacts: Artifacts, claimed: _Claimed, link: Link, told: Told
) -> None:
    """Store the file's records, or say in the import's row why it has none."""
    if claimed.is_used_up:
        _park(database, claimed)
        return
    try:
        reading = read(artifacts.read(claimed.artifact), claimed.requested_format)
        if reading.total == 0:
            raise NoRecords(f"The file is {reading.format.upper()}, but there is no record in it.")
        _store_all(database, claimed, reading, told)
        _link_duplicates(database, claimed, link, told)
        _finish(database, claimed)
    except TandemError as error:
        _fail(database, claimed, str(error))
    except _Overtaken:
        raise
    except Exception as error:
        if not _may_be_tried_again(database, claimed, error):
            _park(database, claimed)
        raise


def _claim(database: Database, import_id: ImportId) -> _Claimed | None:
    with database.write.begin() as session:
        row = session.scalars(
            select(Import).where(Import.id == import_id, is_free()).with_for_update()
        ).one_or_none()
        if row is None:
            return None
        is_used_up = row.is_used_up
        row.state = ImportState.RUNNING
        row.begin_try(lasting=LEASE)
        return _Claimed(
            id=import_id,
            review_id=row.review_id,
            fence=row.fence,
            artifact=row.artifact,
            source=row.source,
            requested_format=cast("Format | None", row.requested_format),
            n_read=row.n_read,
            is_used_up=is_used_up,
        )


def _hold(session: Session, claimed: _Claimed) -> Import:
    """Return the import's row if this worker still holds it; the review is locked by then."""
    row = session.scalars(
        select(Import)
        .where(Import.id == claimed.id, Import.fence == claimed.fence)
        .with_for_update()
    ).one_or_none()
    if row is None or row.state is not ImportState.RUNNING:
        raise _Overtaken
    row.lease_until = now() + LEASE
    return row


def _store_all(database: Database, claimed: _Claimed, reading: Reading, told: Told) -> None:
    entries = islice(reading.entries, claimed.n_read, None)
    position = claimed.n_read
    while some := list(islice(entries, BATCH)):
        position += len(some)
        with database.read() as session:
            ready = _made_ready(session, claimed, some)
        database.write.give_way()
        with database.write.begin() as session:
            review = reviews.lock(session, claimed.review_id)
            row = _hold(session, claimed)
            row.step, row.format, row.n_total = ImportStep.READING, reading.format, reading.total
            if review.last_record_number != ready.after:  # another import has stored some
                ready = _made_ready(session, claimed, some)
            batch.store(session, review, row, ready)
            row.got_further()
        told(row)
    if position - claimed.n_read > BATCH:
        _tell_the_planner(database)


def _made_ready(
    session: Session, claimed: _Claimed, some: Sequence[Entry | Rejection]
) -> batch.Ready:
    return batch.make_ready(
        session,
        review_id=claimed.review_id,
        import_id=claimed.id,
        source=claimed.source,
        batch=some,
    )


def _link_duplicates(database: Database, claimed: _Claimed, link: Link, told: Told) -> None:
    with database.write.begin() as session:
        review = reviews.lock(session, claimed.review_id)
        row = _hold(session, claimed)
        row.step = ImportStep.LINKING
        # Comparing commits nothing for as long as it takes, so it is given that time.
        row.lease_until = now() + LEASE + review.last_record_number * _COMPARING
    told(row)
    link(database, claimed.review_id, claimed.id, lambda session: _go_on(session, claimed))


def _go_on(session: Session, claimed: _Claimed) -> None:
    _hold(session, claimed)


def _finish(database: Database, claimed: _Claimed) -> None:
    with database.write.begin() as session:
        review = reviews.lock(session, claimed.review_id)
        row = _hold(session, claimed)
        row.step = None
        row.state, row.finished_at = ImportState.DONE, now()
        row.succeed()
        _ask_for_ranking(review, row)
        log.append(
            session,
            review,
            ImportFinished(
                import_id=str(row.id),
                n_read=row.n_read,
                n_added=row.n_added,
                n_duplicates=row.n_duplicates,
                n_rejected=row.n_rejected,
                detail={"by": str(row.created_by)},
            ),
        )


def _tell_the_planner(database: Database) -> None:
    """Let PostgreSQL count at once, not when its own turn comes.

    Until then it takes the review for nearly empty, and a queue request takes half a minute.
    """
    if not database.is_sqlite:
        with database.write.begin() as session:
            session.execute(text("ANALYZE record"))


def _ask_for_ranking(review: Review, row: Import) -> None:
    """Make a training due after new records, or new identifiers that a seed study may have."""
    if row.n_added or (row.n_duplicates and review.seed_studies):
        review.labels_seq += 1


def _may_be_tried_again(database: Database, claimed: _Claimed, error: Exception) -> bool:
    """Give the import back for another try, unless this was the last one."""
    with database.write.begin() as session:
        reviews.lock(session, claimed.review_id)
        row = _hold(session, claimed)
        if row.is_used_up:
            row.cause = cause_of(error)
            return False
        row.fail_try(error)
        return True


def _park(database: Database, claimed: _Claimed) -> None:
    reason = f"The file could not be read in {MOST_TRIES} tries; the worker's log says why."
    log_.error("import parked; see GET /api/v1/jobs", import_id=str(claimed.id))
    _fail(database, claimed, reason, is_parked=True)


def _fail(database: Database, claimed: _Claimed, reason: str, *, is_parked: bool = False) -> None:
    with database.write.begin() as session:
        review = reviews.lock(session, claimed.review_id)
        row = _hold(session, claimed)
        if is_parked:
            row.parked_at = now()
        else:
            row.cause = reason
        row.state, row.error = ImportState.FAILED, reason
        row.finished_at, row.lease_until, row.step = now(), None, None
        _ask_for_ranking(review, row)
        by = {"by": str(row.created_by)}
        log.append(session, review, ImportFailed(import_id=str(row.id), error=reason, detail=by))
