"""Reading what an audit's evidence is made of: its draws, and the labels in force now."""

from collections import Counter
from collections.abc import Container, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from tandem.db.arrays import plain_rows
from tandem.db.pieces import pieces
from tandem.db.session import sees_only_committed
from tandem.ids import RecordNumber
from tandem.recent import Recent
from tandem.screening.hidden_records import hidden_numbers, no_longer_shown, statuses_of
from tandem.screening.ledger.first_and_last import first_and_last
from tandem.screening.ledger.loading import IS_ACTIVE
from tandem.screening.models import Resolution, ScreenedRecord
from tandem.screening.rules import Status
from tandem.stopping.counting import Ledger, Outside
from tandem.stopping.drawn import DrawnRecords, StoredDraws
from tandem.stopping.frame import came_later, n_shown_in_and_after, still_there
from tandem.stopping.models import Audit, AuditDraw

_NONE = StoredDraws.of([])
_RECENT = Recent[StoredDraws](50)
"""By audit. A draw is never changed, and none comes between two others."""

_Hidden = Mapping[RecordNumber, Status]
"""See `no_longer_shown`."""


def load(session: Session, audit: Audit) -> Ledger:
    """Read what an audit's evidence is made of."""
    hidden = no_longer_shown(session, audit.review_id, audit.stage)
    later = came_later(session, audit)
    left_at = _left_at(session, audit, hidden.keys() | later.tolist())
    draws, counts = _draws(session, audit, left_at), _by_status(session, audit, hidden, later)
    inside, after = n_shown_in_and_after(session, audit, later)
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


def _draws(session: Session, audit: Audit, included: Mapping[RecordNumber, int]) -> DrawnRecords:
    """Return the draws of records that are shown. Nearly all are excluded; the others are few."""
    stored = _stored(session, audit)
    stored = stored.at(~np.isin(stored.numbers, hidden_numbers(session, audit.review_id)))
    new = _without_entries(session, audit, stored)
    there = still_there(session, audit, new)
    stored = stored.at(~np.isin(stored.numbers, np.setdiff1d(new, there)))
    # One without entries may be settled, by a resolution that came with a linked record.
    settled = statuses_of(session, audit.review_id, audit.stage, there)
    undecided = {RecordNumber(number) for number in there.tolist()} - settled.keys()
    differs: dict[RecordNumber, Status | None] = dict.fromkeys(included, Status.INCLUDED)
    differs |= _open(session, audit) | dict.fromkeys(undecided)
    return DrawnRecords.of(stored, differs)


def _stored(session: Session, audit: Audit) -> StoredDraws:
    """Return all draws: those that this process has read before, and what came since."""
    kept = _RECENT.get(audit.id) or _NONE
    of_audit = AuditDraw.audit_id == audit.id
    newest = session.scalar(select(func.max(AuditDraw.place)).where(of_audit)) or 0
    if newest <= kept.last_place:
        return kept.until(newest)  # another session may have seen a later state than this one
    columns = (
        AuditDraw.place,
        AuditDraw.record_number,
        AuditDraw.pool,
        AuditDraw.seq,
        AuditDraw.target,
    )
    query = select(*columns).where(of_audit, AuditDraw.place > kept.last_place)
    later = StoredDraws.of(plain_rows(session, query.order_by(AuditDraw.place)))
    found = kept.and_then(later)
    if sees_only_committed(session):
        _RECENT.keep(audit.id, found)
    return found


def _without_entries(session: Session, audit: Audit, stored: StoredDraws) -> NDArray[np.int64]:
    """Return those of the drawn records that the ledger has nothing of. They are few."""
    last = first_and_last(session, audit.review_id, audit.stage).last
    are_new = stored.numbers >= len(last)
    are_new[~are_new] = last[stored.numbers[~are_new]] == 0
    return stored.numbers[are_new]


def _open(session: Session, audit: Audit) -> dict[RecordNumber, Status | None]:
    """Return the records that were begun and are not settled."""
    query = select(ScreenedRecord.record_number, ScreenedRecord.status).where(
        ScreenedRecord.review_id == audit.review_id,
        ScreenedRecord.stage == audit.stage,
        ScreenedRecord.status.in_([status for status in Status if not status.is_settled]),
    )
    return dict(session.execute(query).all())


def _by_status(
    session: Session, audit: Audit, hidden: _Hidden, later: NDArray[np.int64]
) -> Counter[tuple[bool, Status]]:
    """Count the records that anybody has decided: in the frame or not, by status."""
    query = (
        select(ScreenedRecord.status, func.count())
        .where(ScreenedRecord.review_id == audit.review_id, ScreenedRecord.stage == audit.stage)
        .group_by(ScreenedRecord.status)
    )
    beyond = query.where(ScreenedRecord.record_number > audit.last_number)
    counts = Counter[tuple[bool, Status]]()
    for status, n in session.execute(query):
        counts[True, status] += n
    for status, n in session.execute(beyond):
        counts[True, status] -= n
        counts[False, status] += n
    counts.subtract((number <= audit.last_number, status) for number, status in hidden.items())
    for status in statuses_of(session, audit.review_id, audit.stage, later).values():
        counts[True, status] -= 1
        counts[False, status] += 1
    return counts


def _left_at(
    session: Session, audit: Audit, others: Container[RecordNumber]
) -> dict[RecordNumber, int]:
    """Return for each include in the frame the number by which it had left the pool.

    That is its first decision's; without one, that of the resolution that came with another record.
    """
    query = select(ScreenedRecord.record_number).where(
        ScreenedRecord.review_id == audit.review_id,
        ScreenedRecord.stage == audit.stage,
        ScreenedRecord.status == Status.INCLUDED,
    )
    # The frame is looked at here: by its numbers, a database would read all that is decided.
    first = first_and_last(session, audit.review_id, audit.stage).first
    found = [
        number
        for number in session.scalars(query)
        if number <= audit.last_number and number not in others
    ]
    alone = [number for number in found if number >= len(first) or not first[number]]
    return {number: int(first[number]) for number in found if number not in alone} | {
        number: at for some in pieces(alone) for number, at in _settled_at(session, audit, some)
    }


def _settled_at(
    session: Session, audit: Audit, numbers: Sequence[RecordNumber]
) -> Sequence[Row[RecordNumber, int]]:
    query = select(Resolution.record_number, Resolution.labels_seq).where(
        Resolution.review_id == audit.review_id,
        Resolution.stage == audit.stage,
        Resolution.record_number.in_(numbers),
        IS_ACTIVE,
    )
    return session.execute(query).all()
