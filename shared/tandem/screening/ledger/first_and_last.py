"""What a stage's ledger holds of each record, kept from one look to the next."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from tandem.db.arrays import plain_rows
from tandem.db.session import sees_only_committed
from tandem.ids import ReviewId
from tandem.recent import Recent
from tandem.reviews.models import Review
from tandem.reviews.policy import Stage
from tandem.screening.models import Decision


class FirstAndLast(NamedTuple):
    """The `labels_seq` of each record's first decision and last one, by record number.

    0 without one; records above the last one decided are left out. `upto`: as far as it was read.
    """

    upto: int
    first: NDArray[np.int64]
    last: NDArray[np.int64]

    def and_then(self, later: NDArray[np.int64]) -> "FirstAndLast":
        """Return them with later rows of record number and `labels_seq`, in order of the latter."""
        more = max(0, 1 + int(later[:, 0].max()) - len(self.last))
        first, last = (np.concatenate([of, np.zeros(more, np.int64)]) for of in self[1:])
        numbers, at = np.unique(later[:, 0], return_index=True)
        first[numbers] = np.where(first[numbers], first[numbers], later[at, 1])
        np.maximum.at(last, later[:, 0], later[:, 1])
        return FirstAndLast(int(later[-1, 1]), first, last)


_NONE = FirstAndLast(0, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
_RECENT = Recent[FirstAndLast](10)
"""By review and stage."""


def first_and_last(session: Session, review_id: ReviewId, stage: Stage) -> FirstAndLast:
    """Return what the ledger of a stage holds. Read only.

    It only grows: what this process has read of it before is not read again.
    """
    found = _RECENT.get((review_id, stage)) or _NONE
    if found.upto and found.upto > session.scalars(_newest(review_id)).one():
        found = _NONE  # this session sees an earlier state than another one did
    query = (
        select(Decision.record_number, Decision.labels_seq)
        .where(
            Decision.review_id == review_id,
            Decision.labels_seq > found.upto,
            Decision.stage == stage,
        )
        .order_by(Decision.labels_seq)
    )
    if rows := plain_rows(session, query):
        found = found.and_then(np.array(rows, dtype=np.int64))
        if sees_only_committed(session):
            _RECENT.keep((review_id, stage), found)
    return found


def _newest(review_id: ReviewId) -> Select[int]:
    return select(Review.labels_seq).where(Review.id == review_id)
