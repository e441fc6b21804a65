"""Taking away what is left of a deleted review: a few rows at a time, so that others can write.

Which tables there are is read from the metadata: one that is added later is emptied, too. How far
it is stands nowhere: after a crash the next run finds what is left.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

from redis import Redis
from sqlalchemy import ColumnElement, Table, delete, exists, select, tuple_, union
from sqlalchemy.orm import Session

from tandem.accounts.models import IMPORTED, User
from tandem.artifacts import Artifacts
from tandem.db.base import Base, now
from tandem.db.session import Database
from tandem.events import stream
from tandem.ids import ReviewId, UserId
from tandem.log import logger
from tandem.records.models import Record
from tandem.reviews.models import Review
from tandem.screening.models import Decision, ReviewerCount

CHUNK = 200
"""Rows of one transaction. The largest, packed rankings and texts, come to some MB."""

GRACE = timedelta(minutes=1)
"""Between the deletion and the end of the review's own row. What was begun before, such as an
upload or a batch of events for the stream, still finds it, and then that it is deleted."""

FOLDERS = ("imports", "features", "texts")
"""Where artefacts of a review stand, each in a folder that has its id."""

_REVIEW, _RECORD = (cast("Table", one.__table__) for one in (Review, Record))

_log = logger(__name__)


def due(session: Session) -> Sequence[ReviewId]:
    """Return the deleted reviews of which something is left."""
    query = select(Review.id).where(Review.deleted_at.is_not(None)).order_by(Review.deleted_at)
    return session.scalars(query).all()


def remove(
    database: Database,
    artifacts: Artifacts,
    redis: Redis | None,
    review_id: ReviewId,
    *,
    grace: timedelta = GRACE,
) -> bool:
    """Take away what is left of a deleted review; return whether nothing is.

    Safe to run twice, side by side, and to be killed anywhere. While a worker is at the review,
    or it was deleted less than `grace` ago, its own row stays, without its title, and the leases.

    Args:
        database: Where the rows are.
        artifacts: Where uploads and features are.
        redis: The broker, whose stream has events of the review; None leaves these there.
        review_id: Which. One that is not deleted is left alone.
        grace: See GRACE.
    """
    work = [table for table in _of_reviews() if _is_work(table)]
    for table in _of_reviews():
        if table not in work and not _empty(database, table, review_id):
            return False  # it is not deleted
    for folder in FOLDERS:
        artifacts.remove(f"{folder}/{review_id}")
    if redis is not None:
        stream.forget(redis, review_id)
    with database.read() as session:
        deleted_at = session.scalar(select(Review.deleted_at).where(Review.id == review_id))
        if deleted_at is None or deleted_at > now() - grace:
            return False
        if any(_is_held(session, table, review_id) for table in work):
            return False
    for table in work:
        _empty(database, table, review_id)
    for folder in FOLDERS:  # once more: a worker may have stored something to its end
        artifacts.remove(f"{folder}/{review_id}")
    with database.read() as session:
        nobody = _reviewers_without_decisions(session)
    with database.write.begin() as session:
        session.execute(delete(User).where(User.id.in_(nobody)))
        session.execute(delete(Review).where(Review.id == review_id))
    _log.info("review removed", review_id=str(review_id))
    return True


def _of_reviews() -> list[Table]:
    """Return every table with rows of reviews but their own, those that refer to others first."""
    tables = [table for table in reversed(Base.metadata.sorted_tables) if table is not _REVIEW]
    return [table for table in tables if _condition(table, None) is not None]


def _condition(table: Table, review_id: ReviewId | None) -> ColumnElement[bool] | None:
    """Return which rows of a table are a review's; None where it has none of any review."""
    if "review_id" in table.c:
        return table.c.review_id == review_id
    for key in sorted(table.foreign_keys, key=str):
        parent = key.column.table
        if "review_id" in parent.c:
            its_own = select(key.column).where(parent.c.review_id == review_id)
            return key.parent.in_(its_own)
    return None


def _empty(database: Database, table: Table, review_id: ReviewId) -> bool:
    """Delete all of a review's rows of a table; return False if the review is not deleted."""
    condition = _condition(table, review_id)
    assert condition is not None  # noqa: S101  # it is one of `_of_reviews`
    key = table.primary_key.columns.values()
    named: ColumnElement[Any] = key[0] if len(key) == 1 else tuple_(*key)
    # A record that others are linked to goes after them.
    first = [condition, ~Record.is_shown] if table is _RECORD else None
    for conditions in filter(None, (first, [condition])):
        some = select(*key).where(*conditions).limit(CHUNK)
        while True:
            database.write.give_way()
            with database.write.begin() as session:
                mine = select(Review.deleted_at).where(Review.id == review_id).with_for_update()
                if session.scalar(mine) is None:
                    return False
                # Read first: PostgreSQL would choose the rows once for each that it deletes.
                rows = [tuple(row) for row in session.execute(some)]
                if not rows:
                    break
                keys = [row[0] for row in rows] if len(key) == 1 else rows
                session.execute(delete(table).where(named.in_(keys)))
    return True


def _is_work(table: Table) -> bool:
    """Whether its rows are claims of workers."""
    return {"fence", "lease_until"}.issubset(table.c.keys())


def _is_held(session: Session, table: Table, review_id: ReviewId) -> bool:
    """Whether a worker may be at work of the review just now."""
    held = exists().where(table.c.review_id == review_id, table.c.lease_until > now())
    return bool(session.scalar(select(held)))


def _reviewers_without_decisions(session: Session) -> list[UserId]:
    """Return the accounts that stood for people named in files, and whose decisions are gone."""
    imported = select(User.id).where(User.email.endswith(IMPORTED))
    busy = union(
        *(
            select(by).where(by.in_(imported))
            for by in (Decision.reviewer_id, ReviewerCount.reviewer_id)
        )
    )
    found = set(session.scalars(imported))
    return sorted(found.difference(session.scalars(busy)), key=str) if found else []
