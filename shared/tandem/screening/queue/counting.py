"""How many records a stage has for one reviewer."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from tandem.db.pieces import pieces
from tandem.ids import RecordNumber
from tandem.records.models import Record
from tandem.screening.models import PresentDecision, ScreenedRecord
from tandem.screening.queue.seat import Seat, begun


@dataclass(frozen=True, slots=True)
class Counts:
    """How many records there are for one reviewer to decide, leases aside.

    Attributes:
        total: In the review, duplicates aside.
        remaining: The reviewer can still decide.
        half_done: Have some of their decisions but lack others, whoever gave them.
        half_done_by_others: Of these, the reviewer has not decided.
    """

    total: int
    remaining: int
    half_done: int
    half_done_by_others: int


def count(session: Session, seat: Seat, withheld: Collection[RecordNumber]) -> Counts:
    """Count for this reviewer. What is withheld from them does not remain for them."""
    total = _total(session, seat)
    if seat.pilot is not None:
        remaining = _still_to_decide(session, seat, set(seat.pilot) - set(withheld))
        return Counts(total, remaining, half_done=0, half_done_by_others=0)
    is_mine = PresentDecision.decision_id.is_not(None)
    is_half_done = and_(seat.lacks_decisions(), begun())
    closed, half_done, by_others = session.execute(
        select(
            func.count().filter(or_(is_mine, ~seat.lacks_decisions())),
            func.count().filter(is_half_done),
            func.count().filter(is_half_done, ~is_mine),
        )
        .select_from(ScreenedRecord)
        .outerjoin(
            PresentDecision,
            and_(
                PresentDecision.review_id == ScreenedRecord.review_id,
                PresentDecision.stage == ScreenedRecord.stage,
                PresentDecision.record_number == ScreenedRecord.record_number,
                PresentDecision.reviewer_id == seat.user_id,
            ),
        )
        .where(ScreenedRecord.review_id == seat.review_id, ScreenedRecord.stage == seat.stage)
    ).one()
    not_served = _still_to_decide(session, seat, withheld)
    return Counts(total, total - closed - not_served, half_done, by_others)


def _total(session: Session, seat: Seat) -> int:
    query = select(func.count()).where(
        Record.review_id == seat.review_id, Record.duplicate_of.is_(None)
    )
    return session.scalar(query) or 0


def _still_to_decide(session: Session, seat: Seat, some: Collection[RecordNumber]) -> int:
    """Return how many of some records, none of them a duplicate, the reviewer could decide."""
    found = 0
    for piece in pieces(sorted(some)):
        query = (
            select(func.count())
            .select_from(Record)
            .outerjoin(ScreenedRecord, seat.screened())
            .where(
                Record.review_id == seat.review_id,
                Record.number.in_(piece),
                # Asked for what is no duplicate, SQLite would go through all that are none.
                seat.is_open_if_shown(),
                ~seat.has_decided(),
            )
        )
        found += session.scalar(query) or 0
    return found
