"""The entry of the log that put a record into a box of the flow."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.db.pieces import pieces
from tandem.events.log import Event
from tandem.events.screening_types import RecordExcluded, RecordIncluded, ReportRetrievalChanged
from tandem.events.types import DuplicatesMerged, RecordRemoved
from tandem.ids import ReviewId
from tandem.reviews.policy import Stage

_SETTLED = (RecordIncluded.type, RecordExcluded.type)
_FIRST = {"records_screened", "records_excluded", "other_screened", "other_records_excluded"}
_SOUGHT = ("sought_reports", "being_sought")
_ASSESSED = (
    "excluded",
    "included",
    "ongoing",
    "awaiting_classification",
    "eligible_not_sampled",
)


def entries(
    session: Session, review_id: ReviewId, key: str, numbers: Sequence[int], *, up_to: int | None
) -> dict[int, int]:
    """Return for those of a box's records of which the log tells why they are in it: where.

    Each is the `seq` of the newest event about the record that put it there. What a file brought,
    and what nobody has decided yet, has none.
    """
    if key in ("duplicates", "other_already_found"):
        return _merged(session, review_id, set(numbers), up_to)
    types, stage = _events_behind(key)
    found: dict[int, int] = {}
    for some in pieces(sorted(numbers)) if types else ():
        query = select(Event.seq, Event.subject, Event.data).where(
            Event.review_id == review_id,
            Event.subject.in_([str(number) for number in some]),
            Event.type.in_(types),
        )
        for seq, subject, data in _until(session, query, up_to):
            if stage is None or data["stage"] == stage:
                found[int(subject)] = seq
    return found


def _events_behind(key: str) -> tuple[Sequence[str], Stage | None]:
    name = key.removeprefix("dbr_").removeprefix("other_")
    if key in ("excluded_automatic", "excluded_other", "other_removed"):
        return (RecordRemoved.type,), None
    if name == "notretrieved_reports" or name in ("assessed", "to_assess"):
        return (ReportRetrievalChanged.type,), None
    if key in _FIRST or name in _SOUGHT:
        return _SETTLED, Stage.TITLE_ABSTRACT
    if name in _ASSESSED or key in ("new_reports", "total_reports", "previous_reports"):
        return _SETTLED, Stage.FULL_TEXT
    return (), None


def _until(session: Session, query: Any, up_to: int | None) -> Iterable[Any]:
    if up_to is not None:
        query = query.where(Event.seq <= up_to)
    rows: Iterable[Any] = session.execute(query.order_by(Event.seq))
    return rows


def _merged(
    session: Session, review_id: ReviewId, numbers: set[int], up_to: int | None
) -> dict[int, int]:
    query = select(Event.seq, Event.data).where(
        Event.review_id == review_id, Event.type == DuplicatesMerged.type
    )
    found = {int(data["duplicate_id"]): seq for seq, data in _until(session, query, up_to)}
    return {number: seq for number, seq in found.items() if number in numbers}
