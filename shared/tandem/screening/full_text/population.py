"""Which records are at full text, and of which one may say something there.

At full text is what title and abstract include, and whose text is there; one may say something of
what is or was there. Each condition is over rows of Record. `population` names the records of a
whole review.
"""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    SQLColumnExpression,
    and_,
    bindparam,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased

from tandem.db.among import is_one_of
from tandem.errors import Conflict as Contradiction
from tandem.ids import RecordNumber, ReviewId
from tandem.records.models import Record
from tandem.records.shown import n_shown
from tandem.reviews.policy import Policy, Stage
from tandem.reviews.service import Viewer
from tandem.screening.full_text.models import Retrieval, RetrievalState
from tandem.screening.ledger.loading import screenable
from tandem.screening.ledger.state import RecordKey
from tandem.screening.models import ScreenedRecord
from tandem.screening.rules import Status


class NotAtThisStage(Contradiction):
    """The record never came to full text."""

    code = "not_at_this_stage"


class Gate(NamedTuple):
    """What it takes to get to full text, as `rules.advances` has it: so many decisions at least."""

    n_decisions: int


ALL_REPORTS = Gate(0)
"""All that title and abstract include, however many have decided."""


def gate(policies: Mapping[Stage, Policy]) -> Gate:
    """Return what it takes under these policies for everybody: what is served goes by it."""
    first = policies[Stage.TITLE_ABSTRACT]
    is_open = not first.blind or first.single_include_advances
    return Gate(0 if is_open else first.reviewers_per_record)


def gate_of(viewer: Viewer) -> Gate:
    """Return what it takes for this person: what they are shown goes by it.

    Who sees every status of the first stage counts each report that is included, as the flow does:
    also one that a resolution includes and that lacks decisions.
    """
    return Gate(0) if viewer.sees_statuses(Stage.TITLE_ABSTRACT) else gate(viewer.policies)


def is_report(through: Gate, record: type[Record] = Record) -> ColumnElement[bool]:
    """Whether a record goes on to full text: `rules.advances`, over rows of Record."""
    is_through = _FIRST.n_decisions >= through.n_decisions
    return _goes_on(record, _FIRST.status == Status.INCLUDED, is_through)


def has_reached(record: type[Record] = Record) -> ColumnElement[bool]:
    """Whether a record is at full text, or was as everybody could see, and may come back."""
    return _goes_on(record, _FIRST.has_advanced)


_FIRST = aliased(ScreenedRecord)
"""What title and abstract made of a record."""


def _goes_on(record: type[Record], *because: SQLColumnExpression[bool]) -> ColumnElement[bool]:
    """Whether a record starts at full text, or is screened and gets there by its first stage."""
    first = (
        select(_FIRST.record_number)
        .where(
            _FIRST.review_id == record.review_id,
            _FIRST.stage == Stage.TITLE_ABSTRACT,
            _FIRST.record_number == record.number,
            *because,
        )
        .correlate(record)
        .exists()
    )
    return or_(record.starts_at_full_text, and_(~record.is_left_out, first))


def is_retrieved(record: type[Record] = Record) -> ColumnElement[bool]:
    """Whether the text of a record is there, or that of a record that is linked to it."""
    linked = aliased(Record)
    entry, of_linked = aliased(Retrieval), aliased(Retrieval)
    own = (
        select(entry.seq)
        .where(
            entry.review_id == record.review_id,
            entry.record_number == record.number,
            _says_retrieved(entry),
        )
        .correlate(record)
        .exists()
    )
    others = (
        select(of_linked.seq)
        .join(
            linked,
            and_(linked.review_id == of_linked.review_id, linked.number == of_linked.record_number),
        )
        .where(
            linked.review_id == record.review_id,
            linked.duplicate_of == record.number,
            _says_retrieved(of_linked),
        )
        .correlate(record)
        .exists()
    )
    return or_(own, others)


def _says_retrieved(entry: type[Retrieval]) -> ColumnElement[bool]:
    other = aliased(Retrieval)
    # Not as "no newer one exists": PostgreSQL joins that, each entry with each of the review.
    newest = (
        select(func.max(other.seq))
        .where(other.review_id == entry.review_id, other.record_number == entry.record_number)
        .correlate(entry)
        .scalar_subquery()
    )
    return and_(entry.state == RetrievalState.RETRIEVED, entry.seq == newest)


def is_at_full_text(through: Gate, record: type[Record] = Record) -> ColumnElement[bool]:
    """Whether a record is to be assessed by its full text, or was already."""
    return and_(is_report(through, record), is_retrieved(record))


def population(session: Session, review_id: ReviewId, through: Gate) -> frozenset[RecordNumber]:
    """Return the records that are at full text. No linked record is among them."""
    return frozenset(session.scalars(_population(through), {"review_id": review_id}))


def counts(session: Session, policies: Mapping[Stage, Policy], key: RecordKey) -> bool:
    """Whether what is decided of a record in a stage counts now; in the first it always does."""
    if key.stage is not Stage.FULL_TEXT:
        return True
    at = {"review_id": key.review_id, "number": key.record_number}
    return session.scalar(_counts(gate(policies)), at) is not None


@cache
def _counts(through: Gate) -> Select[RecordNumber]:
    return select(Record.number).where(
        Record.review_id == bindparam("review_id"),
        Record.number == bindparam("number"),
        is_at_full_text(through),
    )


def in_stage(stage: Stage, through: Gate) -> SQLColumnExpression[bool]:
    """Whether a record is one of a stage; the query has the parameter `review_id`.

    For queries over the records of a review: it begins with the few that are at full text.
    """
    if stage is not Stage.FULL_TEXT:
        return Record.is_in_screening
    return is_one_of(Record.number, _population(through))


def is_of_stage(stage: Stage, through: Gate) -> SQLColumnExpression[bool]:
    """Whether a record is one of a stage; see `in_stage`.

    For queries that look up each record by its number: it asks about that record alone.
    """
    if stage is not Stage.FULL_TEXT:
        return Record.is_in_screening
    return and_(Record.is_shown, is_at_full_text(through))


def is_there(
    stage: Stage, through: Gate, number: SQLColumnExpression[RecordNumber]
) -> ColumnElement[bool]:
    """Whether a record that was decided is one of the stage still; see `in_stage`.

    For queries over what was decided, of which a linked record has nothing: it names the few that
    have left, and reads none of the others.
    """
    if stage is Stage.FULL_TEXT:
        return is_one_of(number, _population(through))
    return number.not_in(left_out(bindparam("review_id")))


def left_out(review_id: SQLColumnExpression[ReviewId]) -> Select[RecordNumber]:
    """Select the records that are not screened, whatever was decided of them before."""
    return select(Record.number).where(Record.review_id == review_id, Record.is_left_out)


def n_in_stage(session: Session, review_id: ReviewId, stage: Stage, through: Gate) -> int:
    """Return how many records there are in a stage, to be decided or decided, by whomever."""
    if stage is Stage.FULL_TEXT:
        return len(population(session, review_id, through))
    return n_shown(session, review_id)


@cache
def _population(through: Gate) -> Select[RecordNumber]:
    # It begins with the entries: there are as many as full texts, whatever the review has else.
    source = aliased(Record)
    sought = select(Retrieval.record_number).where(Retrieval.review_id == bindparam("review_id"))
    heads = select(source.shown_as).where(
        source.review_id == bindparam("review_id"), is_one_of(source.number, sought)
    )
    return select(Record.number).where(
        Record.review_id == bindparam("review_id"),
        is_one_of(Record.number, heads),
        # As an expression: by its index SQLite would go through all that are no duplicates.
        Record.shown_as == Record.number,
        is_at_full_text(through),
    )


def in_reviews(through: Gate, reviews: BindParameter[ReviewId]) -> Select[ReviewId, RecordNumber]:
    """Select what is at full text in each of many reviews, from Record."""
    source = aliased(Record)
    heads = (
        select(source.review_id, source.shown_as.label("number"))
        .join(
            Retrieval,
            and_(Retrieval.review_id == source.review_id, Retrieval.record_number == source.number),
        )
        .where(Retrieval.review_id.in_(reviews))
        .distinct()
        .subquery()
    )
    is_head = and_(Record.review_id == heads.c.review_id, Record.number == heads.c.number)
    return (
        select(Record.review_id, Record.number)
        .select_from(heads)
        .join(Record, is_head)
        .where(Record.shown_as == Record.number, is_at_full_text(through))
    )


def require_reached(session: Session, key: RecordKey) -> None:
    """Raise unless the record is at full text, or was and may come back.

    The other stage needs nothing. An entry for a record that is not there now is kept,
    and counts when it comes back. Depends on nothing that is hidden from the blinded.

    Raises:
        NotFound: The review has no such record.
        IsDuplicate: It is shown as another record; that one is to be used.
        NotAtThisStage: It never came to full text.
    """
    if key.stage is not Stage.FULL_TEXT:
        return
    at = {"review_id": key.review_id, "number": key.record_number}
    if not session.scalar(_HAS_REACHED, at):
        screenable(session, key)
        raise NotAtThisStage(
            f"Record {key.record_number} is not at full text. It gets there when title and "
            "abstract include it, with all decisions that the policy asks for."
        )


_HAS_REACHED = select(Record.number).where(
    Record.review_id == bindparam("review_id"), Record.number == bindparam("number"), has_reached()
)
