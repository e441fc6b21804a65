"""The code book of a review: what an owner gave, or what came back with coded projects."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.errors import NotFound
from tandem.events import log
from tandem.events.screening_types import SynthesisChanged
from tandem.handover.code_book import Code, FileCode, Tree, identified
from tandem.handover.models import CodeBook, CodeKind, SynthesisCode
from tandem.ids import CodeBookId, CodeId, ReviewId, UserId, new_id
from tandem.reviews.models import LockedReview, Role
from tandem.reviews.service import Viewer


@dataclass(frozen=True, slots=True)
class ReviewCodes:
    """The codes that count, parents before children, and what an owner marked them as."""

    tree: Tree
    kinds: dict[CodeId, CodeKind]


def codes_of(session: Session, review_id: ReviewId) -> ReviewCodes:
    """Return the code book that is handed over now.

    It is that of the coded projects that count; with the codes that an owner gave since the
    newest of them, or at all where there is none.
    """
    rows = [row for row in _books(session, review_id) if row.counts]
    newest = max((row.seq for row in rows if not row.is_given), default=0)
    used = [row for row in rows if not row.is_given or row.seq > newest]
    marked = select(SynthesisCode.id, SynthesisCode.kind).where(
        SynthesisCode.review_id == review_id, SynthesisCode.kind.is_not(None)
    )
    kinds = {id: kind for id, kind in session.execute(marked) if kind is not None}
    return ReviewCodes(Tree([_read(row) for row in used]), kinds)


def add(
    session: Session,
    review: LockedReview,
    codes: Sequence[FileCode],
    *,
    by: UserId,
    is_given: bool,
) -> tuple[CodeBook, list[Code]]:
    """Add a code book to a review, and return it with its codes in the order of the file.

    The caller's next event tells of it.
    """
    review_id = review.id
    known = [_read(row) for row in _books(session, review_id)]
    found = identified(codes, known)
    ids = set(session.scalars(select(SynthesisCode.id).where(SynthesisCode.review_id == review_id)))
    session.add_all(
        SynthesisCode(id=code.id, review_id=review_id) for code in found if code.id not in ids
    )
    book = CodeBook(
        id=CodeBookId(new_id()),
        review_id=review_id,
        seq=review.last_seq + 1,
        is_given=is_given,
        counts=True,
        codes=[code.stored() for code in found],
        created_by=by,
        created_at=now(),
    )
    session.add(book)
    session.flush()
    return book, found


def give(session: Session, review: LockedReview, viewer: Viewer, codes: Sequence[FileCode]) -> None:
    """Give the review a code book, in place of one that was given before.

    Raises:
        Forbidden: Only an owner gives one.
    """
    require_right(viewer)
    before = (CodeBook.review_id == review.id, CodeBook.is_given, CodeBook.counts)
    session.execute(update(CodeBook).where(*before).values(counts=False))
    add(session, review, codes, by=viewer.user_id, is_given=True)
    tell(session, review, viewer, "code_book", {"n_codes": len(codes)})


def mark(
    session: Session, review: LockedReview, viewer: Viewer, code_id: CodeId, kind: CodeKind | None
) -> None:
    """Mark a code as a theme or a construct; None: as neither.

    Raises:
        Forbidden: Only an owner may.
        NotFound: There is no such code in the code book.
    """
    require_right(viewer)
    row = session.get(SynthesisCode, code_id)
    if row is None or row.review_id != review.id:
        raise NotFound("There is no such code in this review.")
    if row.kind is not kind:
        row.kind, row.marked_by, row.marked_at = kind, viewer.user_id, now()
        tell(session, review, viewer, "codes", {"code": str(code_id), "kind": kind})
    session.flush()


def require_right(viewer: Viewer) -> None:
    """Raise Forbidden unless this person may change what the synthesis is made of."""
    viewer.require(Role.OWNER, "change the synthesis")


def tell(
    session: Session,
    review: LockedReview,
    viewer: Viewer,
    changed: str,
    detail: dict[str, object],
) -> None:
    fact = SynthesisChanged(changed=[changed], detail={"by": str(viewer.user_id), **detail})
    log.append(session, review, fact)
    session.flush()


def _books(session: Session, review_id: ReviewId) -> Sequence[CodeBook]:
    query = select(CodeBook).where(CodeBook.review_id == review_id)
    return session.scalars(query.order_by(CodeBook.seq)).all()


def _read(row: CodeBook) -> list[Code]:
    return [Code.read(one) for one in row.codes]
