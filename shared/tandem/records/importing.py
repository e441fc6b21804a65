"""What a worker does with a queued file: reads it in small batches, so that it may die anywhere."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import islice
from typing import cast

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from tandem.artifacts import Artifacts
from tandem.db.base import now
from tandem.db.session import Database
from tandem.errors import TandemError
from tandem.events import log
from tandem.events.types import DuplicatesMerged, ImportFailed, ImportFinished
from tandem.ids import ImportId, RecordNumber, ReviewId
from tandem.log import logger
from tandem.records.duplicates import groups, identities
from tandem.records.duplicates.matching import Match
from tandem.records.formats.entry import Entry, Rejection
from tandem.records.formats.reading import Format, Reading, read
from tandem.records.imports import is_free
from tandem.records.known import Known
from tandem.records.models import Import, ImportState, ImportStep, Record
from tandem.reviews import service as reviews
from tandem.reviews.models import Review

BATCH = 60
"""Records per transaction: decisions of the same review wait at most for one of them."""

LEASE = timedelta(seconds=60)
"""A worker that commits no batch for this long is taken for dead. Decoding the largest upload
takes less, and a batch well under 2 s."""

_COMPARING = timedelta(milliseconds=2)
"""For each record of the review, while duplicates are looked for: several times what it takes."""

MOST_TRIES = 8
"""A file that kills its worker each time is given up, not tried for ever."""

_MOST_REJECTIONS_LISTED = 1000
"""All are counted; a file with more is not a bibliography, and its list would help nobody."""

log_ = logger(__name__)


class NoRecords(TandemError):
    """The file has a known format but nothing in it."""

    code = "no_records"


class Unreadable(TandemError):
    """Reading the file failed in a way that is not the file's declared format's fault."""

    code = "unreadable"


class _Overtaken(Exception):
    """Another worker has taken this import over; what this one read is not committed."""


@dataclass(frozen=True, slots=True)
class _Claimed:
    id: ImportId
    review_id: ReviewId
    fence: int
    artifact: str
    requested_format: Format | None
    n_read: int


Link = Callable[[Database, ReviewId, ImportId, Callable[[Session], None]], None]
"""Links duplicates after an import; what it is given last it calls in every transaction."""


def run(
    database: Database, artifacts: Artifacts, import_id: ImportId, *, link: Link
) -> ReviewId | None:
    """Read a queued file to its end; return its review, or None where nothing was to do.

    Safe to run twice and to be killed anywhere: every batch commits its records together with
    the position behind it, and only the holder of the newest fence may commit.
    """
    claimed = _claim(database, import_id)
    if claimed is None:
        return None
    try:
        _read_in(database, artifacts, claimed, link)
    except _Overtaken:
        log_.warning("import taken over by another worker", import_id=str(import_id))
        return None
    return claimed.review_id


def _read_in(database: Database, artifacts: Artifacts, claimed: _Claimed, link: Link) -> None:
    """Store the file's records, or say in the import's row why it has none."""
    try:
        if claimed.fence > MOST_TRIES:
            raise Unreadable(
                f"The file could not be read in {MOST_TRIES} tries; the worker's log says why."
            )
        reading = read(artifacts.read(claimed.artifact), claimed.requested_format)
        if reading.total == 0:
            raise NoRecords(f"The file is {reading.format.upper()}, but there is no record in it.")
        _store_all(database, claimed, reading)
        _link_duplicates(database, claimed, reading, link)
        _finish(database, claimed)
    except TandemError as error:
        _fail(database, claimed, str(error))


def _claim(database: Database, import_id: ImportId) -> _Claimed | None:
    held = {"state": ImportState.RUNNING, "fence": Import.fence + 1, "lease_until": now() + LEASE}
    with database.write.begin() as session:
        row = session.execute(
            update(Import)
            .where(Import.id == import_id, is_free())
            .values(held)
            .returning(
                Import.review_id,
                Import.fence,
                Import.artifact,
                Import.requested_format,
                Import.n_read,
            )
        ).one_or_none()
    if row is None:
        return None
    return _Claimed(
        id=import_id,
        review_id=row.review_id,
        fence=row.fence,
        artifact=row.artifact,
        requested_format=cast("Format | None", row.requested_format),
        n_read=row.n_read,
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


def _store_all(database: Database, claimed: _Claimed, reading: Reading) -> None:
    entries = islice(reading.entries, claimed.n_read, None)
    position = claimed.n_read
    while batch := list(islice(entries, BATCH)):
        position += len(batch)
        with database.write.begin() as session:
            review = reviews.lock(session, claimed.review_id)
            row = _hold(session, claimed)
            row.step, row.format, row.n_total = ImportStep.READING, reading.format, reading.total
            _store_batch(session, review, row, batch)
        database.write.give_way()
    if position - claimed.n_read > BATCH:
        _tell_the_planner(database)


def _link_duplicates(database: Database, claimed: _Claimed, reading: Reading, link: Link) -> None:
    with database.write.begin() as session:
        review = reviews.lock(session, claimed.review_id)
        row = _hold(session, claimed)
        row.step = ImportStep.LINKING
        # Comparing commits nothing for as long as it takes, so it is given that time.
        row.lease_until = now() + LEASE + review.last_record_number * _COMPARING
    link(database, claimed.review_id, claimed.id, lambda session: _go_on(session, claimed))


def _go_on(session: Session, claimed: _Claimed) -> None:
    _hold(session, claimed)


def _finish(database: Database, claimed: _Claimed) -> None:
    with database.write.begin() as session:
        review = reviews.lock(session, claimed.review_id)
        row = _hold(session, claimed)
        row.step = None
        row.state, row.finished_at, row.lease_until = ImportState.DONE, now(), None
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
            ),
        )


def _tell_the_planner(database: Database) -> None:
    """Let PostgreSQL count at once, not when its own turn comes.

    Until then it takes the review for nearly empty, and a queue request takes half a minute.
    """
    if not database.is_sqlite:
        with database.write.begin() as session:
            session.execute(text("ANALYZE record"))


def _store_batch(
    session: Session, review: Review, row: Import, batch: Sequence[Entry | Rejection]
) -> None:
    entries = [item for item in batch if isinstance(item, Entry)]
    rejections = [item for item in batch if isinstance(item, Rejection)]
    known = Known(session, review.id, entries)
    records: list[Record] = []
    joining: dict[RecordNumber, dict[RecordNumber, Match]] = {}
    for entry in entries:
        review.last_record_number += 1
        number = RecordNumber(review.last_record_number)
        record = _record(review, row, entry, number)
        records.append(record)
        if twin := known.find_or_add(identities.identity(record)):
            record.duplicate_of, match = twin
            joining.setdefault(record.duplicate_of, {})[number] = match
            log.append(
                session,
                review,
                DuplicatesMerged(record_id=str(record.duplicate_of), duplicate_id=str(number)),
            )
    session.add_all(records)
    session.flush()
    groups.grow(session, review.id, joining)
    n_duplicates = sum(record.duplicate_of is not None for record in records)
    row.n_read += len(batch)
    row.n_duplicates += n_duplicates
    row.n_added += len(records) - n_duplicates
    row.n_rejected += len(rejections)
    row.n_priors += sum(bool(entry.priors) for entry in entries)
    room = _MOST_REJECTIONS_LISTED - len(row.rejected)
    row.rejected = [*row.rejected, *(asdict(rejection) for rejection in rejections[:room])]
    if len(records) > n_duplicates:
        review.corpus_seq += 1


def _ask_for_ranking(review: Review, row: Import) -> None:
    """Make a training due after new records, or new identifiers that a seed study may have."""
    if row.n_added or (row.n_duplicates and review.seed_studies):
        review.labels_seq += 1


def _record(
    review: Review,
    row: Import,
    entry: Entry,
    number: RecordNumber,
) -> Record:
    return Record(
        review_id=review.id,
        number=number,
        import_id=row.id,
        source=row.source,
        ref=entry.ref,
        title=entry.title,
        abstract=entry.abstract,
        authors=list(entry.authors),
        year=entry.year,
        journal=entry.journal,
        volume=entry.volume,
        issue=entry.issue,
        pages=entry.pages,
        doi=entry.doi,
        pmid=entry.pmid,
        url=entry.url,
        keywords=list(entry.keywords),
        language=entry.language,
        raw=entry.raw,
        kind=entry.kind,
        priors=[asdict(prior) for prior in entry.priors],
        created_at=now(),
    )


def _fail(database: Database, claimed: _Claimed, reason: str) -> None:
    with database.write.begin() as session:
        review = reviews.lock(session, claimed.review_id)
        row = _hold(session, claimed)
        row.state, row.error = ImportState.FAILED, reason
        row.finished_at, row.lease_until, row.step = now(), None, None
        _ask_for_ranking(review, row)
        log.append(session, review, ImportFailed(import_id=str(row.id), error=reason))
