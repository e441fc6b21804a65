"""Which records are not screened: those that are linked to another one, or left out."""

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select, union_all
from sqlalchemy.orm import Session

from tandem.db.arrays import numbers_of
from tandem.db.pieces import pieces
from tandem.db.session import sees_only_committed
from tandem.events.log import Event
from tandem.events.types import (
    DuplicatesMerged,
    DuplicatesSplit,
    ImportChanged,
    ImportFailed,
    ImportFinished,
    ImportTakenBack,
    RecordRemoved,
    RecordRestored,
)
from tandem.ids import RecordNumber, ReviewId
from tandem.recent import Recent
from tandem.records.models import Record
from tandem.reviews.models import Review
from tandem.reviews.policy import Stage
from tandem.screening.full_text.population import Gate, population
from tandem.screening.ledger.first_and_last import first_and_last
from tandem.screening.models import ScreenedRecord
from tandem.screening.rules import Status

_HIDE_OR_SHOW = (
    DuplicatesMerged,
    DuplicatesSplit,
    ImportChanged,
    ImportFailed,
    ImportFinished,
    ImportTakenBack,
    RecordRemoved,
    RecordRestored,
)
"""Every change that hides or shows a record logs one of these events in its transaction.

But for records that are hidden from the first: an import stores them before it logs anything.
"""

_RECENT = Recent[NDArray[np.int64]](10)
"""The key is a review and its newest change."""


def hidden_numbers(session: Session, review_id: ReviewId) -> NDArray[np.int64]:
    """Return the numbers of the review's records that are not screened, ascending. Read only."""
    key = review_id, _newest_change(session, review_id)
    found = _RECENT.get(key)
    if found is None:
        of_review = Record.review_id == review_id
        query = union_all(
            select(Record.number).where(of_review, ~Record.is_shown),
            select(Record.number).where(of_review, Record.is_left_out),
        )
        found = np.unique(numbers_of(session, query))
        # On PostgreSQL, another transaction may have ended between the two looks.
        if sees_only_committed(session) and key[1] == _newest_change(session, review_id):
            _RECENT.keep(key, found)
    return found


def have_left(
    session: Session, review_id: ReviewId, stage: Stage, through: Gate, *, end: int
) -> NDArray[np.bool_]:
    """Say of each record number below `end` whether it is not in the stage now.

    `through`: what it takes to get to full text.
    """
    if stage is Stage.FULL_TEXT:
        there = population(session, review_id, through)
        return ~np.isin(np.arange(end), np.fromiter(there, dtype=np.int64, count=len(there)))
    away = np.zeros(end, dtype=bool)
    hidden = hidden_numbers(session, review_id)
    away[hidden[hidden < end]] = True
    return away


def no_longer_shown(
    session: Session, review_id: ReviewId, stage: Stage
) -> dict[RecordNumber, Status]:
    """Return the records that somebody decided and that are not screened any more, by number.

    They are few. To take them out of a count is much faster than to look at each record that is
    counted: that reads the titles and abstracts of all.
    """
    last = first_and_last(session, review_id, stage).last
    hidden = hidden_numbers(session, review_id)
    hidden = hidden[hidden < len(last)]
    return statuses_of(session, review_id, stage, hidden[last[hidden] > 0])


def statuses_of(
    session: Session, review_id: ReviewId, stage: Stage, numbers: NDArray[np.int64]
) -> dict[RecordNumber, Status]:
    """Return the statuses of these records in the stage; a record without one is left out."""
    found = dict[RecordNumber, Status]()
    for some in pieces(numbers.tolist()):
        query = select(ScreenedRecord.record_number, ScreenedRecord.status).where(
            ScreenedRecord.review_id == review_id,
            ScreenedRecord.stage == stage,
            ScreenedRecord.record_number.in_(some),
        )
        found.update(session.execute(query).all())
    return found


def _newest_change(session: Session, review_id: ReviewId) -> tuple[int, int]:
    """Return the number of the newest event that hides or shows a record, and of the last record.

    The first is 0 without one. One look at the index for each type: together they may have as many
    events as records.
    """
    newest = [
        select(func.max(Event.seq))
        .where(Event.review_id == review_id, Event.type == fact.type)
        .scalar_subquery()
        for fact in _HIDE_OR_SHOW
    ]
    last = select(Review.last_record_number).where(Review.id == review_id).scalar_subquery()
    *seqs, n_records = session.execute(select(*newest, last)).one()
    return max(seq or 0 for seq in seqs), n_records
