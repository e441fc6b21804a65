"""The review's records as somebody may see them: lists, filters, single ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session, defer
from sqlalchemy.orm.interfaces import ORMOption

from tandem.errors import NotFound
from tandem.ids import DecisionId, RecordNumber
from tandem.records.duplicates.related import related_to
from tandem.records.duplicates.relations import Relation
from tandem.records.models import Record
from tandem.reviews import service as reviews
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.blinding.numbers import visible_numbers
from tandem.screening.blinding.sql import StatusRule, status_rule, status_sql
from tandem.screening.criteria import reasons
from tandem.screening.full_text.population import in_stage, n_in_stage
from tandem.screening.models import Decision, PresentDecision, ScreenedRecord
from tandem.screening.queue.order import Order
from tandem.screening.record_filters import Filters, conditions
from tandem.screening.rules import Status


class OrderBy(StrEnum):
    RANK = "rank"
    ADDED = "added"
    YEAR = "year"
    DECIDED = "decided"


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


def get_record(
    session: Session, *, viewer: Viewer, stage: Stage, number: RecordNumber
) -> ShownRecord:
    """Return a record, also one that is linked to another; NotFound if there is none."""
    query = _shown(viewer, stage).where(Record.number == number)
    shown = _load(session, query, viewer, stage)
    if not shown:
        raise NotFound(f"There is no record {number} in this review.")
    return shown[0]


def get_records(
    session: Session, *, viewer: Viewer, stage: Stage, numbers: Sequence[RecordNumber]
) -> dict[RecordNumber, ShownRecord]:
    """Return those of the records that there are, by number."""
    query = _shown(viewer, stage).where(Record.number.in_(numbers))
    found = _load(session, query, viewer, stage)
    return {shown.record.number: shown for shown in found}


def list_records(
    session: Session,
    *,
    viewer: Viewer,
    stage: Stage,
    filters: Filters,
    order_by: OrderBy,
    ranking: Order,
    after: RecordNumber | None,
    limit: int,
    brief: bool = False,
) -> list[ShownRecord]:
    """Return records that are not linked to another one, filtered and ordered.

    By rank: the ranked ones, best first, then the others in the order they were added.
    By year: the newest first, those without a year last. With `after` only those that stand
    behind this one, whether it still passes the filters or not: who decides what a page shows
    misses nothing on the next. `brief`: their abstracts are not read. What the viewer has decided,
    by when, `list_decided` lists.
    """
    query = _matching(session, viewer, stage, filters)
    if order_by is OrderBy.RANK:
        matching = set(
            session.scalars(query.with_only_columns(Record.number), _whose(viewer, stage))
        )
        numbers = _ranked(matching, ranking, after)[:limit]
        return _in_order(session, viewer, stage, numbers, brief=brief)
    if order_by is OrderBy.YEAR:
        query = query.order_by(Record.year.is_(None), Record.year.desc())
    if after is not None:
        year = session.scalar(
            select(Record.year).where(Record.review_id == viewer.review_id, Record.number == after)
        )
        by_year = order_by is OrderBy.YEAR
        query = query.where(_behind(after, year) if by_year else Record.number > after)
    query = query.order_by(Record.number).limit(limit)
    return _load(session, query.options(*_unread(brief)), viewer, stage)


def list_decided(
    session: Session,
    *,
    viewer: Viewer,
    stage: Stage,
    filters: Filters,
    after: DecisionId | None,
    limit: int,
    brief: bool = False,
) -> list[ShownRecord]:
    """Return records that the viewer has decided, the one they decided last first.

    With `after`, a decision of theirs, only what they decided before that one: a page has its
    place also where they have decided something again meanwhile.
    """
    # It begins with their entries of the ledger, the newest first, and ends when it has enough.
    query = (
        _decided(session, viewer, stage, filters).order_by(Decision.labels_seq.desc()).limit(limit)
    )
    if after is not None:
        theirs = select(Decision.labels_seq).where(
            Decision.id == after,
            Decision.review_id == viewer.review_id,
            Decision.reviewer_id == viewer.user_id,
        )
        query = query.where(Decision.labels_seq < theirs.scalar_subquery())
    numbers = session.scalars(query, _whose(viewer, stage)).all()
    return _in_order(session, viewer, stage, numbers, brief=brief)


def count_records(
    session: Session, *, viewer: Viewer, stage: Stage, filters: Filters, decided: bool = False
) -> int:
    """Return how many records `list_records` lists in all, or with `decided` `list_decided`."""
    if decided or filters.my_verdict is not None:
        query = select(func.count()).select_from(
            _decided(session, viewer, stage, filters).subquery()
        )
    elif filters == Filters():
        return n_in_stage(session, viewer.review_id, stage, viewer.policies)
    else:
        query = _matching(session, viewer, stage, filters).with_only_columns(
            func.count(Record.number)
        )
    return session.scalar(query, _whose(viewer, stage)) or 0


def _decided(
    session: Session, viewer: Viewer, stage: Stage, filters: Filters
) -> Select[RecordNumber]:
    """Select the records that the viewer has decided, from their entries of the ledger."""
    return (
        select(Decision.record_number)
        .join(PresentDecision, PresentDecision.decision_id == Decision.id)
        .join(
            Record,
            and_(Record.review_id == Decision.review_id, Record.number == Decision.record_number),
        )
        .outerjoin(ScreenedRecord, _screened())
        .where(
            Decision.review_id == viewer.review_id,
            Decision.reviewer_id == viewer.user_id,
            Decision.stage == stage,
            in_stage(stage, viewer.policies),
            *conditions(session, viewer, stage, filters),
        )
    )


def _matching(
    session: Session, viewer: Viewer, stage: Stage, filters: Filters
) -> Select[Record, str, Decision]:
    return _shown(viewer, stage).where(
        in_stage(stage, viewer.policies), *conditions(session, viewer, stage, filters)
    )


def _in_order(
    session: Session,
    viewer: Viewer,
    stage: Stage,
    numbers: Sequence[RecordNumber],
    *,
    brief: bool,
) -> list[ShownRecord]:
    query = _shown(viewer, stage).where(Record.number.in_(numbers)).options(*_unread(brief))
    place = {number: position for position, number in enumerate(numbers)}
    found = _load(session, query, viewer, stage)
    return sorted(found, key=lambda item: place[item.record.number])


def _unread(brief: bool) -> list[ORMOption]:
    """Return what is not read from the database: the longest columns, where they are not shown."""
    return [defer(Record.abstract), defer(Record.raw)] if brief else []


def _behind(after: RecordNumber, year: int | None) -> ColumnElement[bool]:
    if year is None:
        return and_(Record.year.is_(None), Record.number > after)
    same = and_(Record.year == year, Record.number > after)
    return or_(Record.year < year, Record.year.is_(None), same)


def _ranked(
    matching: set[RecordNumber], ranking: Order, after: RecordNumber | None
) -> list[RecordNumber]:
    order = ranking.numbers.tolist()
    rest = sorted(matching.difference(order))
    if after is not None and after in order:
        order = order[order.index(after) + 1 :]
    elif after is not None:
        order, rest = [], [number for number in rest if number > after]
    return [RecordNumber(number) for number in order if number in matching] + rest


def _shown(viewer: Viewer, stage: Stage) -> Select[Record, str, Decision]:
    """Select the review's records as this person sees them; `_load` brings who that is."""
    return _select(status_rule(viewer, stage))


@cache
def _select(rule: StatusRule) -> Select[Record, str, Decision]:
    # Made once: the queue asks it of the database with every request.
    status = status_sql(rule)
    return (
        select(Record, status.label("status"), Decision)
        .outerjoin(ScreenedRecord, _screened())
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


def _screened() -> ColumnElement[bool]:
    return and_(
        ScreenedRecord.review_id == Record.review_id,
        ScreenedRecord.stage == bindparam("stage"),
        ScreenedRecord.record_number == Record.number,
    )


def _whose(viewer: Viewer, stage: Stage) -> dict[str, Any]:
    return {"review_id": viewer.review_id, "user_id": viewer.user_id, "stage": stage}


def _load(
    session: Session, query: Select[Record, str, Decision], viewer: Viewer, stage: Stage
) -> list[ShownRecord]:
    rows = session.execute(query, _whose(viewer, stage)).all()
    if not rows:
        return []
    review_id = viewer.review_id
    heads = {record.number: record for record, _, _ in rows if record.duplicate_of is None}
    shown = {record.duplicate_of or record.number for record, _, _ in rows}
    if missing := shown - heads.keys():
        others = select(Record).where(Record.review_id == review_id, Record.number.in_(missing))
        heads |= {record.number: record for record in session.scalars(others)}
    groups = {number: [heads[number]] for number in shown}
    # Sorted here: with ORDER BY, SQLite would scan the whole review in that order.
    linked = select(Record).where(Record.review_id == review_id, Record.duplicate_of.in_(shown))
    for record in sorted(session.scalars(linked), key=lambda record: record.number):
        groups[record.duplicate_of or record.number].append(record)
    occurrences = {
        record.number: [
            record,
            *(o for o in groups[record.duplicate_of or record.number] if o is not record),
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
    numbers = visible_numbers(session, viewer, mine)
    return [
        ShownRecord(
            record,
            occurrences[record.number],
            status,
            decision,
            None if decision is None else numbers[decision.labels_seq],
            [pair for one in occurrences[record.number] for pair in related[one.number]],
            finals.get(record.number) if status == Status.EXCLUDED else None,
        )
        for record, status, decision in rows
    ]
