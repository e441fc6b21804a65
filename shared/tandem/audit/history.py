"""The history of one record: who, when, from which state to which, as the viewer may see it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.db.keyset import Cursor, Slice, sliced_by_id
from tandem.errors import NotFound
from tandem.events.log import Event, renumbered
from tandem.ids import RecordNumber, UserId
from tandem.records.models import Record
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.blinding.view import is_unblinded, sees_every_event, vote_visibility
from tandem.screening.models import Conflict, ScreenedRecord

_REPORT, _TEXT = "tandem.report.", "tandem.report.text_"
_DECISION, _RECORD, _CONFLICT = "tandem.decision.", "tandem.record.", "tandem.conflict."
_RESOLUTION = "tandem.resolution."


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A change of a record in a stage.

    `number` is its place in the log as the viewer may see it; an entry that is not in that log has
    the number of the last one before it. `before` and `after` are verdicts of one reviewer,
    statuses of the record, or states of a conflict, by the type; None where there is none, or where
    the viewer may not see it. The same holds for `by`.
    """

    event_id: UUID
    number: int
    type: str
    time: datetime
    stage: Stage | None
    by: UserId | None
    name: str | None
    before: str | None
    after: str | None
    detail: Mapping[str, Any]


def history(
    session: Session, *, viewer: Viewer, number: RecordNumber, cursor: Cursor, limit: int
) -> Slice[HistoryEntry]:
    """Return the changes of a record, in order. A blinded viewer gets only their own decisions.

    Raises:
        NotFound: The review has no such record.
    """
    if session.get(Record, (viewer.review_id, number)) is None:
        raise NotFound(f"There is no record {number} in this review.")
    statuses = _statuses(session, viewer, number)
    verdicts: dict[tuple[str, str], str | None] = {}
    found = list[HistoryEntry]()
    for event in _events(session, viewer, number):
        blinded = not is_unblinded(viewer, Stage(event.data.get("stage", Stage.TITLE_ABSTRACT)))
        if event.type.startswith(_DECISION):
            entry = _decision(viewer, event, statuses, verdicts)
            if not blinded or entry.by == viewer.user_id:
                found.append(_numbered(session, viewer, event, entry))
        elif event.type.startswith(_REPORT):
            is_text = event.type.startswith(_TEXT)
            found.append(_text(viewer, event) if is_text else _retrieval(viewer, event))
        elif not blinded:
            found.append(_numbered(session, viewer, event, _other(viewer, event, statuses)))
    # Sorted by the event's random id: its number and time would reveal what others do.
    page = sliced_by_id(found, lambda one: one.event_id, cursor, limit)
    return Slice(_named(session, page.items), page.next_cursor)


def _events(session: Session, viewer: Viewer, number: RecordNumber) -> list[Event]:
    conflicts = select(Conflict.id).where(
        Conflict.review_id == viewer.review_id, Conflict.record_number == number
    )
    subjects = [str(number), *(str(id) for id in session.scalars(conflicts))]
    links = ("tandem.duplicates.merged", "tandem.duplicates.split")
    query = (
        select(Event)
        .where(
            Event.review_id == viewer.review_id,
            or_(Event.subject.in_(subjects), Event.type.in_(links)),
        )
        .order_by(Event.seq)
    )
    record = str(number)
    return [
        event
        for event in session.scalars(query)
        if record in (event.data.get("record_id"), event.data.get("duplicate_id"))
    ]


def _statuses(session: Session, viewer: Viewer, number: RecordNumber) -> dict[str, str]:
    query = select(ScreenedRecord.stage, ScreenedRecord.status).where(
        ScreenedRecord.review_id == viewer.review_id, ScreenedRecord.record_number == number
    )
    return {row.stage: row.status for row in session.execute(query)}


def _decision(
    viewer: Viewer,
    event: Event,
    statuses: Mapping[str, str],
    verdicts: dict[tuple[str, str], str | None],
) -> HistoryEntry:
    stage, reviewer = event.data["stage"], event.data["reviewer_id"]
    before, after = verdicts.get((stage, reviewer)), event.detail.get("verdict")
    verdicts[stage, reviewer] = after
    by = UserId(UUID(reviewer))
    detail = {"carried_from": event.data.get("carried_from")}
    if vote_visibility(viewer, Stage(stage), statuses.get(stage), by) != "all":
        return _entry(viewer, event, None, None, None, detail)
    kept = ("reasons", "note", "criteria_version", "second_in", "entered_by")
    detail |= {name: event.detail.get(name) for name in kept}
    return _entry(viewer, event, by, before, after, detail)


def _numbered(session: Session, viewer: Viewer, event: Event, entry: HistoryEntry) -> HistoryEntry:
    """Number the entries that no list shows this person, such as a blinded viewer's second vote."""
    if event.open_seq is not None or sees_every_event(viewer):
        return entry
    number = renumbered(session, review_id=viewer.review_id, number=event.seq, to_open=True)
    return replace(entry, number=number)


def _retrieval(viewer: Viewer, event: Event) -> HistoryEntry:
    """Return an entry about the retrieval of the full text, which every member may see."""
    logged, data = event.detail, event.data
    detail = {"via": data["via"], "note": logged.get("note")}
    by = UserId(UUID(logged["by"]))
    return _entry(viewer, event, by, logged.get("from"), data["state"], detail)


def _text(viewer: Viewer, event: Event) -> HistoryEntry:
    """Return a change of a file of the full text, which every member may read."""
    by, named = event.detail.get("by"), {"filename": event.detail.get("filename")}
    detail = {name: value for name, value in (named | event.data).items() if value is not None}
    return _entry(viewer, event, UserId(UUID(by)) if by else None, None, None, detail)


def _other(viewer: Viewer, event: Event, statuses: Mapping[str, str]) -> HistoryEntry:
    logged, data = event.detail, event.data
    if event.type.startswith(_RECORD):
        return _entry(viewer, event, None, logged.get("from"), logged.get("to"), {})
    if event.type.startswith((_CONFLICT, _RESOLUTION)):
        return _of_conflict(viewer, event, statuses)
    by = logged.get("by")
    linked: dict[str, Any] = {
        name: data[name] for name in ("record_id", "duplicate_id") if name in data
    }
    return _entry(viewer, event, UserId(UUID(by)) if by else None, None, None, linked)


_STATES: Mapping[str, tuple[str | None, str]] = {
    "opened": (None, "open"),
    "reopened": ("resolved", "open"),
    "resolved": ("open", "resolved"),
}


def _of_conflict(viewer: Viewer, event: Event, statuses: Mapping[str, str]) -> HistoryEntry:
    """Return a change of a conflict, or of the resolution in force."""
    data, resolution = event.data, event.detail.get("resolution")
    before, after = _STATES.get(event.type.rpartition(".")[2], (None, None))
    detail: dict[str, Any] = {name: data[name] for name in ("kind", "by") if name in data}
    by, taken_back = None, event.detail.get("taken_back")
    did = resolution["resolver_id"] if resolution else taken_back and taken_back["by"]
    if did is not None:
        stage, person = data["stage"], UserId(UUID(did))
        if vote_visibility(viewer, Stage(stage), statuses.get(stage), person) == "all":
            more = {"resolution": resolution, "taken_back": taken_back}
            by, detail = person, detail | {name: it for name, it in more.items() if it}
    return _entry(viewer, event, by, before, after, detail)


def _entry(
    viewer: Viewer,
    event: Event,
    by: UserId | None,
    before: str | None,
    after: str | None,
    detail: Mapping[str, Any],
) -> HistoryEntry:
    number = event.seq if sees_every_event(viewer) else event.open_seq
    stage = Stage(event.data["stage"]) if "stage" in event.data else None
    return HistoryEntry(
        event.id, number or 0, event.type, event.created_at, stage, by, None, before, after, detail
    )


def _named(session: Session, found: Sequence[HistoryEntry]) -> list[HistoryEntry]:
    people = [one.by for one in found]
    people += [UserId(UUID(id)) for one in found for _, _, id in _people_in(one.detail)]
    names = accounts.names_of(session, people)
    return [
        replace(
            one,
            name=None if one.by is None else names[one.by],
            detail=_with_names(one.detail, names),
        )
        for one in found
    ]


_PEOPLE = (("entered_by", ""), ("resolver_id", "resolution"), ("by", "taken_back"))
"""The fields of a detail that hold the id of a person, and the part that each is in."""


def _people_in(detail: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for field, part in _PEOPLE:
        inside = detail.get(part) if part else detail
        if inside and (id := inside.get(field)):
            yield field, part, id


def _with_names(detail: Mapping[str, Any], names: Mapping[UserId, str]) -> dict[str, Any]:
    """Put the name of each person beside their id."""
    logged = dict(detail)
    for field, part, id in _people_in(detail):
        name = {f"{field.removesuffix('_id')}_name": names[UserId(UUID(id))]}
        if part:
            logged[part] = logged[part] | name
        else:
            logged |= name
    return logged
