"""In which order a stage's records came to be settled, and where the includes are among them."""

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.db.arrays import numbers_of
from tandem.ids import ReviewId
from tandem.reviews.policy import Stage
from tandem.screening.full_text.population import ALL_REPORTS, Gate
from tandem.screening.hidden_records import have_left
from tandem.screening.ledger.first_and_last import first_and_last
from tandem.screening.models import ScreenedRecord
from tandem.screening.rules import Status


def included_at(
    session: Session, review_id: ReviewId, stage: Stage, through: Gate = ALL_REPORTS
) -> tuple[int, ...]:
    """Return the place of each include among the settled records, in the order of settling.

    A record is settled by its last entry in the ledger. One that has none, as its resolution came
    from a record that was linked to it, has no place. `through`: what it takes to get to full text.
    """
    of_status = select(ScreenedRecord.record_number).where(
        ScreenedRecord.review_id == review_id, ScreenedRecord.stage == stage
    )
    unsettled = [status for status in Status if not status.is_settled]
    open_again = numbers_of(session, of_status.where(ScreenedRecord.status.in_(unsettled)))
    included = numbers_of(session, of_status.where(ScreenedRecord.status == Status.INCLUDED))
    last = first_and_last(session, review_id, stage).last.copy()
    last[open_again[open_again < len(last)]] = 0
    last[have_left(session, review_id, stage, through, end=len(last))] = 0
    found = last[included[included < len(last)]]
    settled, found = np.sort(last[last > 0]), np.sort(found[found > 0])
    return tuple((1 + np.searchsorted(settled, found)).tolist())
