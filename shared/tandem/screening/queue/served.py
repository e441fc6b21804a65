"""The log of what was served to whom, in which order."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, func, insert, select
from sqlalchemy.orm import Session

from tandem.ids import RankingId, RecordNumber
from tandem.screening.lease_models import Lease, Served
from tandem.screening.queue.queue_filter import REVIEW, STAGE, USER, QueueFilter
from tandem.screening.streams import Stream


@dataclass(frozen=True, slots=True)
class At:
    """A record, and where a ranking has it."""

    number: RecordNumber
    rank: int | None = None
    score: float | None = None
    ranking_id: RankingId | None = None

    @classmethod
    def of(cls, lease: Lease) -> "At":
        return cls(lease.record_number, lease.rank, lease.score, lease.ranking_id)


@dataclass(frozen=True, slots=True)
class Pick:
    at: At
    stream: Stream


def how_many(session: Session, queue_filter: QueueFilter) -> int:
    """Return how many picks this reviewer has been served in the stage."""
    return session.scalar(_HOW_MANY, queue_filter.parameters()) or 0


_HOW_MANY = select(func.max(Served.pick)).where(
    Served.review_id == REVIEW, Served.stage == STAGE, Served.user_id == USER
)


def taken_up_again(
    session: Session, queue_filter: QueueFilter, numbers: Sequence[RecordNumber]
) -> set[RecordNumber]:
    """Return which of these records were served to this reviewer last after they put them off."""
    latest = dict(session.execute(_STREAMS, queue_filter.parameters(numbers)).all())
    return {number for number, stream in latest.items() if stream is Stream.AGAIN}


_STREAMS = (
    select(Served.record_number, Served.stream)
    .where(
        Served.review_id == REVIEW,
        Served.stage == STAGE,
        Served.user_id == USER,
        Served.record_number.in_(bindparam("numbers", expanding=True)),
    )
    .order_by(Served.pick)
)


def log(session: Session, queue_filter: QueueFilter, first: int, picks: Sequence[Pick]) -> None:
    """Log that these are served, as pick number `first` of this reviewer and those after."""
    rows = [
        {
            "review_id": queue_filter.review_id,
            "stage": queue_filter.stage,
            "user_id": queue_filter.user_id,
            "pick": number,
            "record_number": pick.at.number,
            "served_at": queue_filter.now,
            "rank": pick.at.rank,
            "ranking_id": pick.at.ranking_id,
            "stream": pick.stream,
        }
        for number, pick in enumerate(picks, start=first)
    ]
    if rows:
        session.execute(_LOG, rows)


_LOG = insert(Served)
