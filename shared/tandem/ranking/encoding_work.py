"""Who makes a review's next sentence vectors: taken, handed on and lost in the database.

As `training` has it for rankings. A run is many turns, with a rest after each, and both raise the
fence anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute, Session

from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import ReviewId
from tandem.log import logger
from tandem.ranking.models import Encoding
from tandem.ranking.sentences import MODEL
from tandem.reviews import service as reviews
from tandem.reviews.models import Review

LEASE = timedelta(seconds=60)
"""An encoder that stores no batch for this long is taken for dead; loading the model for the first
batch takes less. A rest that lasts longer is ended by the relay."""

AT_ONCE = 2
"""So many reviews the relay lets be encoded at a time. Where the extra comes to an installation
of many reviews, a ranking would wait behind a turn of each of them."""

_log = logger(__name__)


class Overtaken(Exception):
    """Another worker has the review, or it was archived or deleted: nothing is stored."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to the review's next turn. It is lost when another fence is given out."""

    review_id: ReviewId
    fence: int


def unfinished(session: Session) -> Sequence[ReviewId]:
    """Return reviews that lack vectors and that nobody encodes, the newest first.

    No more than there is room for beside those that are being encoded; see AT_ONCE.
    """
    moment = now()
    under_way = or_(Encoding.lease_until >= moment, and_(_rests(), Encoding.not_before >= moment))
    n_under_way = session.scalar(select(func.count()).select_from(Encoding).where(under_way))
    room = max(0, AT_ONCE - (n_under_way or 0))
    never = Encoding.review_id.is_(None)
    query = (
        select(Review.id)
        .outerjoin(Encoding, Encoding.review_id == Review.id)
        .where(
            Review.corpus_seq > 0, Review.is_active(), or_(never, and_(*_is_due(Review.corpus_seq)))
        )
        .order_by(Review.created_at.desc(), Review.id)
        .limit(room)
    )
    return session.scalars(query).all()


def claim(database: Database, review_id: ReviewId, fence: int | None) -> Claim | None:
    """Begin a run if vectors are missing and nobody makes them, or go on with that of `fence`."""
    with database.write.begin() as session:
        if not reviews.is_active(session, review_id):
            return None
        if fence is None:
            _ensure_row(session, review_id)
            wanted = select(Review.corpus_seq).where(Review.id == review_id).scalar_subquery()
            mine = _is_due(wanted)
        else:
            mine = (Encoding.fence == fence, _rests())
        row = session.scalars(
            select(Encoding).where(Encoding.review_id == review_id, *mine).with_for_update()
        ).one_or_none()
        if row is None:
            return None
        if fence is None:
            if row.is_used_up:
                _park(session, row)
                return None
            if row.model != MODEL:
                row.model, row.corpus_seq = MODEL, 0
            row.began_at, row.n_done = now(), 0
        row.begin_try(lasting=LEASE)
        return Claim(review_id, row.fence)


def rest(database: Database, held: Claim) -> int:
    """End a turn; return the fence of the next. Where nobody takes it in time, the relay asks.

    A rest is no silence of a worker: whoever comes late, or begins anew, finds no dead one.
    """
    with database.write.begin() as session:
        row = hold(session, held)
        row.succeed()
        row.fence += 1
        row.not_before = now() + LEASE
        return row.fence


def fail(database: Database, held: Claim, error: Exception) -> None:
    with database.write.begin() as session:
        row = hold(session, held)
        row.fail_try(error)
        if row.parked_at is not None:
            _park(session, row)


def _park(session: Session, row: Encoding) -> None:
    row.park()
    row.parked_corpus_seq = session.get_one(Review, row.review_id).corpus_seq
    _log.error(
        "encoding parked; see GET /api/v1/jobs", review_id=str(row.review_id), cause=row.cause
    )


def _ensure_row(session: Session, review_id: ReviewId) -> None:
    upsert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = {"review_id": review_id, "model": MODEL, "corpus_seq": 0, "fence": 0, "n_done": 0}
    session.execute(upsert(Encoding).values(values).on_conflict_do_nothing())


def _is_due(
    wanted: ColumnElement[int] | InstrumentedAttribute[int],
) -> tuple[ColumnElement[bool], ...]:
    """Whether not all texts of the state `wanted` have their vectors, and nobody makes them."""
    moment = now()
    return (
        or_(Encoding.corpus_seq < wanted, Encoding.model != MODEL),
        or_(Encoding.lease_until.is_(None), Encoding.lease_until < moment),
        or_(Encoding.not_before.is_(None), Encoding.not_before <= moment),
        or_(
            Encoding.parked_at.is_(None),
            Encoding.parked_corpus_seq < wanted,
            Encoding.model != MODEL,
        ),
    )


def _rests() -> ColumnElement[bool]:
    """Whether a turn is over and the next is still to come; one that failed has a try behind it."""
    return and_(Encoding.attempts == 0, Encoding.not_before.is_not(None))


def try_anew(session: Session, review_id: ReviewId) -> None:
    """Forget failed tries, and take up what was parked. The caller has locked the review."""
    row = session.get(Encoding, review_id, with_for_update=True)
    if row is not None:
        row.try_anew()


def hold(session: Session, held: Claim) -> Encoding:
    """Return the review's row, locked, its lease renewed, if this encoder still holds it."""
    row = session.scalars(
        select(Encoding)
        .where(
            Encoding.review_id == held.review_id,
            Encoding.fence == held.fence,
            Encoding.lease_until.is_not(None),
        )
        .with_for_update()
    ).one_or_none()
    if row is None or not reviews.is_active(session, held.review_id):
        raise Overtaken
    row.lease_until = now() + LEASE
    return row
