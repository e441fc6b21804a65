"""The queries of a reviewer's queue. Each is built once: building takes longer than running."""

from enum import Enum, auto
from functools import cache

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, select

from tandem.ids import RecordNumber
from tandem.records.models import Record
from tandem.reviews.models import Member
from tandem.screening.lease_models import Lease
from tandem.screening.models import Decision, ScreenedRecord
from tandem.screening.queue.queue_filter import (
    REVIEW,
    STAGE,
    USER,
    Rules,
    begun,
    has_decided,
    has_in_hand,
    is_among,
    is_half_done,
    is_held,
    leased_record,
    own_leases,
    screened,
)


class Which(Enum):
    """Among which records those are looked for that may be held for a reviewer.

    The first three are of `numbers`: all of them, what nobody has decided, what somebody has.
    `BEHIND` are the first `size` that come after the number `after`.
    """

    NAMED = auto()
    UNTOUCHED = auto()
    BEGUN = auto()
    HALF_DONE = auto()
    BEHIND = auto()

    def condition(self) -> ColumnElement[bool]:
        match self:
            case Which.NAMED:
                return is_among()
            case Which.UNTOUCHED:
                return and_(is_among(), ~begun())
            case Which.BEGUN:
                return and_(is_among(), begun())
            case Which.HALF_DONE:
                return is_half_done()
            case Which.BEHIND:
                return Record.number > bindparam("after")


@cache
def free(rules: Rules, which: Which) -> Select[RecordNumber]:
    """Select the numbers of records that may be held for the reviewer."""
    query = (
        select(Record.number)
        .outerjoin(ScreenedRecord, screened())
        .where(
            Record.review_id == REVIEW,
            which.condition(),
            rules.has_room(),
            ~has_decided(),
            ~has_in_hand(),
        )
        # In this order SQLite begins with the numbers, not with all that are no duplicates.
        .order_by(Record.number)
    )
    return query.limit(bindparam("size")) if which is Which.BEHIND else query


@cache
def held(rules: Rules) -> Select[Lease]:
    """Select the reviewer's open leases on records that are still theirs to decide."""
    return (
        select(Lease)
        .join(Record, leased_record())
        .outerjoin(ScreenedRecord, screened())
        .where(own_leases(), is_held(), rules.is_open())
        .order_by(Lease.rank.is_(None), Lease.rank, Lease.record_number)
    )


@cache
def put_off(rules: Rules) -> Select[Lease]:
    """Select what the reviewer put off and may take up again, the longest ago first."""
    return (
        select(Lease)
        .join(Record, leased_record())
        .outerjoin(ScreenedRecord, screened())
        .where(own_leases(), Lease.put_off_at.is_not(None), rules.has_room())
        .order_by(Lease.put_off_at, Lease.record_number)
    )


LEASES = select(Lease).where(
    own_leases(), Lease.record_number.in_(bindparam("numbers", expanding=True))
)
"""The reviewer's leases on some records, open or not."""


def _decided_last_by_others() -> Select[RecordNumber]:
    newest_of_member = (
        select(Decision.labels_seq)
        .where(
            Decision.review_id == Member.review_id,
            Decision.reviewer_id == Member.user_id,
            Decision.stage == STAGE,
        )
        .order_by(Decision.labels_seq.desc())
        .limit(1)
        .correlate(Member)
        .scalar_subquery()
    )
    newest = select(func.max(newest_of_member)).where(
        Member.review_id == REVIEW, Member.user_id != USER
    )
    return select(Decision.record_number).where(
        Decision.review_id == REVIEW, Decision.labels_seq == newest.scalar_subquery()
    )


DECIDED_LAST_BY_OTHERS = _decided_last_by_others()
"""The record of the newest entry that another member has in the ledger."""
