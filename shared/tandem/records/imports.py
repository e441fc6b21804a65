"""Files on their way into a review: taken, queued, looked at."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from tandem.artifacts import Artifacts
from tandem.db.base import now
from tandem.db.keyset import START, Cursor, Slice, keyset_of_one
from tandem.errors import NotFound
from tandem.ids import ImportId, ReviewId, UserId, new_id
from tandem.records.formats.reading import Format
from tandem.records.models import Import, ImportState
from tandem.reviews import service as reviews
from tandem.reviews.models import Review


@dataclass(frozen=True, slots=True)
class Upload:
    """A stored file that no import knows of yet."""

    import_id: ImportId
    artifact: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Searched:
    """How a source was searched, as PRISMA-S asks it to be reported (items 1, 8, 13)."""

    platform: str | None = None
    on: date | None = None
    strategy: str | None = None


def store_upload(
    artifacts: Artifacts,
    *,
    review_id: ReviewId,
    file: BinaryIO,
    import_id: ImportId | None = None,
) -> Upload:
    """Store the file, before and outside any transaction: it may take seconds.

    If no import follows, an unused file stays behind; a row without its file would be worse. Who
    names the `import_id` and stores again replaces that file.
    """
    import_id = import_id or ImportId(new_id())
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
    searched: Searched | None = None,
) -> Import:
    """Queue the import of a stored file. Nothing of it is read yet.

    Raises:
        NoReview: The review was deleted meanwhile.
        ReviewArchived: It is archived.
    """
    searched = searched or Searched()
    reviews.lock(session, review_id)
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
        platform=searched.platform,
        searched_on=searched.on,
        strategy=searched.strategy,
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
    session: Session, *, review_id: ReviewId, limit: int, cursor: Cursor = START
) -> Slice[Import]:
    """Return imports, the newest first."""
    query = select(Import).where(Import.review_id == review_id)
    return keyset_of_one(session, query, (Import.created_at.desc(), Import.id), cursor, limit)


def unfinished(session: Session) -> Sequence[ImportId]:
    """Return imports that nobody works on: their message got lost, or their worker died."""
    query = select(Import.id).where(is_free(), _is_of_active()).order_by(Import.created_at)
    return session.scalars(query).all()


def next_in_line(session: Session, *, of: ReviewId | None = None) -> Sequence[ImportId]:
    """Return what can be begun: of each review, or of one, the first import that waits.

    Nothing of a review that has one under way: its others come after that.
    """
    waits = (is_free(), _is_of_active())
    query = select(Import.review_id, Import.id).where(*waits).order_by(Import.created_at)
    at_work = select(Import.review_id).where(_is_under_way())
    query = query.where(Import.review_id.not_in(at_work))
    if of is not None:
        query = query.where(Import.review_id == of)
    first: dict[ReviewId, ImportId] = {}
    for review_id, import_id in session.execute(query):
        first.setdefault(review_id, import_id)
    return [*first.values()]


def try_anew(row: Import) -> None:
    """Queue a failed import again; it goes on behind what it has read. Its row is locked."""
    row.try_anew()
    row.state, row.error, row.cause = ImportState.QUEUED, None, None
    row.claimed_at = now()  # it waits from now on
    row.finished_at, row.lease_until = None, None


def is_reading(session: Session, review_id: ReviewId, *, besides: ImportId | None = None) -> bool:
    """Whether a file of this review is under way: in a worker, between two turns or tries.

    `besides`: another one than this.
    """
    under_way = select(Import.id).where(Import.review_id == review_id, _is_under_way())
    if besides is not None:
        under_way = under_way.where(Import.id != besides)
    return bool(session.scalar(select(under_way.exists())))


def _is_of_active() -> ColumnElement[bool]:
    return exists().where(Review.id == Import.review_id, Review.is_active())


def _is_under_way() -> ColumnElement[bool]:
    return and_(Import.state == ImportState.RUNNING, ~is_free())


def is_free() -> ColumnElement[bool]:
    moment = now()
    is_of_the_future = Import.is_of_the_future(moment)
    nobody_holds_it = or_(
        Import.lease_until.is_(None), Import.lease_until < moment, is_of_the_future
    )
    may_be_tried = or_(Import.not_before.is_(None), Import.not_before <= moment, is_of_the_future)
    return or_(
        Import.state == ImportState.QUEUED,
        and_(Import.state == ImportState.RUNNING, nobody_holds_it, may_be_tried),
    )
