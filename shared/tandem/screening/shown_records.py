"""Records as somebody may see them: with all occurrences, their status and one's own decision."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, select
from sqlalchemy.orm import Session

from tandem.ids import RecordNumber
from tandem.records.duplicates.related import related_to
from tandem.records.duplicates.relations import Relation
from tandem.records.models import Record
from tandem.reviews import service as reviews
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.blinding.numbers import visible_numbers
from tandem.screening.blinding.sql import StatusRule, status_rule, status_sql
from tandem.screening.criteria import reasons
from tandem.screening.models import Decision, PresentDecision, ScreenedRecord
from tandem.screening.rules import Status


@dataclass(frozen=True, slots=True)
class ShownRecord:
    """A record, all its occurrences, its status for the viewer, and the viewer's decision.

    `my_labels_seq` is the decision's, in the viewer's numbering.
    `related` are other records about the same work: an erratum, a retraction, a preprint.
    `final_reason` is why it counts as excluded, where the viewer sees that it is.
    """

    record: Record
    occurrences: list[Record]
    status: str
    my_decision: Decision | None
    my_labels_seq: int | None
    related: Sequence[tuple[Record, Relation]] = ()
    final_reason: str | None = None


def select_shown(viewer: Viewer, stage: Stage) -> Select[Record, str, Decision]:
    """Select the review's records as this person sees them; `load_shown` brings who that is."""
    return _select(status_rule(viewer, stage))


def select_named(viewer: Viewer, stage: Stage) -> Select[Record, str, Decision]:
    """Do what `select_shown` does for the records that `load_shown` is given the numbers of."""
    return _select_named(status_rule(viewer, stage))


# Both are made once: every queue request asks the first of the database.
@cache
def _select_named(rule: StatusRule) -> Select[Record, str, Decision]:
    return _select(rule).where(Record.number.in_(bindparam("numbers", expanding=True)))


@cache
def _select(rule: StatusRule) -> Select[Record, str, Decision]:
    status = status_sql(rule)
    return (
        select(Record, status.label("status"), Decision)
        .outerjoin(ScreenedRecord, joined_status())
        .outerjoin(
            PresentDecision,
            and_(
                PresentDecision.review_id == Record.review_id,
                PresentDecision.stage == bindparam("stage"),
                PresentDecision.record_number == Record.number,
                PresentDecision.reviewer_id == bindparam("user_id"),
            ),
        )
        .outerjoin(Decision, Decision.id == PresentDecision.decision_id)
        .where(Record.review_id == bindparam("review_id"))
    )


def joined_status() -> ColumnElement[bool]:
    return and_(
        ScreenedRecord.review_id == Record.review_id,
        ScreenedRecord.stage == bindparam("stage"),
        ScreenedRecord.record_number == Record.number,
    )


def viewer_parameters(viewer: Viewer, stage: Stage) -> dict[str, Any]:
    return {"review_id": viewer.review_id, "user_id": viewer.user_id, "stage": stage}


def load_shown(
    session: Session,
    query: Select[Record, str, Decision],
    viewer: Viewer,
    stage: Stage,
    numbers: Sequence[RecordNumber] = (),
) -> list[ShownRecord]:
    asked = viewer_parameters(viewer, stage) | {"numbers": numbers}
    rows = session.execute(query, asked).all()
    if not rows:
        return []
    review_id = viewer.review_id
    heads = {record.number: record for record, _, _ in rows if record.is_shown}
    shown = {record.shown_as for record, _, _ in rows}
    if missing := shown - heads.keys():
        others = select(Record).where(Record.review_id == review_id, Record.number.in_(missing))
        heads |= {record.number: record for record in session.scalars(others)}
    groups = {number: [heads[number]] for number in shown}
    # Sorted here: with ORDER BY, SQLite would scan the whole review in that order.
    linked = session.scalars(_LINKED, {"review_id": review_id, "numbers": list(shown)})
    for record in sorted(linked, key=lambda record: record.number):
        groups[record.shown_as].append(record)
    occurrences = {
        record.number: [
            record,
            *(o for o in groups[record.shown_as] if o is not record),
        ]
        for record, _, _ in rows
    }
    every = {record.number for found in occurrences.values() for record in found}
    related = related_to(session, review_id, every)
    excluded = [record.number for record, status, _ in rows if status == Status.EXCLUDED]
    finals: dict[RecordNumber, str] = {}
    if excluded:
        review = reviews.get_review(session, review_id)
        finals = reasons.final_reasons(session, review, stage, excluded)
    mine = [decision.labels_seq for _, _, decision in rows if decision is not None]
    seqs = visible_numbers(session, viewer, mine)
    return [
        ShownRecord(
            record,
            occurrences[record.number],
            status,
            decision,
            None if decision is None else seqs[decision.labels_seq],
            [pair for one in occurrences[record.number] for pair in related[one.number]],
            finals.get(record.number) if status == Status.EXCLUDED else None,
        )
        for record, status, decision in rows
    ]


_LINKED = select(Record).where(
    Record.review_id == bindparam("review_id"),
    Record.duplicate_of.in_(bindparam("numbers", expanding=True)),
)
