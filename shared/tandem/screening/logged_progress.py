"""What a review's log says of its stages: the decisions of each day, and the curve of includes.

The log is only added to, and the hash of an entry covers all entries before it. So this process
keeps what it has read, and reads only what was added since, where the hash is still the same.
"""

import threading
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from tandem.events.log import Event
from tandem.events.screening_types import DecisionRecorded, RecordIncluded, RecordReopened
from tandem.ids import ReviewId, UserId
from tandem.reviews.policy import Stage

_MOST_KEPT = 100
"""Reviews that this process remembers; each takes little more than its curve."""

_PAGE = 5000


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """After this many decisions of the team, so many records were included."""

    n_decisions: int
    n_included: int


@dataclass(slots=True)
class LoggedStage:
    """`days`: how many decisions each reviewer made on each day (UTC), those replaced too.

    `curve` has a point for each change of the number of included records. What came along with
    another record, on a merge or a split, nobody decided: it is not counted.
    """

    n_decisions: int = 0
    days: dict[UserId, Counter[date]] = field(default_factory=dict)
    curve: list[CurvePoint] = field(default_factory=lambda: [CurvePoint(0, 0)])
    _included: set[str | None] = field(default_factory=set)

    def follow(self, entry: Row[Any]) -> None:
        if entry.type != DecisionRecorded.type:
            is_in = entry.type == RecordIncluded.type
            (self._included.add if is_in else self._included.discard)(entry.subject)
            self.curve.append(CurvePoint(self.n_decisions, len(self._included)))
        elif entry.carried_from is None:
            self.n_decisions += 1
            days = self.days.setdefault(UserId(UUID(entry.reviewer_id)), Counter())
            days[entry.created_at.date()] += 1

    def copy(self) -> "LoggedStage":
        days = {who: by_day.copy() for who, by_day in self.days.items()}
        return LoggedStage(self.n_decisions, days, self.curve.copy())


@dataclass(slots=True)
class _Read:
    """What was read of a log, up to the entry `seq` with this hash; 0: nothing."""

    seq: int = 0
    hash: str = ""
    stages: dict[Stage, LoggedStage] = field(
        default_factory=lambda: {stage: LoggedStage() for stage in Stage}
    )

    def is_part_of(self, session: Session, review_id: ReviewId) -> bool:
        """Whether the log that this session sees begins with what was read."""
        entry = select(Event.hash).where(Event.review_id == review_id, Event.seq == self.seq)
        return self.seq == 0 or session.scalar(entry) == self.hash

    def go_on(self, session: Session, review_id: ReviewId) -> None:
        """Read what was added since. A page counts as read once all of it is in memory."""
        is_more = True
        while is_more:
            page = session.execute(_page(review_id, self.seq)).all()
            for entry in page:
                self.stages[Stage(entry.stage)].follow(entry)
                self.seq, self.hash = entry.seq, entry.hash
            is_more = len(page) == _PAGE


_kept: OrderedDict[ReviewId, tuple[threading.Lock, _Read]] = OrderedDict()
_guard = threading.Lock()


def logged_progress(session: Session, review_id: ReviewId) -> Mapping[Stage, LoggedStage]:
    """Return what the log says, by stage, as far as this session sees it."""
    with _guard:
        lock, read = _kept.setdefault(review_id, (threading.Lock(), _Read()))
        _kept.move_to_end(review_id)
        if len(_kept) > _MOST_KEPT:
            _kept.popitem(last=False)
    with lock:
        if not read.is_part_of(session, review_id):
            # Restored from a backup, or this session began before the last reader's.
            read = _Read()
            with _guard:
                _kept.pop(review_id, None)
        read.go_on(session, review_id)
        return {stage: logged.copy() for stage, logged in read.stages.items()}


def _page(review_id: ReviewId, after: int) -> Select[Any]:
    kinds = (DecisionRecorded.type, RecordIncluded.type, RecordReopened.type)
    return (
        select(
            Event.seq,
            Event.hash,
            Event.type,
            Event.subject,
            Event.created_at,
            Event.data["stage"].as_string().label("stage"),
            Event.data["reviewer_id"].as_string().label("reviewer_id"),
            Event.data["carried_from"].as_string().label("carried_from"),
        )
        .where(Event.review_id == review_id, Event.seq > after, Event.type.in_(kinds))
        .order_by(Event.seq)
        .limit(_PAGE)
    )
