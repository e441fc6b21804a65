"""Which records belong to the frame of an audit: those that were screened at each of its draws.

A draw tells nothing of a record that was not there. One that comes into the screening behind a draw
(it is restored, parted from the record that it was linked to, or found in a database as well) is
therefore outside of the frame, as if it had been imported then.
"""

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tandem.db.arrays import numbers_of
from tandem.db.pieces import pieces
from tandem.records.models import Record
from tandem.records.shown import n_shown
from tandem.screening.hidden_records import hidden_numbers
from tandem.screening.ledger.loading import IS_ACTIVE
from tandem.screening.models import Decision, Resolution
from tandem.stopping.joins import in_screening
from tandem.stopping.models import Audit, AuditDraw

_STORED = "<i4"


def missed(audit: Audit) -> NDArray[np.int64]:
    """Return the numbers of the records that some draw has missed, ascending."""
    return np.frombuffer(audit.missed or b"", dtype=_STORED).astype(np.int64)


def note_missed(session: Session, audit: Audit) -> NDArray[np.int64]:
    """Note what a draw misses that is made now; return all that was missed so far.

    Not those that had left the pool before they left the screening: decided or drawn.
    """
    known = missed(audit)
    hidden, settled = hidden_numbers(session, audit.review_id), _settled_by_another(session, audit)
    away = np.concatenate([_without(hidden, known), _without(settled, known)])
    new = np.unique(away[away <= audit.last_number])
    if not new.size:
        return known
    new = _without(new, _decided_of(session, audit, new))
    if not new.size:
        return known
    drawn = numbers_of(
        session, select(AuditDraw.record_number).where(AuditDraw.audit_id == audit.id)
    )
    found = np.union1d(known, _without(new, drawn))
    if found.size > known.size:
        audit.missed = found.astype(_STORED).tobytes()
    return found


def _decided_of(session: Session, audit: Audit, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return those of the numbers that somebody has ever decided.

    They alone are looked up: the review is locked, and its ledger may have 100,000 entries.
    """
    found = [np.zeros(0, dtype=np.int64)]
    for some in pieces(numbers.tolist()):
        query = select(Decision.record_number).where(
            Decision.review_id == audit.review_id,
            Decision.record_number.in_(some),
            Decision.stage == audit.stage,
        )
        found.append(numbers_of(session, query.distinct()))
    return np.concatenate(found)


def _settled_by_another(session: Session, audit: Audit) -> NDArray[np.int64]:
    """Return the records at which a resolution stands that came with one that is linked to them.

    Those that nobody has decided themselves are undecided again when the two are parted.
    """
    query = select(Resolution.record_number).where(
        Resolution.review_id == audit.review_id,
        Resolution.stage == audit.stage,
        Resolution.carried_from.is_not(None),
        IS_ACTIVE,
    )
    return numbers_of(session, query)


def came_later(session: Session, audit: Audit) -> NDArray[np.int64]:
    """Return the records up to the frame's last number that are outside of it and screened now."""
    back = _without(missed(audit), hidden_numbers(session, audit.review_id))
    return still_there(session, audit, back)


def _without(numbers: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the numbers that are none of the others; of 300,000 each that takes milliseconds."""
    return numbers[~np.isin(numbers, others, kind="table")]


def still_there(session: Session, audit: Audit, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the records that are still screened: an import may have been taken back."""
    found = [np.zeros(0, dtype=np.int64)]
    for some in pieces(numbers.tolist()):
        query = select(Record.number).where(in_screening(audit.review_id), Record.number.in_(some))
        found.append(numbers_of(session, query))
    return np.sort(np.concatenate(found))


def n_shown_in_and_after(
    session: Session, audit: Audit, later: NDArray[np.int64]
) -> tuple[int, int]:
    """Return how many records are shown in the frame, and outside of it."""
    beyond = select(func.count()).where(
        in_screening(audit.review_id), Record.number > audit.last_number
    )
    after = later.size + (session.scalar(beyond) or 0)
    return n_shown(session, audit.review_id) - after, after
