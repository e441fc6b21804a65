"""Files on their way into a review: taken, queued, looked at."""

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.artifacts import Artifacts
from tandem.db.base import now
from tandem.db.keyset import START, Cursor, Slice, keyset_of_one
from tandem.errors import Conflict, NotFound
from tandem.ids import ImportId, ReviewId, UserId, new_id
from tandem.records import import_warnings, waves
from tandem.records.formats.reading import Format
from tandem.records.models import Import, ImportState
from tandem.records.origin import FoundBy, StartsAt
from tandem.reviews import service as reviews


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


class MustBeScreened(Conflict):
    """Records of databases and registers do not start at full text."""

    code = "must_be_screened"


@dataclass(frozen=True, slots=True)
class Found:
    """By which way records were found, and in which search.

    Attributes:
        found_by: The way.
        starts_at: None: full text for other methods, title and abstract for all else.
        wave: None: the newest.
    """

    found_by: FoundBy = FoundBy.DATABASE
    starts_at: StartsAt | None = None
    wave: int | None = None

    def resolved_start(self) -> StartsAt:
        """Return where such records start.

        Raises:
            MustBeScreened: They are to skip title and abstract, and are not of another method.
        """
        other = self.found_by.is_other_method
        if self.starts_at is StartsAt.FULL_TEXT and not other:
            raise MustBeScreened(
                "Only records of other methods start at full text: those of databases and "
                "registers are screened by title and abstract first."
            )
        return self.starts_at or (StartsAt.FULL_TEXT if other else StartsAt.TITLE_ABSTRACT)


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
    found: Found | None = None,
) -> Import:
    """Queue the import of a stored file. Nothing of it is read yet.

    Raises:
        NoReview: The review was deleted meanwhile.
        ReviewArchived: It is archived.
        NotFound: There is no such wave.
        MustBeScreened: Its records cannot start there.
    """
    searched, found = searched or Searched(), found or Found()
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
        sha256=upload.sha256,
        warnings=[],
        platform=searched.platform,
        searched_on=searched.on,
        strategy=searched.strategy,
        fence=0,
        found_by=found.found_by,
        starts_at=found.resolved_start(),
        wave=waves.require(session, review_id, found.wave),
    )
    session.add(row)
    warn_of_same_file(session, row)
    return row


def warn_of_same_file(session: Session, row: Import) -> None:
    """Let the imports of the very file that `row` is of say whether it was imported before.

    To be called when it has come, has ended or is taken back; the caller has locked the review.
    """
    session.flush()
    if row.sha256 is None:
        return
    query = select(Import).where(Import.review_id == row.review_id, Import.sha256 == row.sha256)
    first = None
    for one in session.scalars(query.order_by(Import.created_at, Import.id)):
        others = import_warnings.without_same_file(one.warnings)
        if not _brings_records(one):
            one.warnings = others
        elif first is None:
            first, one.warnings = one, others
        else:
            one.warnings = [import_warnings.same_file(first), *others]
    session.flush()


def _brings_records(row: Import) -> bool:
    """Whether records of this import are here, or may still come."""
    if row.state is ImportState.TAKEN_BACK:
        return False
    is_over = row.state in (ImportState.DONE, ImportState.FAILED)
    return not is_over or row.n_added + row.n_duplicates > 0


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
