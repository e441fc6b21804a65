"""Which reviews' sentence vectors are made next, by whom. A run is many turns, with rests between.

As long as a turn ends with some records done, a run goes on with the fence that `rest` returned.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, literal, or_, select
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import ReviewId
from tandem.ranking import sentences
from tandem.ranking.models import Encoding
from tandem.ranking.sentences import MODEL
from tandem.reviews import service as reviews
from tandem.reviews.models import Review
from tandem.work import lease
from tandem.work.lease import Held, Kind, Overtaken

LEASE = timedelta(seconds=60)
"""An encoder that stores no batch for this long is taken for dead; loading the model for the first
batch takes less. A rest that lasts longer is ended by the relay."""

AT_ONCE = 2
"""So many reviews the relay lets be encoded at a time. Where the extra comes to an installation
of many reviews, a ranking would wait behind a turn of each of them."""


def claim(database: Database, review_id: ReviewId, fence: int | None) -> Held[Encoding] | None:
    """Begin a run if vectors are missing and nobody makes them, or go on with that of `fence`."""
    with database.write.begin() as session:
        if not reviews.is_active(session, review_id):
            return None
        if fence is not None:
            return lease.resume(session, ENCODINGS, review_id, fence=fence, lasting=LEASE)
        lease.ensure_row(session, ENCODINGS, review_id, model=MODEL, corpus_seq=0, n_done=0)
        taken = lease.take(session, ENCODINGS, review_id, lasting=LEASE)
        if not isinstance(taken, Held):
            return None
        if taken.row.model != MODEL:
            taken.row.model, taken.row.corpus_seq = MODEL, 0
        taken.row.began_at, taken.row.n_done = now(), 0
        return taken


def hold(session: Session, held: Held[Encoding]) -> Encoding:
    """Return the review's row, locked, its lease renewed, if this encoder still holds it."""
    row = lease.hold(session, held)
    if not reviews.is_active(session, row.review_id):
        raise Overtaken
    return row


def rest(database: Database, held: Held[Encoding]) -> int:
    """End a turn; return the fence of the next. Where nobody takes it in time, the relay asks."""
    with database.write.begin() as session:
        return lease.rest(hold(session, held), held)


def fail(database: Database, held: Held[Encoding], error: Exception) -> None:
    """Let others try after a while; see `lease.fail`."""
    with database.write.begin() as session:
        lease.fail(session, held, error)


def unfinished(session: Session) -> Sequence[ReviewId]:
    """Return reviews that lack vectors and that nobody encodes, the newest first.

    No more than there is room for beside those that are being encoded; see AT_ONCE.
    """
    under_way = and_(
        or_(Encoding.lease_until.is_not(None), lease.rests(Encoding)), ~lease.is_free(Encoding)
    )
    n_under_way = session.scalar(select(func.count()).select_from(Encoding).where(under_way))
    room = max(0, AT_ONCE - (n_under_way or 0))
    query = (
        select(Review.id)
        .outerjoin(Encoding, Encoding.review_id == Review.id)
        .where(
            Review.corpus_seq > 0,
            Review.is_active(),
            or_(Encoding.review_id.is_(None), lease.is_waiting(ENCODINGS)),
        )
        .order_by(Review.created_at.desc(), Review.id)
        .limit(room)
    )
    return session.scalars(query).all()


def _waiting(session: Session) -> Sequence[ReviewId]:
    return unfinished(session) if sentences.is_installed() else ()


def _is_due() -> ColumnElement[bool]:
    """Whether not all texts of the review's present state have their vectors."""
    its_review = (Review.id == Encoding.review_id, Review.is_active())
    wanted = select(Review.corpus_seq).where(*its_review).correlate(Encoding).scalar_subquery()
    is_other = Encoding.model != MODEL
    return and_(
        or_(Encoding.corpus_seq < wanted, is_other),
        or_(Encoding.parked_at.is_(None), Encoding.parked_corpus_seq < wanted, is_other),
    )


def _note_texts(session: Session, row: Encoding) -> None:
    row.parked_corpus_seq = session.get_one(Review, row.review_id).corpus_seq


def _unfinished() -> Select[*tuple[Any, ...]]:
    is_parked = and_(
        Encoding.parked_at.is_not(None), Encoding.parked_corpus_seq >= Review.corpus_seq
    )
    since = func.coalesce(Encoding.began_at, Review.created_at)
    return (
        select(Encoding, Review.id, Review.id, since, is_parked, false(), literal("encoding"))
        .join(Review, Review.id == Encoding.review_id)
        .where(Encoding.corpus_seq < Review.corpus_seq, Review.is_active())
    )


ENCODINGS = Kind(
    name="encoding",
    model=Encoding,
    key=(Encoding.review_id,),
    is_due=_is_due,
    waiting=_waiting,
    unfinished=_unfinished,
    on_park=_note_texts,
)
