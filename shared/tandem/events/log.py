"""One append-only log per review, numbered 1, 2, 3, … without gaps, in commit order.

There are two numberings. `seq` counts everything. `open_seq` counts only events that a blinded
reviewer may know about, and is the sequence that such a reviewer sees: a gap in the full numbering
would reveal an outcome or a conflict.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import ForeignKey, Index, func, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from tandem.db.base import Base, now
from tandem.events import chain
from tandem.events.fact import Fact
from tandem.ids import ReviewId, new_id


class Event(Base):
    """One fact, as it was when it committed. Never changed, never removed."""

    __tablename__ = "event"
    __table_args__ = (
        Index("uq_event_review_id_open_seq", "review_id", "open_seq", unique=True),
        Index(None, "review_id", "type", "seq"),
        Index(None, "review_id", "subject", "seq"),
    )

    review_id: Mapped[ReviewId] = mapped_column(
        ForeignKey("review.id", ondelete="CASCADE"), primary_key=True
    )
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    open_seq: Mapped[int | None]
    id: Mapped[UUID] = mapped_column(unique=True)
    type: Mapped[str]
    subject: Mapped[str | None]
    data: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    detail: Mapped[dict[str, Any]]
    salt: Mapped[str]
    hash: Mapped[str]


class Log(Protocol):
    """The row with a review's counters, locked by each append."""

    id: ReviewId
    last_seq: int
    last_open_seq: int
    last_hash: str
    last_record_number: int


def append(session: Session, log: Log, *facts: Fact) -> None:
    """Add facts to the caller's transaction; a rollback removes them.

    The caller holds the lock of the review's row. That is what makes the numbers gap-free
    and in commit order: a sequence of the database would give neither.
    """
    if not facts:
        return
    time = now()
    rows = [_row(session, log, fact, time) for fact in facts]
    # No objects: nobody changes an event, and a batch has many.
    session.connection().execute(_INSERT, rows)


_INSERT = insert(Event)


def _row(session: Session, log: Log, fact: Fact, time: datetime) -> dict[str, Any]:
    """Number a fact, link it to the chain, and return its row."""
    log.last_seq += 1
    if fact.open_to_blinded:
        log.last_open_seq += 1
    logged = chain.LoggedEvent(
        seq=log.last_seq,
        id=str(new_id()),
        type=fact.type,
        time=time,
        subject=fact.subject,
        data=fact.model_dump(mode="json"),
    )
    known = {"tx": transaction(session), "records": log.last_record_number}
    if taken := known.keys() & fact.detail.keys():
        raise ValueError(f"{fact.type} has a detail of a name that each event has: {taken}")
    detail, salt = fact.detail | known, chain.new_salt()
    log.last_hash = chain.link(log.last_hash, logged, chain.seal(detail, salt))
    return {
        "review_id": log.id,
        "seq": logged.seq,
        "open_seq": log.last_open_seq if fact.open_to_blinded else None,
        "id": UUID(logged.id),
        "type": logged.type,
        "subject": logged.subject,
        "data": logged.data,
        "created_at": time,
        "detail": detail,
        "salt": salt,
        "hash": log.last_hash,
    }


def transaction(session: Session) -> str:
    """Return the detail that the events of one transaction share in the audit trail."""
    name: str = session.info.setdefault("transaction", secrets.token_hex(4))
    return name


def read_after(
    session: Session, *, review_id: ReviewId, after: int, limit: int, only_open: bool
) -> Sequence[tuple[int, Event]]:
    """Return up to `limit` events with their numbers, the first being `after` + 1.

    Args:
        session: A session.
        review_id: Whose log.
        after: Number of the last event that the reader has, 0 for none, in the numbering
            that `only_open` chooses.
        limit: At most so many.
        only_open: For a blinded reader: the open numbering, and nothing that is closed.
    """
    number = Event.open_seq if only_open else Event.seq
    query = (
        select(Event)
        .where(Event.review_id == review_id, number > after)
        .order_by(number)
        .limit(limit)
    )
    rows = session.scalars(query).all()
    return [(_number(event, only_open=only_open), event) for event in rows]


def renumbered(session: Session, *, review_id: ReviewId, number: int, to_open: bool) -> int:
    """Return the same place in the log in the other numbering.

    Args:
        session: A session.
        review_id: Whose log.
        number: In the full numbering if `to_open`, else in the open one.
        to_open: Which numbering the answer is in.
    """
    if to_open:
        query = select(func.max(Event.open_seq)).where(Event.seq <= number)
    else:
        query = select(func.max(Event.seq)).where(Event.open_seq <= number)
    return session.scalar(query.where(Event.review_id == review_id)) or 0


def _number(event: Event, *, only_open: bool) -> int:
    if not only_open:
        return event.seq
    if event.open_seq is None:
        raise AssertionError("a closed event was read for a blinded reader")
    return event.open_seq
