"""Files on their way to reports: stored by their content, counted against the quota."""

import hashlib
import os
from dataclasses import dataclass
from typing import BinaryIO

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tandem.artifacts import Artifacts
from tandem.db.base import now
from tandem.db.session import Database
from tandem.errors import Invalid, TooLarge, Unavailable
from tandem.ids import ReviewId, TextFileId, new_id
from tandem.reviews import service as reviews
from tandem.reviews.models import LockedReview
from tandem.reviews.service import NoReview
from tandem.texts.kinds import BEGINNING, MediaType, media_type, safe_name
from tandem.texts.models import (
    WAITING,
    ReportText,
    TextBatchItem,
    TextFile,
    TextState,
    artifact_key,
)

MIB = 1 << 20


class NotAPdf(Invalid):
    """The file is none of the kinds that are read here."""

    code = "not_a_pdf"

    def __init__(self, filename: str) -> None:
        super().__init__(
            f"{filename!r} is no PDF, no Word document (.docx) and no plain text (.txt). A web "
            "page that is called .pdf is often a sign-in form: get the file again.",
            field="file",
        )


class FileTooLarge(TooLarge):
    """One file is larger than the installation accepts."""

    code = "text_too_large"


class QuotaExceeded(TooLarge):
    """The texts of the review would take more room than they may."""

    code = "text_quota_exceeded"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the installation accepts, in bytes: of one file, and of all files of a review."""

    file: int
    review: int


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file whose bytes are stored under their digest; no row needs to know of it yet."""

    review_id: ReviewId
    sha256: str
    n_bytes: int
    media_type: MediaType
    filename: str

    @property
    def artifact(self) -> str:
        return artifact_key(self.review_id, self.sha256)


def store(
    artifacts: Artifacts, *, review_id: ReviewId, file: BinaryIO, filename: str, bounds: Bounds
) -> StoredFile:
    """Store a file, before and outside any transaction: it may take seconds.

    Raises:
        NotAPdf: It is no PDF, Word document or plain text.
        FileTooLarge: It is larger than a file may be.
        StorageFull, Unavailable: It could not be stored.
    """
    kind = media_type(file.read(BEGINNING), filename)
    if kind is None:
        raise NotAPdf(filename)
    n_bytes = file.seek(0, os.SEEK_END)
    if n_bytes > bounds.file:
        raise FileTooLarge(
            f"{filename!r} has {n_bytes // MIB} MiB; at most {bounds.file // MIB} are accepted "
            "(TANDEM_TEXT_MAX_MB)."
        )
    file.seek(0)
    digest = _sha256(file)
    stored = StoredFile(review_id, digest, n_bytes, kind, safe_name(filename, kind))
    if artifacts.size(stored.artifact) != n_bytes:
        file.seek(0)
        artifacts.write(stored.artifact, file)
    return stored


def _sha256(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while part := file.read(MIB):
        digest.update(part)
    return digest.hexdigest()


def row_of(
    session: Session, artifacts: Artifacts, review: LockedReview, stored: StoredFile, bounds: Bounds
) -> TextFile:
    """Return the row of a stored file; a new one is queued to be read.

    Raises:
        QuotaExceeded: There is no room for it in the review.
        Unavailable: Its bytes were removed meanwhile, with another text of the same content.
    """
    if not artifacts.exists(stored.artifact):
        raise Unavailable("The same file was removed at this moment. Send it again.")
    query = select(TextFile).where(
        TextFile.review_id == review.id, TextFile.sha256 == stored.sha256
    )
    if (known := session.scalars(query).one_or_none()) is not None:
        return known
    used = bytes_used(session, review.id)
    if used + stored.n_bytes > bounds.review:
        raise QuotaExceeded(
            f"The texts of this review take {used // MIB} of {bounds.review // MIB} MiB, and "
            f"{stored.filename!r} has {max(1, stored.n_bytes // MIB)}. Remove texts that nobody "
            "needs, or ask the administrator for more (TANDEM_TEXT_QUOTA_MB)."
        )
    row = TextFile(
        id=TextFileId(new_id()),
        review_id=review.id,
        sha256=stored.sha256,
        media_type=stored.media_type,
        n_bytes=stored.n_bytes,
        created_at=now(),
        state=TextState.QUEUED,
        fence=0,
    )
    session.add(row)
    session.flush()
    return row


def bytes_used(session: Session, review_id: ReviewId) -> int:
    """Return how much room the texts of a review take, each file once."""
    query = select(func.coalesce(func.sum(TextFile.n_bytes), 0))
    return int(session.scalar(query.where(TextFile.review_id == review_id)) or 0)


def forget_unused(
    database: Database, artifacts: Artifacts, review_id: ReviewId, *digests: str
) -> None:
    """Remove files that no report and no batch needs any more, and their bytes.

    The review is locked meanwhile: `row_of` takes no file up again whose bytes are just removed.
    Of a deleted review nothing is needed.
    """
    with database.write.begin() as session:
        try:
            review = reviews.lock(session, review_id, also_archived=True)
        except NoReview:
            for sha256 in digests:
                artifacts.remove(artifact_key(review_id, sha256))
            return
        for sha256 in digests:
            query = select(TextFile).where(
                TextFile.review_id == review.id, TextFile.sha256 == sha256
            )
            row = session.scalars(query).one_or_none()
            if row is not None and _is_needed(session, row):
                continue
            if row is not None:
                session.delete(row)
                session.flush()
            artifacts.remove(artifact_key(review.id, sha256))


def _is_needed(session: Session, row: TextFile) -> bool:
    of_report = select(ReportText.id).where(ReportText.file_id == row.id)
    of_batch = select(TextBatchItem.position).where(
        TextBatchItem.file_id == row.id, TextBatchItem.state.in_(WAITING)
    )
    return bool(session.scalar(select(of_report.exists() | of_batch.exists())))
