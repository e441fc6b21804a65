"""The audit trail as a file: the whole log with its chain, then what the tables say.

JSON Lines. Everything but the log is read at one moment, before the first line is sent; the log
never changes, so it is read a page at a time up to where it ended then.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from tempfile import SpooledTemporaryFile
from typing import Any, cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tandem.audit import figures
from tandem.audit.checked import VERSION
from tandem.audit.entries import Entry
from tandem.db.base import now
from tandem.db.session import Database
from tandem.events import chain
from tandem.events.log import Event
from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.records.models import Record
from tandem.reviews import service as reviews
from tandem.reviews.models import Member, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.agreement import rated
from tandem.screening.models import (
    Conflict,
    ConflictState,
    Decision,
    PresentDecision,
    ScreenedRecord,
)
from tandem.screening.rules import Status

PAGE = 1000
"""Rows in memory at a time."""

_IN_MEMORY = 1 << 22
"""Bytes of the tables' lines; the rest waits in a temporary file."""

Line = dict[str, Any]


def lines(database: Database, *, review_id: ReviewId, user_id: UserId) -> Iterator[str]:
    """Yield the lines of a review's trail, each with its newline.

    Raises:
        NotFound: There is no such review, or they are not a member of it (any more).
        Forbidden: They are no owner of it (any more).
    """
    with SpooledTemporaryFile(_IN_MEMORY, "w+", encoding="utf-8") as tables:
        with database.snapshot() as session:
            viewer = _owner(session, review_id, user_id)
            seals = _Seals(session, viewer)
            header = _header(session, review_id)
            for line in _tables(session, review_id, seals):
                tables.write(_text(line))
        tables.seek(0)
        yield _text(header)
        after = 0
        while after < header["last_seq"]:
            with database.read() as session:
                _owner(session, review_id, user_id)
                page = _events(session, review_id, after, header["last_seq"])
            if not page:
                break  # the log was cut short meanwhile: whoever verifies this will see it
            yield from (_text(_entry(event, seals).as_json()) for event in page)
            after = page[-1].seq
        yield from tables


def _owner(session: Session, review_id: ReviewId, user_id: UserId) -> Viewer:
    viewer = reviews.viewer(session, review_id=review_id, user_id=user_id)
    viewer.require(Role.OWNER, "export its audit trail")
    return viewer


class _Seals:
    """Which details the policy hides, for now, from this owner: they may settle conflicts."""

    def __init__(self, session: Session, viewer: Viewer) -> None:
        self._user = str(viewer.user_id)
        self._stages = {
            stage
            for stage, policy in viewer.policies.items()
            if policy.blind and policy.adjudicator_sees != "all"
        }
        settled = select(ScreenedRecord.stage, ScreenedRecord.record_number).where(
            ScreenedRecord.review_id == viewer.review_id,
            ScreenedRecord.stage.in_(self._stages),
            ScreenedRecord.status.in_([Status.INCLUDED, Status.EXCLUDED]),
        )
        self._settled = {(stage, number) for stage, number in session.execute(settled)}

    def hide(self, stage: Stage, number: RecordNumber) -> bool:
        """Whether others' votes on the record are not open yet."""
        return stage in self._stages and (stage, number) not in self._settled

    def cover(self, data: Mapping[str, Any]) -> bool:
        """Whether an entry that tells this is about such a record, and not what they said."""
        if "stage" not in data or "record_id" not in data:
            return False
        if data.get("reviewer_id") == self._user:
            return False
        return self.hide(Stage(data["stage"]), RecordNumber(int(data["record_id"])))


def _header(session: Session, review_id: ReviewId) -> Line:
    review = reviews.get_review(session, review_id)
    return {
        "trail": VERSION,
        "review": str(review.id),
        "title": review.title,
        "exported_at": now().isoformat(timespec="seconds"),
        "n_records": review.last_record_number,
        "last_seq": review.last_seq,
        "last_hash": review.last_hash,
    }


def _events(session: Session, review_id: ReviewId, after: int, last: int) -> Sequence[Event]:
    query = (
        select(Event)
        .where(Event.review_id == review_id, Event.seq > after, Event.seq <= last)
        .order_by(Event.seq)
        .limit(PAGE)
    )
    return session.scalars(query).all()


def _entry(event: Event, seals: _Seals) -> Entry:
    told = chain.Told(
        seq=event.seq,
        id=str(event.id),
        type=event.type,
        time=event.created_at,
        subject=event.subject,
        data=event.data,
    )
    seal, sealed = chain.seal(event.detail, event.salt), seals.cover(event.data)
    detail, salt = (None, None) if sealed else (event.detail, event.salt)
    return Entry(told, detail, salt, seal, event.hash)


def _tables(session: Session, review_id: ReviewId, seals: _Seals) -> Iterator[Line]:
    members = select(Member.user_id, Member.role).where(Member.review_id == review_id)
    for user_id, role in session.execute(members.order_by(Member.user_id)):
        yield {"member": str(user_id), "role": role}
    linked = select(Record.number, Record.duplicate_of).where(
        Record.review_id == review_id, Record.duplicate_of.is_not(None)
    )
    n_duplicates = 0
    for number, shown in session.execute(
        linked.order_by(Record.number).execution_options(yield_per=PAGE)
    ):
        n_duplicates += 1
        yield {"linked": str(number), "to": str(shown)}
    for stage in Stage:
        yield from _statuses(session, review_id, stage, seals)
    yield from _open_conflicts(session, review_id)
    yield {"figures": _figures(session, review_id, n_duplicates, seals)}


def _statuses(session: Session, review_id: ReviewId, stage: Stage, seals: _Seals) -> Iterator[Line]:
    after = 0
    while True:
        query = (
            select(ScreenedRecord)
            .where(
                ScreenedRecord.review_id == review_id,
                ScreenedRecord.stage == stage,
                ScreenedRecord.record_number > after,
            )
            .order_by(ScreenedRecord.record_number)
            .limit(PAGE)
        )
        page = session.scalars(query).all()
        votes = _votes(session, review_id, stage, [row.record_number for row in page])
        for row in page:
            hidden = seals.hide(stage, row.record_number)
            stands = None if row.resolution_id is None else str(row.resolution_id)
            yield {
                "record": str(row.record_number),
                "stage": stage,
                "status": row.status,
                "n_decisions": row.n_decisions,
                "votes": None if hidden else votes[row.record_number],
                "resolution": None if hidden else stands,
            }
        if len(page) < PAGE:
            return
        after = page[-1].record_number
        session.expunge_all()


def _votes(
    session: Session, review_id: ReviewId, stage: Stage, numbers: Sequence[RecordNumber]
) -> Mapping[RecordNumber, dict[str, Line]]:
    query = (
        select(
            PresentDecision.record_number,
            PresentDecision.reviewer_id,
            Decision.verdict,
            Decision.reasons,
        )
        .join(Decision, Decision.id == PresentDecision.decision_id)
        .where(
            PresentDecision.review_id == review_id,
            PresentDecision.stage == stage,
            PresentDecision.record_number.in_(numbers),
        )
        .order_by(Decision.labels_seq)
    )
    found: dict[RecordNumber, dict[str, Line]] = defaultdict(dict)
    for number, reviewer_id, verdict, reasons in session.execute(query):
        found[number][str(reviewer_id)] = {"verdict": verdict, "reasons": reasons}
    return found


def _open_conflicts(session: Session, review_id: ReviewId) -> Iterator[Line]:
    query = (
        select(Conflict.id, Conflict.record_number, Conflict.stage, Conflict.kind)
        .where(Conflict.review_id == review_id, Conflict.state == ConflictState.OPEN)
        .order_by(Conflict.stage, Conflict.record_number)
    )
    for id, number, stage, kind in session.execute(query):
        yield {"conflict": str(id), "record": str(number), "stage": stage, "kind": kind}


def _figures(session: Session, review_id: ReviewId, n_duplicates: int, seals: _Seals) -> Line:
    n_records = session.scalar(select(func.count()).where(Record.review_id == review_id)) or 0
    statuses = {
        stage: _counted(session, ScreenedRecord.status, review_id, ScreenedRecord.stage == stage)
        for stage in Stage
    }
    conflicts = _counted(session, Conflict.state, review_id)
    return {
        "statuses": {
            stage: figures.by_status(n_records - n_duplicates, found)
            for stage, found in statuses.items()
        },
        "conflicts": {state.value: conflicts.get(state, 0) for state in ConflictState},
        "flow": figures.flow(n_records, n_duplicates, statuses[Stage.TITLE_ABSTRACT]),
        "agreement": [
            line
            for stage in Stage
            for line in figures.agreement(stage, _ledger(session, review_id, stage, seals.hide))
        ],
    }


def _counted(session: Session, column: Any, review_id: ReviewId, *where: Any) -> dict[Any, int]:
    query = select(column, func.count()).where(column.class_.review_id == review_id, *where)
    return {row[0]: row[1] for row in session.execute(query.group_by(column))}


def _ledger(
    session: Session,
    review_id: ReviewId,
    stage: Stage,
    hide: Callable[[Stage, RecordNumber], bool],
) -> list[rated.Entry]:
    entries = rated.entries(session, review_id, stage)
    return [entry for entry in entries if not hide(stage, cast("RecordNumber", entry.number))]


def _text(line: Line) -> str:
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n"
