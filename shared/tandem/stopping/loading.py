"""Reading what an audit's evidence is made of: its draws, and the labels in force now."""

from collections import Counter
from collections.abc import Mapping

from sqlalchemy import and_, exists, func, select
from sqlalchemy.orm import Session

from tandem.ids import RecordNumber
from tandem.records.models import Record
from tandem.records.shown import n_shown
from tandem.screening.models import Decision, ScreenedRecord
from tandem.screening.recall import of_screened_record
from tandem.screening.rules import Status
from tandem.stopping.counting import Ledger, Outside
from tandem.stopping.drawn import DrawnRecords
from tandem.stopping.joins import is_shown, no_longer_shown, plain_rows
from tandem.stopping.models import Audit, AuditDraw

_Hidden = Mapping[RecordNumber, Status]
"""See `no_longer_shown`."""


def load(session: Session, audit: Audit) -> Ledger:
    """Read what an audit's evidence is made of."""
    hidden = no_longer_shown(session, audit.review_id, audit.stage)
    left_at = _left_at(session, audit, hidden)
    draws, counts = _draws(session, audit, left_at, hidden), _by_status(session, audit, hidden)
    inside, after = _n_shown(session, audit)
    undecided = draws.n_undecided
    decided = sum(n for (is_inside, _), n in counts.items() if is_inside)
    settled = sum(counts[False, status] for status in Status if status.is_settled)
    open_again = counts[True, Status.UNSCREENED]  # its decisions were withdrawn
    waiting = {
        "conflict": counts[True, Status.CONFLICT],
        "awaiting": counts[True, Status.AWAITING] + open_again,
        "drawn_undecided": undecided,
    }
    outside = Outside(settled, counts[False, Status.INCLUDED], after - settled)
    return Ledger(draws, left_at, inside - decided - undecided, waiting, outside)


def _draws(
    session: Session, audit: Audit, included: Mapping[RecordNumber, int], hidden: _Hidden
) -> DrawnRecords:
    """Return the draws of records that are shown. Nearly all are excluded; the others are few."""
    undecided = _undecided(session, audit)
    differs: dict[RecordNumber, Status | None] = dict.fromkeys(included, Status.INCLUDED)
    differs |= _open(session, audit)
    differs |= dict.fromkeys(undecided)
    gone = hidden.keys() | {number for number, shown in undecided.items() if not shown}
    columns = (
        AuditDraw.place,
        AuditDraw.record_number,
        AuditDraw.pool,
        AuditDraw.seq,
        AuditDraw.target,
    )
    query = select(*columns).where(AuditDraw.audit_id == audit.id).order_by(AuditDraw.place)
    rows = plain_rows(session, query)
    if gone:
        rows = [row for row in rows if row.record_number not in gone]
    return DrawnRecords.of(rows, differs)


def _undecided(session: Session, audit: Audit) -> dict[RecordNumber, bool]:
    """Return the drawn records that nobody has decided, and whether each is shown."""
    of_draw = and_(
        ScreenedRecord.review_id == audit.review_id,
        ScreenedRecord.stage == audit.stage,
        ScreenedRecord.record_number == AuditDraw.record_number,
    )
    shown = exists().where(is_shown(audit.review_id), Record.number == AuditDraw.record_number)
    query = (
        select(AuditDraw.record_number, shown)
        .outerjoin(ScreenedRecord, of_draw)
        .where(AuditDraw.audit_id == audit.id, ScreenedRecord.record_number.is_(None))
    )
    return dict(session.execute(query).all())


def _open(session: Session, audit: Audit) -> dict[RecordNumber, Status | None]:
    """Return the records that were begun and are not settled."""
    query = select(ScreenedRecord.record_number, ScreenedRecord.status).where(
        ScreenedRecord.review_id == audit.review_id,
        ScreenedRecord.stage == audit.stage,
        ScreenedRecord.status.in_([status for status in Status if not status.is_settled]),
    )
    return dict(session.execute(query).all())


def _n_shown(session: Session, audit: Audit) -> tuple[int, int]:
    """Return how many records are shown in the frame, and beyond it."""
    later = select(func.count()).where(is_shown(audit.review_id), Record.number > audit.last_number)
    after = session.scalar(later) or 0
    return n_shown(session, audit.review_id) - after, after


def _by_status(session: Session, audit: Audit, hidden: _Hidden) -> Counter[tuple[bool, Status]]:
    """Count the records that anybody has decided: in the frame or not, by status."""
    query = (
        select(ScreenedRecord.status, func.count())
        .where(ScreenedRecord.review_id == audit.review_id, ScreenedRecord.stage == audit.stage)
        .group_by(ScreenedRecord.status)
    )
    later = query.where(ScreenedRecord.record_number > audit.last_number)
    counts = Counter[tuple[bool, Status]]()
    for status, n in session.execute(query):
        counts[True, status] += n
    for status, n in session.execute(later):
        counts[True, status] -= n
        counts[False, status] += n
    counts.subtract((number <= audit.last_number, status) for number, status in hidden.items())
    return counts


def _left_at(session: Session, audit: Audit, hidden: _Hidden) -> dict[RecordNumber, int]:
    """Return for each include in the frame the number of its first decision."""
    query = (
        select(ScreenedRecord.record_number, func.min(Decision.labels_seq))
        .join(Decision, of_screened_record())
        .where(
            ScreenedRecord.review_id == audit.review_id,
            ScreenedRecord.stage == audit.stage,
            ScreenedRecord.status == Status.INCLUDED,
        )
        .group_by(ScreenedRecord.record_number)
    )
    # The frame is looked at here: by its numbers, a database would read all that is decided.
    found = session.execute(query).all()
    return {
        number: seq for number, seq in found if number <= audit.last_number and number not in hidden
    }
