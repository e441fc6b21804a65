"""The review's records as somebody may see them: lists, filters, single ones."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

import numpy as np
from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, defer
from sqlalchemy.orm.interfaces import ORMOption

from tandem.db.pieces import pieces
from tandem.errors import NotFound
from tandem.ids import DecisionId, RecordNumber
from tandem.records.models import Record
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.full_text.population import gate_of, in_stage, n_in_stage
from tandem.screening.models import Decision, PresentDecision, ScreenedRecord
from tandem.screening.queue.order import Order
from tandem.screening.record_filters import Filters, conditions
from tandem.screening.shown_records import (
    ShownRecord,
    joined_status,
    load_shown,
    select_named,
    select_shown,
    viewer_parameters,
)

_MOST_LOOKED_UP = 2000
"""Records at the head of a ranking that are looked up; to read all of a review takes longer."""


class OrderBy(StrEnum):
    RANK = "rank"
    ADDED = "added"
    YEAR = "year"
    DECIDED = "decided"


def get_record(
    session: Session, *, viewer: Viewer, stage: Stage, number: RecordNumber
) -> ShownRecord:
    """Return a record, also one that is linked to another; NotFound if there is none."""
    query = select_shown(viewer, stage).where(Record.number == number)
    shown = load_shown(session, query, viewer, stage)
    if not shown:
        raise NotFound(f"There is no record {number} in this review.")
    return shown[0]


def get_records(
    session: Session, *, viewer: Viewer, stage: Stage, numbers: Sequence[RecordNumber]
) -> dict[RecordNumber, ShownRecord]:
    """Return those of the records that there are, by number."""
    query = select_named(viewer, stage)
    found = load_shown(session, query, viewer, stage, numbers)
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
        parameters = viewer_parameters(viewer, stage)
        numbers = _first_ranked(session, query, parameters, ranking, after, limit)
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
    return load_shown(session, query.options(*_unread(brief)), viewer, stage)


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
    numbers = session.scalars(query, viewer_parameters(viewer, stage)).all()
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
        return n_in_stage(session, viewer.review_id, stage, gate_of(viewer))
    else:
        query = _matching(session, viewer, stage, filters).with_only_columns(
            func.count(Record.number)
        )
    return session.scalar(query, viewer_parameters(viewer, stage)) or 0


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
        .outerjoin(ScreenedRecord, joined_status())
        .where(
            Decision.review_id == viewer.review_id,
            Decision.reviewer_id == viewer.user_id,
            Decision.stage == stage,
            in_stage(stage, gate_of(viewer)),
            *conditions(session, viewer, stage, filters),
        )
    )


def _matching(
    session: Session, viewer: Viewer, stage: Stage, filters: Filters
) -> Select[Record, str, Decision]:
    return select_shown(viewer, stage).where(
        in_stage(stage, gate_of(viewer)), *conditions(session, viewer, stage, filters)
    )


def _in_order(
    session: Session,
    viewer: Viewer,
    stage: Stage,
    numbers: Sequence[RecordNumber],
    *,
    brief: bool,
) -> list[ShownRecord]:
    query = select_shown(viewer, stage).where(Record.number.in_(numbers)).options(*_unread(brief))
    place = {number: position for position, number in enumerate(numbers)}
    found = load_shown(session, query, viewer, stage)
    return sorted(found, key=lambda item: place[item.record.number])


def _unread(brief: bool) -> list[ORMOption]:
    """Return what is not read from the database: the longest columns, where they are not shown."""
    return [defer(Record.abstract), defer(Record.raw)] if brief else []


def _behind(after: RecordNumber, year: int | None) -> ColumnElement[bool]:
    if year is None:
        return and_(Record.year.is_(None), Record.number > after)
    same = and_(Record.year == year, Record.number > after)
    return or_(Record.year < year, Record.year.is_(None), same)


def _first_ranked(
    session: Session,
    query: Select[Record, str, Decision],
    parameters: Mapping[str, object],
    ranking: Order,
    after: RecordNumber | None,
    limit: int,
) -> list[RecordNumber]:
    """Return the first records that match, as they are ranked.

    The ranking is looked through from its head. Where few of many match, all that do are read
    instead, and so they are behind its end, where those come that are not in it.
    """
    of = query.with_only_columns(Record.number)
    places = np.flatnonzero(ranking.numbers == after)
    begin = int(places[0]) + 1 if places.size else ranking.numbers.size if after is not None else 0
    found: list[RecordNumber] = []
    for some in pieces(ranking.numbers[begin : begin + _MOST_LOOKED_UP].tolist()):
        matching = set(session.scalars(of.where(Record.number.in_(some)), parameters))
        found += [number for number in some if number in matching]
        if len(found) >= limit:
            return found[:limit]
    return _ranked(set(session.scalars(of, parameters)), ranking, after)[:limit]


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
