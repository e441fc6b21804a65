"""The lines from a review's tables: the part of its audit trail that is compared with its log."""

from collections.abc import Callable, Iterator
from typing import Any, cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tandem.artifacts import Artifacts
from tandem.audit import (
    figures,
    file_lines,
    flow_lines,
    record_lines,
    report_lines,
    stopping_lines,
    text_lines,
)
from tandem.audit.record_lines import PAGE, Line
from tandem.audit.seals import Seals
from tandem.audit.settings import TEXTS
from tandem.ids import RecordNumber, ReviewId
from tandem.records.models import Record
from tandem.reviews import criteria
from tandem.reviews import service as reviews
from tandem.reviews.models import Member, PolicyVersion
from tandem.reviews.policy import Stage
from tandem.screening.agreement import rated
from tandem.screening.models import Conflict, ConflictState, ScreenedRecord


def lines(
    session: Session, review_id: ReviewId, seals: Seals, artifacts: Artifacts | None = None
) -> Iterator[Line]:
    """Yield the lines from a review's tables, its figures last."""
    yield from _settings(session, review_id)
    members = select(Member.user_id, Member.role).where(Member.review_id == review_id)
    for user_id, role in session.execute(members.order_by(Member.user_id)):
        yield {"member": str(user_id), "role": role}
    linked = select(Record.number, Record.duplicate_of).where(
        Record.review_id == review_id, ~Record.is_shown
    )
    n_duplicates = 0
    for number, shown in session.execute(
        linked.order_by(Record.number).execution_options(yield_per=PAGE)
    ):
        n_duplicates += 1
        yield {"linked": str(number), "to": str(shown)}
    for stage in Stage:
        yield from record_lines.statuses(session, review_id, stage, seals)
        yield from record_lines.ledgers(session, review_id, stage, seals)
    yield from _conflicts(session, review_id, seals)
    yield from stopping_lines.lines(session, review_id)
    yield from report_lines.lines(session, review_id)
    yield from text_lines.lines(session, review_id)
    yield from file_lines.lines(session, artifacts, review_id)
    yield from flow_lines.lines(session, review_id)
    yield {"figures": _figures(session, review_id, n_duplicates, seals)}


def _settings(session: Session, review_id: ReviewId) -> Iterator[Line]:
    review = reviews.get_review(session, review_id)
    texts = {name: getattr(review, name) for name in TEXTS}
    yield {"texts": texts, "criteria_version": review.criteria_version}
    versions = select(PolicyVersion).where(PolicyVersion.review_id == review_id)
    for row in session.scalars(versions.order_by(PolicyVersion.stage, PolicyVersion.version)):
        logged = {"value": row.value, "by": str(row.created_by)}
        yield {"policy": row.stage, "version": row.version} | logged
    for made in reversed(criteria.versions(session, review_id)):
        yield {
            "criteria": made.version,
            "include": made.include,
            "exclude": made.exclude,
            "note": made.note,
            "by": str(made.created_by),
        }


def _conflicts(session: Session, review_id: ReviewId, seals: Seals) -> Iterator[Line]:
    columns = (Conflict.id, Conflict.record_number, Conflict.stage, Conflict.state, Conflict.kind)
    query = (
        select(*columns, Conflict.resolved_by)
        .where(Conflict.review_id == review_id)
        .order_by(Conflict.stage, Conflict.record_number)
        .execution_options(yield_per=PAGE)
    )
    for id, number, stage, state, kind, ended_by in session.execute(query):
        at = {"record": str(number), "stage": stage}
        if state is ConflictState.OPEN:
            yield {"conflict": str(id)} | at | {"kind": kind}
        else:
            by = None if seals.hide(stage, number) else ended_by
            yield {"resolved": str(id)} | at | {"by": by}


def _figures(session: Session, review_id: ReviewId, n_duplicates: int, seals: Seals) -> Line:
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
