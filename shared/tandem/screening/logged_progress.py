"""What a review's log says of its stages: the decisions of each day, and the curve of includes.

The log is only added to, and the hash of an entry covers all entries before it. So this process
keeps what it has read, and reads only what was added since, where the hash is still the same.
"""

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from tandem.events.log import Event
from tandem.events.screening_types import DecisionRecorded, RecordIncluded, RecordReopened
from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.reviews.policy import Stage

_MOST_KEPT = 100
"""Reviews that this process remembers; each takes little more than its curve."""

_PAGE = 5000


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """After this many decisions of the team, so many records were included."""

    n_decisions: int
    n_included: int


class Change(NamedTuple):
    """That a record came to be included, or ceased to be, after so many decisions of the team."""

    n_decisions: int
    number: RecordNumber
    is_included: bool


@dataclass(slots=True)
class LoggedStage:
    """`days`: how many decisions each reviewer made on each day (UTC), those replaced too.

    What came along with another record, on a merge or a split, nobody decided: it is not counted.
    """

    n_decisions: int = 0
    days: dict[UserId, Counter[date]] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)

    def decided(self, reviewer_id: str, day: date) -> None:
        self.n_decisions += 1
        self.days.setdefault(UserId(UUID(reviewer_id)), Counter())[day] += 1

    def changed(self, record_id: str, *, is_included: bool) -> None:
        number = RecordNumber(int(record_id))
        self.changes.append(Change(self.n_decisions, number, is_included))

    def curve(self, is_there: Callable[[RecordNumber], bool]) -> list[CurvePoint]:
        """Return a point for each change of the number of included records, of those there."""
        included, points = set[RecordNumber](), [CurvePoint(0, 0)]
        for change in self.changes:
            if is_there(change.number):
                (included.add if change.is_included else included.discard)(change.number)
                points.append(CurvePoint(change.n_decisions, len(included)))
        return points

    def copy(self) -> "LoggedStage":
        days = {who: by_day.copy() for who, by_day in self.days.items()}
        return LoggedStage(self.n_decisions, days, self.changes.copy())


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
                stage = self.stages[Stage(entry.stage)]
                if entry.type != DecisionRecorded.type:
                    stage.changed(entry.subject, is_included=entry.type == RecordIncluded.type)
                elif entry.carried_from is None:
                    stage.decided(entry.reviewer_id, entry.created_at.date())
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
