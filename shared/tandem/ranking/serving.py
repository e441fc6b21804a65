"""Finished rankings, as the queue and the API need them. Loads no machine learning."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

import numpy as np
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, undefer

from tandem.db.rows import fetch
from tandem.errors import NotFound
from tandem.ids import RankingId, RecordNumber, ReviewId
from tandem.ranking.models import Ranking
from tandem.reviews.models import LockedReview
from tandem.reviews.policy import Stage
from tandem.screening.queue.order import NO_ORDER, Order

T = TypeVar("T")
_Reasons = Mapping[str, Sequence[tuple[str, float]]]


def ask_for_training(review: LockedReview) -> None:
    """Make a training due although no label changed."""
    review.labels_seq += 1


def newest_order(session: Session, review_id: ReviewId, stage: Stage) -> Order:
    """Return the order of the newest finished ranking, or NO_ORDER before the first.

    Full texts come in the order in which title and abstract left them.
    """
    ranked = _ranked(stage)
    newest = fetch(session, _NEWEST, {"review_id": review_id, "stage": ranked})
    ranking_id = newest.scalar_one_or_none()
    if ranking_id is None:
        return NO_ORDER
    return _orders.get(session, ranking_id)


def newest_model(session: Session, review_id: ReviewId, stage: Stage) -> str | None:
    """Return the name of the recipe of the newest ranking; None before the first."""
    query = select(Ranking.model).where(Ranking.review_id == review_id, Ranking.stage == stage)
    return session.scalars(query.order_by(Ranking.labels_seq.desc()).limit(1)).first()


def order_of_list(
    session: Session, review_id: ReviewId, stage: Stage, begun_with: RankingId | None
) -> Order:
    """Return the order that a list was begun with: None before there was one.

    Where that was given up it is the newest.
    """
    if begun_with is None:
        return NO_ORDER
    kept = select(Ranking.id).where(
        Ranking.id == begun_with,
        Ranking.review_id == review_id,
        Ranking.stage == _ranked(stage),
        Ranking.numbers.is_not(None),
    )
    if (ranking_id := session.scalar(kept)) is not None:
        return _orders.get(session, ranking_id)
    return newest_order(session, review_id, stage)


def _ranked(stage: Stage) -> Stage:
    """Return whose ranking gives the order of a stage: nothing is trained at full text."""
    return Stage.TITLE_ABSTRACT if stage is Stage.FULL_TEXT else stage


_NEWEST = (
    select(Ranking.id)
    .where(Ranking.review_id == bindparam("review_id"), Ranking.stage == bindparam("stage"))
    .order_by(Ranking.labels_seq.desc())
    .limit(1)
)


def reasons_for(
    session: Session,
    taken_from: Mapping[RecordNumber, RankingId | None],
    newest: RankingId | None = None,
) -> Mapping[RecordNumber, Sequence[tuple[str, float]]]:
    """Return the terms that brought records to their places, where their rankings tell them.

    Args:
        session: Reads the rankings.
        taken_from: The ranking in which each record had its place.
        newest: The newest ranking, where the caller knows it: that tells them.
    """
    wanted = {ranking_id for ranking_id in taken_from.values() if ranking_id is not None}
    if not wanted:
        return {}
    tell = wanted & {newest}
    if older := wanted - tell:
        tell |= set(fetch(session, _WITH_REASONS, {"wanted": list(older)}).scalars())
    reasons = {ranking_id: _reasons.get(session, ranking_id) for ranking_id in tell}
    return {
        number: reasons[ranking_id][str(number)]
        for number, ranking_id in taken_from.items()
        if ranking_id in reasons and str(number) in reasons[ranking_id]
    }


_WITH_REASONS = select(Ranking.id).where(
    Ranking.id.in_(bindparam("wanted", expanding=True)),
    Ranking.numbers.is_not(None),
)
"""Older ones have given theirs up with the order, also where this process still knows them."""


class _Kept(Generic[T]):
    """What was read of rankings lately: every queue request needs it, and it never changes."""

    def __init__(self, read: Callable[[Session, RankingId], T], *, size: int) -> None:
        self._read, self._size = read, size
        self._known: OrderedDict[RankingId, T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, session: Session, ranking_id: RankingId) -> T:
        with self._lock:
            if ranking_id in self._known:
                self._known.move_to_end(ranking_id)
                return self._known[ranking_id]
        found = self._read(session, ranking_id)
        with self._lock:
            self._known[ranking_id] = found
            while len(self._known) > self._size:
                self._known.popitem(last=False)
        return found


def _order(session: Session, ranking_id: RankingId) -> Order:
    options = (undefer(Ranking.numbers), undefer(Ranking.scores))
    ranking = session.get_one(Ranking, ranking_id, options=options)
    return Order(
        ranking.id,
        np.frombuffer(ranking.numbers or b"", dtype="<i4"),
        np.frombuffer(ranking.scores or b"", dtype="<f4"),
    )


def _reasons_of(session: Session, ranking_id: RankingId) -> _Reasons:
    return session.scalar(select(Ranking.reasons).where(Ranking.id == ranking_id)) or {}


_orders = _Kept(_order, size=64)
_reasons = _Kept(_reasons_of, size=64)


def get_ranking(session: Session, *, review_id: ReviewId, ranking_id: RankingId) -> Ranking:
    ranking = session.get(Ranking, ranking_id)
    if ranking is None or ranking.review_id != review_id:
        raise NotFound("There is no such ranking in this review.")
    return ranking


def list_rankings(
    session: Session, *, review_id: ReviewId, limit: int, before: RankingId | None = None
) -> Sequence[Ranking]:
    """Return the review's rankings, the newest first; only those older than `before`."""
    query = (
        select(Ranking)
        .where(Ranking.review_id == review_id)
        .order_by(Ranking.labels_seq.desc())
        .limit(limit)
    )
    if before is not None:
        one = get_ranking(session, review_id=review_id, ranking_id=before)
        query = query.where(Ranking.labels_seq < one.labels_seq)
    return session.scalars(query).all()
