"""Many files at once: taken, placed one by one as they are read, settled where that is unsure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tandem.artifacts import Artifacts
from tandem.db.base import now
from tandem.db.keyset import START, Cursor, Slice, keyset_of_one
from tandem.db.session import Database
from tandem.errors import Conflict, Invalid, NotFound, TandemError
from tandem.ids import RecordNumber, ReviewId, TextBatchId, new_id
from tandem.records.models import Record
from tandem.reviews.models import LockedReview
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.full_text.population import require_reached
from tandem.screening.ledger.loading import screenable
from tandem.screening.ledger.state import RecordKey
from tandem.texts import maps, misplaced, placing, service, unpacking
from tandem.texts.kinds import BEGINNING, is_zip, safe_name
from tandem.texts.maps import FileMap, Known, basename
from tandem.texts.models import TextBatch, TextBatchItem, TextFile, TextItemState, TextState
from tandem.texts.placing import Targets
from tandem.texts.reading import TextProblem
from tandem.texts.uploads import (
    Bounds,
    FileTooLarge,
    NotAPdf,
    StoredFile,
    forget_unused,
    row_of,
    store,
)

_MAP_ENDINGS = (".ris", ".xml", ".csv", ".bib")


class StillReading(Conflict):
    """The file is not read yet."""

    code = "unfinished"


class NoFile(Conflict):
    """There is no file to be linked: it was refused, or removed since."""

    code = "text_not_there"


@dataclass(frozen=True, slots=True)
class Received:
    """A file of a batch: stored, or refused for a problem. `path` is as it was sent."""

    path: str
    stored: StoredFile | None
    problem: TextProblem | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What somebody has sent. `map`: a map that lay in a zip among the files."""

    files: Sequence[Received]
    map: bytes | None


def receive(
    database: Database,
    artifacts: Artifacts,
    *,
    review_id: ReviewId,
    files: Sequence[tuple[str, BinaryIO]],
    bounds: Bounds,
) -> Sent:
    """Store all files, those of zips too, before and outside any transaction.

    Raises:
        UnreadableZip, ZipTooLarge: Of an archive.
        StorageFull, Unavailable: They could not be stored.
    """
    received: list[Received] = []
    found_map: bytes | None = None
    try:
        for path, file, problem in _each(files, bounds):
            if file is None:
                received.append(Received(path, None, problem))
            elif path.lower().endswith(_MAP_ENDINGS) and found_map is None:
                found_map = file.read(maps.LARGEST)
            else:
                received.append(_received(artifacts, review_id, path, file, bounds))
    except TandemError:
        forget_unused(database, artifacts, review_id, *digests_of(received))
        raise
    return Sent(received, found_map)


def digests_of(received: Sequence[Received]) -> list[str]:
    """Return the digests of what was stored, in order."""
    return sorted(one.stored.sha256 for one in received if one.stored is not None)


def _each(
    files: Sequence[tuple[str, BinaryIO]], bounds: Bounds
) -> Iterator[tuple[str, BinaryIO | None, TextProblem | None]]:
    for path, file in files:
        is_packed = is_zip(file.read(BEGINNING)) and not path.lower().endswith(".docx")
        file.seek(0)
        if not is_packed:
            yield path, file, None
            continue
        for one in unpacking.members(file, largest=bounds.file, most=bounds.review):
            yield one.path, one.file, one.problem


def _received(
    artifacts: Artifacts, review_id: ReviewId, path: str, file: BinaryIO, bounds: Bounds
) -> Received:
    try:
        stored = store(
            artifacts, review_id=review_id, file=file, filename=safe_name(path), bounds=bounds
        )
    except NotAPdf:
        return Received(path, None, TextProblem.NOT_A_PDF)
    except FileTooLarge:
        return Received(path, None, TextProblem.TOO_COSTLY)
    return Received(path, stored)


def read_map(database: Database, review_id: ReviewId, content: bytes | None) -> FileMap:
    """Return which records a map gives each file.

    Raises:
        Invalid: It cannot be read, or names no file.
    """
    if content is None:
        return FileMap()
    lines = maps.read(content)
    with database.read() as session:
        query = select(Record.number, Record.title, Record.doi, Record.pmid, Record.duplicate_of)
        rows = session.execute(query.where(Record.review_id == review_id))
        # What a duplicate is known by, its record is known by.
        known = [Known(head or number, title, doi, pmid) for number, title, doi, pmid, head in rows]
    return FileMap(lines, known)


def accept(
    session: Session,
    artifacts: Artifacts,
    sent: Sent,
    *,
    review: LockedReview,
    viewer: Viewer,
    file_map: FileMap,
    bounds: Bounds,
    targets: Targets,
    batch_id: TextBatchId,
) -> TextBatch:
    """Take a batch. Files that were read before are placed at once, the others when they are read.

    Raises:
        Forbidden: An observer adds nothing.
        Invalid: There is no file.
        QuotaExceeded: There is no room for all of them; none is taken.
    """
    service.require_right(viewer)
    if not sent.files:
        raise Invalid("There is no file in what you sent.", field="files")
    batch = TextBatch(id=batch_id, review_id=review.id, created_by=viewer.user_id, created_at=now())
    session.add(batch)
    session.flush()
    names = Counter(basename(one.path) for one in sent.files)
    for position, one in enumerate(sent.files, start=1):
        stored = one.stored
        file = None if stored is None else row_of(session, artifacts, review, stored, bounds)
        item = TextBatchItem(
            batch_id=batch.id,
            position=position,
            filename=safe_name(one.path, None if stored is None else stored.media_type),
            path=one.path.replace("\x00", "")[-500:],
            file_id=None if file is None else file.id,
            state=TextItemState.FAILED if file is None else TextItemState.READING,
            problem=one.problem,
            mapped=file_map.of(one.path, is_unique=names[basename(one.path)] == 1),
        )
        session.add(item)
        session.flush()
        if file is not None and file.state is not TextState.QUEUED:
            placing.place(session, review, batch, item, file, targets)
    session.flush()
    return batch


def settle(
    session: Session,
    *,
    review: LockedReview,
    viewer: Viewer,
    batch_id: TextBatchId,
    position: int,
    number: RecordNumber | None,
) -> tuple[TextBatchItem, TextFile]:
    """Assign a file of a batch to a report, or set it aside; a later call may change that.

    Returns:
        The item, and the file that may be needed no more.

    Raises:
        NotFound: There is no such item.
        StillReading: Its file is not read yet.
        NoFile: It has no file (any more).
        NotFound, IsDuplicate, NotAtThisStage: The record has no texts.
        Forbidden: An observer says nothing; nor may everybody take back what another one added.
    """
    service.require_right(viewer)
    get(session, review_id=review.id, batch_id=batch_id)
    item = session.get(TextBatchItem, (batch_id, position))
    if item is None:
        raise NotFound(f"There is no file {position} in this batch.")
    if item.state is TextItemState.READING:
        raise StillReading(f"{item.filename!r} is not read yet. Wait for it.")
    file = None if item.file_id is None else session.get(TextFile, item.file_id)
    if file is None or item.state is TextItemState.FAILED:
        raise NoFile(f"{item.filename!r} is not there (any more). Send it again.")
    if number is not None:
        key = RecordKey(review.id, Stage.FULL_TEXT, number)
        screenable(session, key)
        require_reached(session, key)
    if item.text_id is not None and item.record_number != number:
        if item.state is TextItemState.MATCHED:
            misplaced.take_away(session, review=review, viewer=viewer, text_id=item.text_id)
        item.text_id = None
    if number is None:
        item.state, item.record_number = TextItemState.SET_ASIDE, None
    elif item.record_number != number or item.text_id is None:
        placing.set_record(session, review, viewer, item, file, number)
    session.flush()
    return item, file


def get(session: Session, *, review_id: ReviewId, batch_id: TextBatchId) -> TextBatch:
    row = session.get(TextBatch, batch_id)
    if row is None or row.review_id != review_id:
        raise NotFound("There is no such batch of texts in this review.")
    return row


def list_batches(
    session: Session, *, review_id: ReviewId, limit: int, cursor: Cursor = START
) -> Slice[TextBatch]:
    """Return batches, the newest first."""
    query = select(TextBatch).where(TextBatch.review_id == review_id)
    return keyset_of_one(session, query, (TextBatch.created_at.desc(), TextBatch.id), cursor, limit)


def items(session: Session, batch_id: TextBatchId) -> Sequence[TextBatchItem]:
    query = select(TextBatchItem).where(TextBatchItem.batch_id == batch_id)
    return session.scalars(query.order_by(TextBatchItem.position)).all()


def counts(
    session: Session, batch_ids: Sequence[TextBatchId]
) -> dict[TextBatchId, dict[TextItemState, int]]:
    """Return how many files of each batch are in each state."""
    query = (
        select(TextBatchItem.batch_id, TextBatchItem.state, func.count())
        .where(TextBatchItem.batch_id.in_(batch_ids))
        .group_by(TextBatchItem.batch_id, TextBatchItem.state)
    )
    found: dict[TextBatchId, dict[TextItemState, int]] = {one: {} for one in batch_ids}
    for batch_id, state, n in session.execute(query):
        found[batch_id][state] = n
    return found


def new_batch_id() -> TextBatchId:
    return TextBatchId(new_id())


def titles(session: Session, review_id: ReviewId, found: Sequence[TextBatchItem]) -> dict[int, str]:
    """Return the titles of the records that items name."""
    numbers = {one["record"] for item in found for one in item.candidates}
    numbers |= {item.record_number for item in found if item.record_number is not None}
    query = select(Record.number, Record.title).where(
        Record.review_id == review_id, Record.number.in_(numbers)
    )
    return {row.number: row.title for row in session.execute(query)}
