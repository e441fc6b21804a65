"""Coded projects of a review: sent, listed, taken back. Owners send, who sees all reads."""

import hashlib
import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import BinaryIO

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.db.base import now
from tandem.db.keyset import Cursor, Slice, keyset_of_one
from tandem.db.session import Database
from tandem.errors import NotFound
from tandem.events import log
from tandem.events.screening_types import SynthesisImported
from tandem.handover import code_books
from tandem.handover.models import CodeBook
from tandem.ids import ReviewId, SynthesisImportId, UserId, new_id
from tandem.reporting.service import require_sight
from tandem.reviews import service as reviews
from tandem.reviews.models import LockedReview
from tandem.reviews.service import Viewer
from tandem.synthesis.errors import ProjectTooLarge
from tandem.synthesis.known import KnownTexts
from tandem.synthesis.models import CodedPassage, SynthesisImport
from tandem.synthesis.placing import PassageState
from tandem.synthesis.project import CodedFile, FileProject
from tandem.synthesis.reading import ReadBack, read_back

LONGEST_QUOTE = 20_000
_CHUNK = 1_000
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class SentProject:
    """A coded project that was read; nothing of it is stored yet."""

    filename: str
    sha256: str
    project: FileProject
    back: ReadBack


@dataclass(frozen=True, slots=True)
class ShownImport:
    """`counts`: it is in the account. `replaces`: those whose place it took, still there."""

    row: SynthesisImport
    by: str
    counts: bool
    replaces: Sequence[SynthesisImportId]


def read(
    database: Database,
    *,
    review_id: ReviewId,
    user_id: UserId,
    file: BinaryIO,
    filename: str,
    largest: int,
) -> SentProject:
    """Read a coded project, before and outside of any transaction that writes: it takes seconds.

    Raises:
        NotFound, Forbidden: Who is no owner sends none.
        ReviewArchived: The review is archived.
        UnreadableProject: It is no coded project, or it is damaged.
        ProjectTooLarge: It has more than `largest` bytes, or unpacks to more than is accepted.
    """
    with database.read() as session:
        viewer = reviews.viewer(session, review_id=review_id, user_id=user_id)
        code_books.require_right(viewer)
        reviews.require_active(session, review_id)
    if file.seek(0, os.SEEK_END) > largest:
        raise ProjectTooLarge(f"it has more than {largest // _PIECE} MiB")
    file.seek(0)
    digest = hashlib.sha256()
    while part := file.read(_PIECE):
        digest.update(part)
    file.seek(0)
    coded = CodedFile(file)
    with database.read() as session:
        known = KnownTexts(session, reviews.get_review(session, review_id))
        back = read_back(coded, known)
    return SentProject(filename, digest.hexdigest(), coded.project, back)


def add(
    session: Session, review: LockedReview, viewer: Viewer, sent: SentProject, *, beside: bool
) -> SynthesisImport:
    """Store a coded project. The very same file again changes nothing while it counts.

    It takes the place of each earlier project of the same name, all of whose coders have coded
    in it, too: that is a newer state of it. Others stand beside it, such as a second coder's.

    Args:
        session: A session.
        review: The review.
        viewer: Who sends it.
        sent: The project.
        beside: Replace nothing.

    Raises:
        Forbidden: Only an owner sends one.
    """
    code_books.require_right(viewer)
    counted = _counted(session, review.id)
    if (same := next((one for one in counted if one.sha256 == sent.sha256), None)) is not None:
        return same
    by, project, back = viewer.user_id, sent.project, sent.back
    book, codes = code_books.add(session, review, project.codes, by=by, is_given=False)
    row = SynthesisImport(
        id=SynthesisImportId(new_id()),
        review_id=review.id,
        code_book_id=book.id,
        seq=book.seq,
        sha256=sent.sha256,
        filename=sent.filename,
        project=project.name,
        origin=project.origin,
        coders=[*project.coders],
        sources=[asdict(one) for one in back.sources],
        n_kept=back.count(PassageState.KEPT),
        n_moved=back.count(PassageState.MOVED),
        n_lost=back.count(PassageState.LOST),
        n_other=project.n_other,
        created_by=by,
        created_at=now(),
    )
    session.add(row)
    session.flush()
    replaced = [] if beside else [one for one in counted if _replaces(row, one)]
    for one in replaced:
        one.replaced_by = row.id
    ids = dict(zip((code.guid for code in project.codes), (code.id for code in codes), strict=True))
    passages = [
        {
            "import_id": row.id,
            "position": position,
            "review_id": review.id,
            "code_id": ids[one.code],
            "record_number": one.number,
            "text_id": one.text_id,
            "start": one.place.start,
            "end": one.place.end,
            "quote": one.place.quote[:LONGEST_QUOTE],
            "state": one.place.state,
            "coder": one.coder,
            "source": one.source,
        }
        for position, one in enumerate(back.passages, start=1)
    ]
    for at in range(0, len(passages), _CHUNK):
        session.execute(insert(CodedPassage), passages[at : at + _CHUNK])
    _tell(session, review, viewer, row, [one.id for one in replaced])
    _recount(session, review.id)
    return row


def _replaces(new: SynthesisImport, old: SynthesisImport) -> bool:
    return old.project == new.project and set(old.coders) <= set(new.coders)


def _tell(
    session: Session,
    review: LockedReview,
    viewer: Viewer,
    row: SynthesisImport,
    replaced: Sequence[SynthesisImportId],
) -> None:
    detail = {
        "by": str(viewer.user_id),
        "sha256": row.sha256,
        "project": row.project,
        "kept": row.n_kept,
        "moved": row.n_moved,
        "lost": row.n_lost,
        "replaces": [str(one) for one in replaced],
    }
    log.append(session, review, SynthesisImported(import_id=str(row.id), detail=detail))
    session.flush()


def take_back(
    session: Session, review: LockedReview, viewer: Viewer, import_id: SynthesisImportId
) -> None:
    """Take a coded project back. What it replaced counts again.

    Raises:
        Forbidden: Only an owner may.
        NotFound: There is none, or it was taken back.
    """
    code_books.require_right(viewer)
    row = session.get(SynthesisImport, import_id)
    if row is None or row.review_id != review.id or row.taken_back_at is not None:
        raise NotFound("There is no such coded project in this review.")
    row.taken_back_at = now()
    # A later one may have taken the place of what this one replaced, too: it keeps it.
    for one in _replaced_by(session, row):
        one.replaced_by = row.replaced_by
    code_books.tell(session, review, viewer, "imports", {"taken_back": str(row.id)})
    _recount(session, review.id)


def _replaced_by(session: Session, row: SynthesisImport) -> Sequence[SynthesisImport]:
    return session.scalars(
        select(SynthesisImport).where(SynthesisImport.replaced_by == row.id)
    ).all()


def _recount(session: Session, review_id: ReviewId) -> None:
    """Let the code books count whose projects do."""
    session.flush()
    used = {row.code_book_id for row in _counted(session, review_id)}
    query = select(CodeBook).where(CodeBook.review_id == review_id, ~CodeBook.is_given)
    for book in session.scalars(query):
        book.counts = book.id in used
    session.flush()


def _counted(session: Session, review_id: ReviewId) -> Sequence[SynthesisImport]:
    query = select(SynthesisImport).where(
        SynthesisImport.review_id == review_id,
        SynthesisImport.taken_back_at.is_(None),
        SynthesisImport.replaced_by.is_(None),
    )
    return session.scalars(query.order_by(SynthesisImport.seq)).all()


def counted(session: Session, review_id: ReviewId) -> list[SynthesisImportId]:
    """Return the projects that count, from the oldest to the newest."""
    return [row.id for row in _counted(session, review_id)]


def get(session: Session, viewer: Viewer, import_id: SynthesisImportId) -> ShownImport:
    """Return a coded project.

    Raises:
        Forbidden: They are blinded in one of the stages.
        NotFound: There is none, or it was taken back.
    """
    require_sight(viewer, "The synthesis")
    row = session.get(SynthesisImport, import_id)
    if row is None or row.review_id != viewer.review_id or row.taken_back_at is not None:
        raise NotFound("There is no such coded project in this review.")
    return _shown(session, [row])[0]


def page(session: Session, viewer: Viewer, *, cursor: Cursor, limit: int) -> Slice[ShownImport]:
    """Return the coded projects but for those that were taken back, the newest first."""
    require_sight(viewer, "The synthesis")
    query = select(SynthesisImport).where(
        SynthesisImport.review_id == viewer.review_id, SynthesisImport.taken_back_at.is_(None)
    )
    found = keyset_of_one(session, query, (SynthesisImport.seq.desc(),), cursor, limit)
    shown = {one.row.id: one for one in _shown(session, found.items)}
    return found.map(lambda row: shown[row.id])


def _shown(session: Session, rows: Sequence[SynthesisImport]) -> list[ShownImport]:
    names = accounts.names_of(session, (row.created_by for row in rows))
    replaced = defaultdict[SynthesisImportId | None, list[SynthesisImportId]](list)
    query = select(SynthesisImport.replaced_by, SynthesisImport.id).where(
        SynthesisImport.replaced_by.in_([row.id for row in rows]),
        SynthesisImport.taken_back_at.is_(None),
    )
    for by, id in session.execute(query.order_by(SynthesisImport.seq)):
        replaced[by].append(id)
    return [
        ShownImport(row, names[row.created_by], row.replaced_by is None, replaced[row.id])
        for row in rows
    ]


def passages(
    session: Session,
    viewer: Viewer,
    import_id: SynthesisImportId,
    *,
    state: PassageState | None,
    cursor: Cursor,
    limit: int,
) -> Slice[CodedPassage]:
    """Return the passages of a coded project in the order of the file."""
    get(session, viewer, import_id)
    query = select(CodedPassage).where(CodedPassage.import_id == import_id)
    if state is not None:
        query = query.where(CodedPassage.state == state)
    return keyset_of_one(session, query, (CodedPassage.position,), cursor, limit)
