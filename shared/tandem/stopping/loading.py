"""Reading what an audit's evidence is made of: its draws, and the labels in force now."""

from sqlalchemy import String, and_, cast, func, select
from sqlalchemy.orm import Session

from tandem.ids import RecordNumber
from tandem.records.models import Record
from tandem.records.shown import n_shown
from tandem.screening.models import Decision, ScreenedRecord
from tandem.screening.recall import of_screened_record
from tandem.screening.rules import Status
from tandem.stopping.counting import Drawn, DrawnRow, Ledger, Outside
from tandem.stopping.joins import is_screened, is_shown
from tandem.stopping.models import Audit, AuditDraw

_STATUSES = {status.value: status for status in Status}


def load(session: Session, audit: Audit) -> Ledger:
    """Read what an audit's evidence is made of."""
    draws, counts = _draws(session, audit), _by_status(session, audit)
    inside, after = _n_shown(session, audit)
    undecided = sum(drawn.status is None for drawn in draws)
    decided = sum(n for (is_inside, _), n in counts.items() if is_inside)
    settled = sum(counts.get((False, status), 0) for status in Status if status.is_settled)
    open_again = counts.get((True, Status.UNSCREENED), 0)  # its decisions were withdrawn
    waiting = {
        "conflict": counts.get((True, Status.CONFLICT), 0),
        "awaiting": counts.get((True, Status.AWAITING), 0) + open_again,
        "drawn_undecided": undecided,
    }
    includes = counts.get((False, Status.INCLUDED), 0)
    outside = Outside(settled, includes, after - settled)
    return Ledger(draws, _left_at(session, audit), inside - decided - undecided, waiting, outside)


def _draws(session: Session, audit: Audit) -> list[Drawn]:
    query = (
        select(
            AuditDraw.place,
            AuditDraw.record_number,
            AuditDraw.pool,
            AuditDraw.seq,
            AuditDraw.target,
            cast(ScreenedRecord.status, String),
        )
        .join(
            Record,
            and_(is_shown(audit.review_id), Record.number == AuditDraw.record_number),
        )
        .outerjoin(ScreenedRecord, is_screened(audit.stage))
        .where(AuditDraw.audit_id == audit.id)
        .order_by(AuditDraw.place)
    )
    # Rows as they come: of 10,000 draws the enum alone takes longer than the query.
    return [
        Drawn(
            DrawnRow(place, number, pool, seq, target),
            None if status is None else _STATUSES[status],
        )
        for place, number, pool, seq, target, status in session.execute(query)
    ]


def _n_shown(session: Session, audit: Audit) -> tuple[int, int]:
    """Return how many records are shown in the frame, and beyond it."""
    later = select(func.count()).where(is_shown(audit.review_id), Record.number > audit.last_number)
    after = session.scalar(later) or 0
    return n_shown(session, audit.review_id) - after, after


def _by_status(session: Session, audit: Audit) -> dict[tuple[bool, Status], int]:
    """Count the records that anybody has decided: in the frame or not, by status."""
    is_inside = Record.number <= audit.last_number
    query = (
        select(is_inside, ScreenedRecord.status, func.count())
        .join(ScreenedRecord, is_screened(audit.stage))
        .where(is_shown(audit.review_id))
        .group_by(is_inside, ScreenedRecord.status)
    )
    return {(bool(side), status): n for side, status, n in session.execute(query)}


def _left_at(session: Session, audit: Audit) -> dict[RecordNumber, int]:
    """Return for each include in the frame the number of its first decision."""
    query = (
        select(ScreenedRecord.record_number, func.min(Decision.labels_seq))
        .join(Record, is_screened(audit.stage))
        .join(Decision, of_screened_record())
        .where(
            is_shown(audit.review_id),
            ScreenedRecord.status == Status.INCLUDED,
        )
        .group_by(ScreenedRecord.record_number)
    )
    # The frame is looked at here: by its numbers, a database would read all that is decided.
    found = session.execute(query).all()
    return {number: seq for number, seq in found if number <= audit.last_number}
