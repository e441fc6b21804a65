"""A file's way into the review: accepted at once, read by a worker in small batches."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import islice
from typing import BinaryIO, cast

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from tandem.artifacts import Artifacts
from tandem.db.base import now
from tandem.db.session import Database
from tandem.errors import NotFound, TandemError
from tandem.events import log
from tandem.events.types import DuplicatesMerged, ImportFailed, ImportFinished
from tandem.ids import ImportId, RecordNumber, ReviewId, UserId, new_id
from tandem.log import logger
from tandem.records.formats.entry import Entry, Rejection
from tandem.records.formats.reading import Format, Reading, read
from tandem.records.linking import Identity, is_same
from tandem.records.models import Import, ImportState, Record
from tandem.reviews import service as reviews
from tandem.reviews.models import Review

BATCH = 500
"""Records per transaction: decisions of the same review wait at most for one of them."""

LEASE = timedelta(seconds=60)
"""A worker that commits no batch for this long is taken for dead. Decoding the largest upload
takes less, and a batch well under 2 s."""

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


@dataclass(frozen=True, slots=True)
class Upload:
    """A stored file that no import knows of yet."""

    import_id: ImportId
    artifact: str
    sha256: str


def store_upload(artifacts: Artifacts, *, review_id: ReviewId, file: BinaryIO) -> Upload:
    """Store the file, before and outside any transaction: it may take seconds.

    If no import follows, an unused file stays behind; a row without its file would be worse.
    """
    import_id = ImportId(new_id())
    artifact = f"imports/{review_id}/{import_id}"
    digest = _sha256(file)
    file.seek(0)
    artifacts.write(artifact, file)
    return Upload(import_id, artifact, digest)


def _sha256(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while part := file.read(1 << 20):
        digest.update(part)
    return digest.hexdigest()


def accept(
    session: Session,
    upload: Upload,
    *,
    review_id: ReviewId,
    user_id: UserId,
    filename: str,
    source: str | None,
    requested_format: Format | None,
) -> Import:
    """Queue the import of a stored file. Nothing of it is read yet."""
    row = Import(
        id=upload.import_id,
        review_id=review_id,
        created_by=user_id,
        created_at=now(),
        state=ImportState.QUEUED,
        source=source,
        filename=filename,
        requested_format=requested_format,
        artifact=upload.artifact,
        n_read=0,
        n_added=0,
        n_duplicates=0,
        n_rejected=0,
        rejected=[],
        fence=0,
    )
    session.add(row)
    session.flush()
    return row


def get_import(session: Session, *, review_id: ReviewId, import_id: ImportId) -> Import:
    row = session.get(Import, import_id)
    if row is None or row.review_id != review_id:
        raise NotFound("There is no such import in this review.")
    return row


def list_imports(
    session: Session, *, review_id: ReviewId, offset: int, limit: int
) -> Sequence[Import]:
    """Return imports, the newest first."""
    query = (
        select(Import)
        .where(Import.review_id == review_id)
        .order_by(Import.created_at.desc(), Import.id)
        .offset(offset)
        .limit(limit)
    )
    return session.scalars(query).all()


def unfinished(session: Session) -> Sequence[ImportId]:
    """Return imports that nobody works on: their message got lost, or their worker died."""
    query = select(Import.id).where(_is_free()).order_by(Import.created_at)
    return session.scalars(query).all()


def run(database: Database, artifacts: Artifacts, import_id: ImportId) -> ReviewId | None:
    """Read a queued file to its end; return its review, or None where nothing was to do.

    Safe to run twice and to be killed anywhere: every batch commits its records together with
    the position behind it, and only the holder of the newest fence may commit.
    """
    claimed = _claim(database, import_id)
    if claimed is None:
        return None
    try:
        _read_in(database, artifacts, claimed)
    except _Overtaken:
        log_.warning("import taken over by another worker", import_id=str(import_id))
        return None
    return claimed.review_id


def _read_in(database: Database, artifacts: Artifacts, claimed: _Claimed) -> None:
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
    except TandemError as error:
        _fail(database, claimed, str(error))


def _is_free() -> ColumnElement[bool]:
    return (Import.state == ImportState.QUEUED) | (
        (Import.state == ImportState.RUNNING)
        & or_(Import.lease_until.is_(None), Import.lease_until < now())
    )


def _claim(database: Database, import_id: ImportId) -> _Claimed | None:
    held = {"state": ImportState.RUNNING, "fence": Import.fence + 1, "lease_until": now() + LEASE}
    with database.write.begin() as session:
        row = session.execute(
            update(Import)
            .where(Import.id == import_id, _is_free())
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
            row.format, row.n_total = reading.format, reading.total
            _store_batch(session, review, row, batch)
    with database.write.begin() as session:
        review = reviews.lock(session, claimed.review_id)
        row = _hold(session, claimed)
        row.state, row.finished_at, row.lease_until = ImportState.DONE, now(), None
        if row.n_added:
            review.labels_seq += 1
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


def _store_batch(
    session: Session, review: Review, row: Import, batch: Sequence[Entry | Rejection]
) -> None:
    entries = [item for item in batch if isinstance(item, Entry)]
    rejections = [item for item in batch if isinstance(item, Rejection)]
    known = _Known(session, review.id, entries)
    records: list[Record] = []
    for entry in entries:
        review.last_record_number += 1
        number = RecordNumber(review.last_record_number)
        twin = known.find_or_add(entry, number)
        records.append(_record(review, row, entry, number, duplicate_of=twin))
        if twin is not None:
            log.append(
                session, review, DuplicatesMerged(record_id=str(twin), duplicate_id=str(number))
            )
    session.add_all(records)
    n_duplicates = sum(record.duplicate_of is not None for record in records)
    row.n_read += len(batch)
    row.n_duplicates += n_duplicates
    row.n_added += len(records) - n_duplicates
    row.n_rejected += len(rejections)
    room = _MOST_REJECTIONS_LISTED - len(row.rejected)
    row.rejected = [*row.rejected, *(asdict(rejection) for rejection in rejections[:room])]
    if len(records) > n_duplicates:
        review.corpus_seq += 1


class _Known:
    """The records of the review that a batch's identifiers lead to, the batch's own included."""

    def __init__(self, session: Session, review_id: ReviewId, entries: Sequence[Entry]) -> None:
        self._by_doi: dict[str, list[Identity]] = {}
        self._by_pmid: dict[str, list[Identity]] = {}
        dois = {entry.doi for entry in entries if entry.doi}
        pmids = {entry.pmid for entry in entries if entry.pmid}
        shown = Record.duplicate_of.label("shown")
        query = (
            select(Record.number, shown, Record.title, Record.year, Record.doi, Record.pmid)
            .where(
                Record.review_id == review_id,
                or_(Record.doi.in_(dois), Record.pmid.in_(pmids)),
            )
            .order_by(Record.number)
        )
        for row in session.execute(query):
            self._add(Identity(row.shown or row.number, row.title, row.year, row.doi, row.pmid))

    def find_or_add(self, entry: Entry, number: RecordNumber) -> RecordNumber | None:
        """Return the number of the record that this one is shown as, or None if it is new."""
        new = Identity(number, entry.title, entry.year, entry.doi, entry.pmid)
        candidates: Iterator[Identity] = iter(
            self._by_pmid.get(entry.pmid or "", []) + self._by_doi.get(entry.doi or "", [])
        )
        twin = next((known for known in candidates if is_same(new, known)), None)
        shown = number if twin is None else twin.number
        self._add(Identity(shown, entry.title, entry.year, entry.doi, entry.pmid))
        return None if twin is None else twin.number

    def _add(self, identity: Identity) -> None:
        if identity.doi:
            self._by_doi.setdefault(identity.doi, []).append(identity)
        if identity.pmid:
            self._by_pmid.setdefault(identity.pmid, []).append(identity)


def _record(
    review: Review,
    row: Import,
    entry: Entry,
    number: RecordNumber,
    *,
    duplicate_of: RecordNumber | None,
) -> Record:
    return Record(
        review_id=review.id,
        number=number,
        duplicate_of=duplicate_of,
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
        created_at=now(),
    )


def _fail(database: Database, claimed: _Claimed, reason: str) -> None:
    with database.write.begin() as session:
        review = reviews.lock(session, claimed.review_id)
        row = _hold(session, claimed)
        row.state, row.error = ImportState.FAILED, reason
        row.finished_at, row.lease_until = now(), None
        if row.n_added:
            review.labels_seq += 1
        log.append(session, review, ImportFailed(import_id=str(row.id), error=reason))
