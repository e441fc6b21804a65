"""What the tables say of whether somebody may know another's verdict, asked for many records.

One query, made once: every decision asks it. `exposure` draws the conclusions.
"""

from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Integer,
    and_,
    bindparam,
    cast,
    distinct,
    exists,
    func,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from tandem.records.models import Record
from tandem.reviews.models import MemberSight, PolicyVersion
from tandem.screening.models import Decision, Exposure, Resolution


def _numbers() -> CompoundSelect[Any]:
    """Return the record that a row of the query is about, and those that are linked to it."""
    linked = aliased(Record)
    others = select(linked.number).where(
        linked.review_id == bindparam("review_id"), linked.duplicate_of == Record.number
    )
    return union_all(select(Record.number).correlate(Record), others.correlate(Record))


def _of(table: Any, number: Any) -> tuple[ColumnElement[bool], ...]:
    return (
        table.review_id == bindparam("review_id"),
        table.stage == bindparam("stage"),
        number,
    )


def _n_judges(me: BindParameter[Any]) -> ColumnElement[int]:
    """How many others ever voted on a record, or on one linked to it; some may count twice.

    By equalities alone: PostgreSQL looks these up in the index before it has any statistics, too.
    """
    linked = aliased(Record)

    def on(record: Any) -> ColumnElement[int]:
        given = aliased(Decision)
        return (
            select(func.count(distinct(given.reviewer_id)))
            .where(*_of(given, given.record_number == record.number), given.reviewer_id != me)
            .correlate(record)
            .scalar_subquery()
        )

    on_linked = (
        select(func.coalesce(func.sum(on(linked)), 0))
        .where(linked.review_id == bindparam("review_id"), linked.duplicate_of == Record.number)
        .correlate(Record)
        .scalar_subquery()
    )
    return on(Record) + on_linked


_LEAST_QUOTA = (
    select(func.min(PolicyVersion.value["reviewers_per_record"].as_integer()))
    .where(
        PolicyVersion.review_id == bindparam("review_id"),
        PolicyVersion.stage == bindparam("stage"),
    )
    .scalar_subquery()
)
"""Of all policies that the stage ever had."""


def _known() -> Any:
    own, given, settled = aliased(Decision), aliased(Decision), aliased(Resolution)
    me: BindParameter[Any] = bindparam("user_id")
    seen = func.coalesce(cast(bindparam("names_now"), Integer), MemberSight.names_labels_seq, -1)
    lost = _of(MemberSight, MemberSight.user_id == me)
    is_given = (
        *_of(given, given.record_number.in_(_numbers())),
        given.reviewer_id != me,
        given.verdict.is_not(None),
        given.carried_from.is_(None),
    )
    is_settled = (
        *_of(settled, settled.record_number.in_(_numbers())),
        settled.resolver_id != me,
    )
    is_open = Record.number.in_(bindparam("open", expanding=True))
    here = is_open & (settled.record_number == Record.number)
    is_known = or_(
        exists().where(
            *_of(Exposure, Exposure.record_number.in_(_numbers())), Exposure.user_id == me
        ),
        exists().where(
            *_of(own, own.record_number == Record.number), own.reviewer_id == me, own.informed
        ),
        exists().where(*is_given, given.labels_seq <= seen),
        exists().where(*is_settled, or_(here, settled.labels_seq <= seen)),
    )
    return (
        select(
            Record.number,
            is_known.label("is_known"),
            or_(exists().where(*is_given), exists().where(*is_settled)).label("is_judged"),
            _n_judges(me).label("n_judges"),
            _LEAST_QUOTA.label("least_quota"),
            MemberSight.settled_seq,
            MemberSight.conflicts_seq,
        )
        .select_from(Record)
        .outerjoin(MemberSight, and_(*lost))
        .where(
            Record.review_id == bindparam("review_id"),
            Record.number.in_(bindparam("numbers", expanding=True)),
        )
    )


KNOWN = _known()
"""One row for each record: `is_known`, `is_judged`, `n_judges`, `least_quota` and what was lost."""
