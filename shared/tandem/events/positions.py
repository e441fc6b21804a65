"""The position of each consumer of the log, and the lease of the process that serves it.

A consumer's position in a review's log moves in the transaction that records its effect. After a
crash it continues from there, and repeats its last effect at worst.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ForeignKey, Select, Uuid, and_, column, func, select, table, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from tandem.db.base import Base, now
from tandem.events.log import Event
from tandem.ids import ReviewId
from tandem.work.attempts import has_run_out

_LOGS = table("review", column("id", Uuid()), column("last_seq"), column("deleted_at"))
"""The rows that count events; whose they are is no business of this slice."""


class EventPosition(Base):
    """The number in the full log of the last event that a consumer has handled."""

    __tablename__ = "event_position"

    consumer: Mapped[str] = mapped_column(primary_key=True)
    review_id: Mapped[ReviewId] = mapped_column(
        ForeignKey("review.id", ondelete="CASCADE"), primary_key=True
    )
    seq: Mapped[int]
    moved_at: Mapped[datetime]


class ConsumerLease(Base):
    """Who works for a consumer that must not work twice at once: the holder of `fence`.

    Attributes:
        last_entry: Of the stream, the broker's id of the newest entry whose event the consumer is
            done with; None before the first.
    """

    __tablename__ = "consumer_lease"

    consumer: Mapped[str] = mapped_column(primary_key=True)
    fence: Mapped[int]
    lease_until: Mapped[datetime | None]
    last_entry: Mapped[str | None]


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a review's log: behind the event `seq`, 0 for its beginning."""

    review_id: ReviewId
    seq: int


def behind(session: Session, consumer: str, *, limit: int) -> Sequence[Place]:
    """Return where the consumer stands in logs that go on, the longest untouched first."""
    query = _behind(consumer).limit(limit)
    return [Place(ReviewId(review_id), seq) for review_id, seq in session.execute(query)]


@cache
def _behind(consumer: str) -> Select[Any, int]:
    mine = and_(EventPosition.consumer == consumer, EventPosition.review_id == _LOGS.c.id)
    stands = func.coalesce(EventPosition.seq, 0)
    return (
        select(_LOGS.c.id, stands)
        .outerjoin(EventPosition, mine)
        .where(_LOGS.c.last_seq > stands, _LOGS.c.deleted_at.is_(None))
        .order_by(EventPosition.moved_at.nulls_first(), _LOGS.c.id)
    )


def get(session: Session, consumer: str, review_id: ReviewId) -> int:
    found = session.get(EventPosition, (consumer, review_id), populate_existing=True)
    return 0 if found is None else found.seq


def move(session: Session, consumer: str, to: Place) -> None:
    """Set the consumer's position, in the caller's transaction."""
    values = {"seq": to.seq, "moved_at": now()}
    _insert(
        session,
        EventPosition,
        {"consumer": consumer, "review_id": to.review_id} | values,
        otherwise=values,
    )


def before_newest(session: Session, n_events: int) -> Sequence[Place]:
    """Return where so many events are still to come, over all logs; their beginnings if fewer are.

    Logs that have none of these events are left out.
    """
    newest = select(Event.created_at).order_by(Event.created_at.desc())
    begin = session.scalar(newest.offset(n_events - 1).limit(1))
    first = select(Event.review_id, func.min(Event.seq)).group_by(Event.review_id)
    if begin is not None:
        first = first.where(Event.created_at >= begin)
    return [Place(review_id, seq - 1) for review_id, seq in session.execute(first)]


def set_back(session: Session, consumer: str, to: Sequence[Place]) -> None:
    """Set the consumer back to these places where it is further, in the caller's transaction."""
    for place in to:
        session.execute(
            update(EventPosition)
            .where(
                EventPosition.consumer == consumer,
                EventPosition.review_id == place.review_id,
                EventPosition.seq > place.seq,
            )
            .values(seq=place.seq)
            .execution_options(synchronize_session=False)
        )


def outlook(session: Session, consumer: str) -> tuple[str | None, bool]:
    """Return what was noted of the consumer's last entry, and whether any log goes on behind it."""
    noted, is_behind = session.execute(_outlook(consumer)).one()
    return noted, bool(is_behind)


@cache
def _outlook(consumer: str) -> Select[str, bool]:
    entry = select(ConsumerLease.last_entry).where(ConsumerLease.consumer == consumer)
    return select(entry.scalar_subquery(), _behind(consumer).order_by(None).exists())


def last_entry(session: Session, consumer: str) -> str | None:
    """Return what was noted of the consumer's last entry."""
    return session.scalar(
        select(ConsumerLease.last_entry).where(ConsumerLease.consumer == consumer)
    )


def note_entry(session: Session, consumer: str, entry: str | None) -> None:
    """Note the consumer's last entry, in a transaction that has kept the claim."""
    session.execute(
        update(ConsumerLease)
        .where(ConsumerLease.consumer == consumer)
        .values(last_entry=entry)
        .execution_options(synchronize_session=False)
    )


def claim(session: Session, consumer: str, *, lasting: timedelta) -> int | None:
    """Take the right to work for this consumer; return its fence, or None if another has it."""
    fence = _claim(session, consumer, lasting)
    if fence is None and session.get(ConsumerLease, consumer) is None:
        _insert(session, ConsumerLease, {"consumer": consumer, "fence": 0}, otherwise={})
        fence = _claim(session, consumer, lasting)
    return fence


def _claim(session: Session, consumer: str, lasting: timedelta) -> int | None:
    free = has_run_out(ConsumerLease.lease_until, lasting=lasting)
    return session.execute(
        update(ConsumerLease)
        .where(ConsumerLease.consumer == consumer, free)
        .values(fence=ConsumerLease.fence + 1, lease_until=now() + lasting)
        .returning(ConsumerLease.fence)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()


def keep(
    session: Session,
    consumer: str,
    fence: int,
    *,
    until: datetime | None,
    last_entry: str | None = None,
) -> bool:
    """Hold on to the claim until then, None to give it back; False where it was lost.

    Nobody else can claim before the caller's transaction ends. `last_entry`: to be noted with it.
    """
    noted = {} if last_entry is None else {"last_entry": last_entry}
    kept = session.execute(
        update(ConsumerLease)
        .where(ConsumerLease.consumer == consumer, ConsumerLease.fence == fence)
        .values(lease_until=until, **noted)
        .returning(ConsumerLease.fence)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    return kept is not None


def _insert(
    session: Session, into: type[Base], values: dict[str, object], *, otherwise: dict[str, object]
) -> None:
    """Insert a row, or change it to `otherwise` if it is there."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(into).values(values)
    if otherwise:
        keys = [key.name for key in into.__table__.primary_key]
        made = statement.on_conflict_do_update(index_elements=keys, set_=otherwise)
    else:
        made = statement.on_conflict_do_nothing()
    session.execute(made.execution_options(synchronize_session=False))
