"""Finished rankings, as the queue and the API need them. Loads no machine learning."""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from tandem.errors import NotFound
from tandem.ids import RankingId, RecordNumber, ReviewId
from tandem.ranking.models import Ranking
from tandem.reviews.models import Review
from tandem.reviews.policy import Stage
from tandem.screening.queue.order import NO_ORDER, Order


def ask_for_training(review: Review) -> None:
    """Make a training due although no label changed. The caller has locked the review."""
    review.labels_seq += 1


def newest_order(session: Session, review_id: ReviewId, stage: Stage) -> Order:
    """Return the order of the newest finished ranking, or NO_ORDER before the first."""
    ranking_id = session.scalar(
        select(Ranking.id)
        .where(Ranking.review_id == review_id, Ranking.stage == stage)
        .order_by(Ranking.labels_seq.desc())
        .limit(1)
    )
    if ranking_id is None:
        return NO_ORDER
    return _orders.get(session, ranking_id)


def reasons_for(
    session: Session, taken_from: Mapping[RecordNumber, RankingId | None]
) -> Mapping[RecordNumber, Sequence[tuple[str, float]]]:
    """Return the terms that brought records to their places, where their rankings tell them.

    Args:
        session: Reads the rankings.
        taken_from: The ranking in which each record had its place.
    """
    wanted = {ranking_id for ranking_id in taken_from.values() if ranking_id is not None}
    rows = session.execute(select(Ranking.id, Ranking.reasons).where(Ranking.id.in_(wanted)))
    told = {row.id: row.reasons or {} for row in rows}
    return {
        number: told[ranking_id][str(number)]
        for number, ranking_id in taken_from.items()
        if ranking_id is not None and str(number) in told[ranking_id]
    }


class _Orders:
    """The orders served lately, unpacked: every queue request needs one, and they never change."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._known: OrderedDict[RankingId, Order] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, session: Session, ranking_id: RankingId) -> Order:
        with self._lock:
            if ranking_id in self._known:
                self._known.move_to_end(ranking_id)
                return self._known[ranking_id]
        order = _unpacked(session.get_one(Ranking, ranking_id, options=_WITH_ORDER))
        with self._lock:
            self._known[ranking_id] = order
            while len(self._known) > self._size:
                self._known.popitem(last=False)
        return order


_WITH_ORDER = (undefer(Ranking.numbers), undefer(Ranking.scores))
_orders = _Orders(size=64)


def _unpacked(ranking: Ranking) -> Order:
    return Order(
        ranking.id,
        np.frombuffer(ranking.numbers or b"", dtype="<i4"),
        np.frombuffer(ranking.scores or b"", dtype="<f4"),
    )


def get_ranking(session: Session, *, review_id: ReviewId, ranking_id: RankingId) -> Ranking:
    ranking = session.get(Ranking, ranking_id)
    if ranking is None or ranking.review_id != review_id:
        raise NotFound("There is no such ranking in this review.")
    return ranking


def list_rankings(
    session: Session, *, review_id: ReviewId, offset: int, limit: int
) -> Sequence[Ranking]:
    """Return the review's rankings, the newest first."""
    query = (
        select(Ranking)
        .where(Ranking.review_id == review_id)
        .order_by(Ranking.labels_seq.desc())
        .offset(offset)
        .limit(limit)
    )
    return session.scalars(query).all()
