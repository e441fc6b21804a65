"""What a stage's ledger holds of each record, kept from one look to the next."""

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from tandem.db.session import sees_only_committed
from tandem.ids import ReviewId
from tandem.recent import Recent
from tandem.reviews.models import Review
from tandem.reviews.policy import Stage
from tandem.screening.models import Decision
from tandem.stopping.joins import plain_rows

_Entries = tuple[int, NDArray[np.int64]]
"""Up to which `labels_seq` the ledger was read, and what `last_entries` returns."""

_RECENT = Recent[_Entries](10)
"""By review and stage."""

_NONE: _Entries = (0, np.zeros(0, dtype=np.int64))


def last_entries(session: Session, review_id: ReviewId, stage: Stage) -> NDArray[np.int64]:
    """Return the `labels_seq` of each record's last decision, by record number; 0 without one.

    Records above the last one decided are left out. Read only.
    The ledger only grows: what this process has read of it before is not read again.
    """
    upto, last = _RECENT.get((review_id, stage)) or _NONE
    if upto and upto > session.scalars(_newest(review_id)).one():
        upto, last = _NONE  # this session sees an earlier state than another one did
    query = (
        select(Decision.record_number, Decision.labels_seq)
        .where(Decision.review_id == review_id, Decision.labels_seq > upto, Decision.stage == stage)
        .order_by(Decision.labels_seq)
    )
    rows = plain_rows(session, query)
    if not rows:
        return last
    entries = np.array(rows, dtype=np.int64)
    more = max(0, 1 + int(entries[:, 0].max()) - len(last))
    last = np.concatenate([last, np.zeros(more, dtype=np.int64)])
    np.maximum.at(last, entries[:, 0], entries[:, 1])
    if sees_only_committed(session):
        _RECENT.keep((review_id, stage), (int(entries[-1, 1]), last))
    return last


def _newest(review_id: ReviewId) -> Select[int]:
    return select(Review.labels_seq).where(Review.id == review_id)
