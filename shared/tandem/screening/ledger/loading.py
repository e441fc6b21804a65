"""Loads the state of records from the tables, as a change of them needs it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    bindparam,
    exists,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased

from tandem.db.pieces import pieces
from tandem.errors import Conflict as Contradiction
from tandem.errors import NotFound
from tandem.ids import RecordNumber, ReviewId
from tandem.records.models import Record
from tandem.records.origin import NotScreened
from tandem.reviews.policy import Stage
from tandem.screening.ledger.state import RecordKey, RecordState
from tandem.screening.models import (
    Conflict,
    Decision,
    Exposure,
    PresentDecision,
    Resolution,
    ScreenedRecord,
)


class IsDuplicate(Contradiction):
    """The record is linked to another one, which is screened in its place."""

    code = "is_duplicate"

    def __init__(self, number: RecordNumber, shown_as: RecordNumber) -> None:
        super().__init__(f"Record {number} is a duplicate of record {shown_as}: decide that one.")
        self.record_id = str(shown_as)


class RecordNotScreened(Contradiction):
    """Nobody screens the record's title and abstract."""

    code = "not_screened"

    def __init__(self, number: RecordNumber, why: NotScreened) -> None:
        super().__init__(f"Record {number} is not screened by title and abstract: {_WHY[why]}")


_WHY = {
    NotScreened.REMOVED: "it was removed before. DELETE /records/{record_id}/removal restores it.",
    NotScreened.PREVIOUS: "it is an included report of the review's previous version.",
    NotScreened.FULL_TEXT: "it was found by another method, and starts at full text.",
}


def screenable(session: Session, key: RecordKey) -> None:
    """Raise unless the record is one to decide.

    Raises:
        NotFound: The review has no such record.
        IsDuplicate: It is shown as another record; that one is to be decided.
    """
    query = select(Record.duplicate_of, Record.not_screened_because).where(
        Record.review_id == key.review_id, Record.number == key.record_number
    )
    _require_screened(key, session.execute(query).all())


def load_screenable(session: Session, key: RecordKey) -> RecordState:
    """Return the state of a record that is one to decide; raises as `screenable` does."""
    loaded = load_many_screenable(session, key.review_id, key.stage, [key.record_number])
    return loaded[key.record_number].screenable()


@dataclass(frozen=True, slots=True)
class Loaded:
    """The state of a record, and whether it is one to decide.

    `is_touched`: others are linked to it, or somebody decided or settled it at some time. Nobody
    can know a verdict on any other record.
    """

    state: RecordState
    is_touched: bool
    _found: "_Shown" = ()

    def screenable(self) -> RecordState:
        """Return the state; raises as `screenable` does."""
        _require_screened(self.state.key, self._found)
        return self.state


def load_many_screenable(
    session: Session, review_id: ReviewId, stage: Stage, numbers: Collection[RecordNumber]
) -> dict[RecordNumber, Loaded]:
    """Return the state of each of these records, also of those that are not there."""
    by_number: dict[RecordNumber, list[Any]] = {number: [] for number in numbers}
    for piece in pieces(sorted(by_number)):
        at = {"review_id": review_id, "stage": stage, "numbers": piece}
        for row in session.execute(_STATE, at):
            by_number[row[-1]].append(row)
    return {
        number: _loaded(RecordKey(review_id, stage, number), rows)
        for number, rows in by_number.items()
    }


def load(session: Session, key: RecordKey) -> RecordState:
    """Return the state of a record, linked or not: one query."""
    loaded = load_many_screenable(session, key.review_id, key.stage, [key.record_number])
    return loaded[key.record_number].state


_Shown = Sequence[Row[RecordNumber | None, NotScreened | None]]
"""What a record is linked to and why it is not screened, if it is there."""


def _require_screened(key: RecordKey, found: _Shown) -> None:
    if not found:
        raise NotFound(f"There is no record {key.record_number} in this review.")
    shown_as, why = found[0]
    if shown_as is not None:
        raise IsDuplicate(key.record_number, shown_as)
    goes_on = key.stage is Stage.FULL_TEXT and why is NotScreened.FULL_TEXT
    if why is not None and not goes_on:
        raise RecordNotScreened(key.record_number, why)


def _there(
    table: type[ScreenedRecord | Conflict | Resolution | PresentDecision],
) -> ColumnElement[bool]:
    return and_(
        table.review_id == Record.review_id,
        table.stage == bindparam("stage"),
        table.record_number == Record.number,
    )


def _is_touched() -> ColumnElement[bool]:
    linked = aliased(Record)
    heads = (linked.review_id == Record.review_id, linked.duplicate_of == Record.number)
    entered = (
        exists().where(
            table.review_id == Record.review_id,
            table.stage == bindparam("stage"),
            table.record_number == Record.number,
        )
        for table in (aliased(Decision), aliased(Resolution), Exposure)
    )
    return or_(exists().where(*heads), *entered)


IS_ACTIVE = and_(Resolution.is_set_aside.is_(False), Resolution.taken_back_at.is_(None))
"""Which resolutions count now."""

_STATE = (
    select(
        *(ScreenedRecord, Conflict, Resolution, Decision),
        Record.duplicate_of,
        Record.not_screened_because,
        _is_touched(),
        Record.number,
    )
    .select_from(Record)
    .outerjoin(ScreenedRecord, _there(ScreenedRecord))
    .outerjoin(Conflict, _there(Conflict))
    .outerjoin(Resolution, and_(_there(Resolution), IS_ACTIVE))
    .outerjoin(PresentDecision, _there(PresentDecision))
    .outerjoin(Decision, Decision.id == PresentDecision.decision_id)
    .where(
        Record.review_id == bindparam("review_id"),
        Record.number.in_(bindparam("numbers", expanding=True)),
    )
    .order_by(Decision.labels_seq)
)
"""One row for each active vote of a record, one without any. Made once: every decision asks it."""

_DECISION = 3
"""Its place among the columns; behind it is what is known of the record."""


def _loaded(key: RecordKey, rows: Sequence[Any]) -> Loaded:
    row, conflict, resolution, *_ = rows[0] if rows else (None,) * 8
    entered = [row[_DECISION] for row in rows if row[_DECISION] is not None]
    votes = {entry.reviewer_id: entry for entry in entered}
    state = RecordState.of(key, votes, resolution, conflict, row)
    is_touched = bool(rows) and rows[0][-2]
    return Loaded(state, is_touched, [row[_DECISION + 1 : -2] for row in rows])


def entries(session: Session, key: RecordKey) -> Sequence[Decision]:
    """Return everything that was ever entered for the record in the stage, in order."""
    query = (
        select(Decision)
        .where(
            Decision.review_id == key.review_id,
            Decision.stage == key.stage,
            Decision.record_number == key.record_number,
        )
        .order_by(Decision.labels_seq)
    )
    return session.scalars(query).all()
