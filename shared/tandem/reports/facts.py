"""What is stored of a review's reports, as `rules.standing` needs it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    SQLColumnExpression,
    and_,
    or_,
    select,
    true,
    union,
)
from sqlalchemy.orm import Session, aliased

from tandem.db.pieces import pieces
from tandem.ids import RecordNumber, ReviewId
from tandem.records.models import Record
from tandem.records.origin import NotScreened
from tandem.reports import membership
from tandem.reports.best import best_of
from tandem.reports.rules import ReportFacts
from tandem.reviews.models import Review
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.blinding.view import DONE, is_unblinded, visible_status
from tandem.screening.criteria import reasons
from tandem.screening.full_text import population
from tandem.screening.full_text.models import Retrieval
from tandem.screening.models import PresentDecision, ScreenedRecord
from tandem.screening.rules import Status

Numbers = Collection[RecordNumber] | None
"""Some records; None: all that are at full text or were."""


@dataclass(frozen=True, slots=True)
class Report:
    """A record that is at full text, or was, with the entry of its retrieval that counts.

    `has_advanced`: everybody could know that it was; `is_through`: everybody may know that it is.
    """

    facts: ReportFacts
    retrieval: Retrieval | None
    has_advanced: bool
    is_through: bool


def load_facts(
    session: Session, review: Review, numbers: Numbers = None
) -> dict[RecordNumber, ReportFacts]:
    """Return the facts of reports by the number of the record, whatever anybody may see."""
    found = _load(session, review, population.Gate(0), numbers)
    return {number: report.facts for number, report in found.items()}


def visible_reports(
    session: Session, viewer: Viewer, review: Review, numbers: Numbers = None
) -> dict[RecordNumber, Report]:
    """Return those of the reports that this person may know of, with what they may see of each.

    Who is blinded in the first stage knows of a report when everybody may; before, it would tell
    how others voted. Who is blinded at full text sees a status that is hidden as one still open.
    """
    through = population.gate(viewer.policies)
    found = _load(session, review, through, numbers)
    if not is_unblinded(viewer, Stage.TITLE_ABSTRACT):
        found = {
            number: report if report.is_through else _asleep(report)
            for number, report in found.items()
            if report.is_through or report.has_advanced
        }
    if is_unblinded(viewer, Stage.FULL_TEXT):
        return found
    decided = _decided_by(session, viewer, found)
    return {
        number: _veiled(viewer, report, has_decided=number in decided)
        for number, report in found.items()
    }


def _asleep(report: Report) -> Report:
    return replace(report, facts=replace(report.facts, title_abstract=Status.UNSCREENED))


def _veiled(viewer: Viewer, report: Report, *, has_decided: bool) -> Report:
    facts = report.facts
    shown = visible_status(viewer, Stage.FULL_TEXT, facts.full_text, has_decided=has_decided)
    if shown == facts.full_text:  # blinded members do not see which studies are sampled
        return replace(report, facts=replace(facts, is_sampled=True))
    status = Status.AWAITING if shown == DONE else Status(shown)
    hidden = replace(facts, full_text=status, final_reason=None, classification=None)
    return replace(report, facts=hidden)


def _decided_by(
    session: Session, viewer: Viewer, numbers: Iterable[RecordNumber]
) -> set[RecordNumber]:
    query = select(PresentDecision.record_number).where(
        PresentDecision.review_id == viewer.review_id,
        PresentDecision.stage == Stage.FULL_TEXT,
        PresentDecision.reviewer_id == viewer.user_id,
    )
    return set(session.scalars(query)).intersection(numbers)


def _load(
    session: Session, review: Review, through: population.Gate, numbers: Numbers
) -> dict[RecordNumber, Report]:
    rows = [*_rows(session, review.id, numbers)]
    shown = [row.number for row in rows]
    retrievals = load_retrievals(session, review.id, None if numbers is None else shown)
    excluded = [row.number for row in rows if row.full_text is Status.EXCLUDED]
    finals = reasons.final_reasons(session, review, Stage.FULL_TEXT, excluded)
    left_out = membership.not_sampled(session, review.id)
    found: dict[RecordNumber, Report] = {}
    for row in rows:
        entry = retrievals.get(row.number)
        facts = ReportFacts(
            title_abstract=row.first or Status.UNSCREENED,
            retrieval=None if entry is None else entry.state,
            full_text=row.full_text or Status.UNSCREENED,
            final_reason=finals.get(row.number),
            classification=row.classification,
            not_screened=row.not_screened_because,
            is_sampled=row.number not in left_out,
        )
        # What title and abstract are not asked of tells nothing of votes on them.
        is_through = facts.not_screened in _SKIPPING or (
            facts.title_abstract is Status.INCLUDED and (row.n_decisions >= through.n_decisions)
        )
        found[row.number] = Report(facts, entry, bool(row.has_advanced), is_through)
    return found


_SKIPPING = (NotScreened.PREVIOUS, NotScreened.FULL_TEXT)


def _rows(session: Session, review_id: ReviewId, numbers: Numbers) -> Iterable[Any]:
    for some in [None] if numbers is None else pieces(sorted(numbers)):
        found = Record.number.in_(_any(review_id, some))
        yield from session.execute(_reports(review_id).where(found))


def _reports(review_id: ReviewId) -> Select[*tuple[Any, ...]]:
    first, second = aliased(ScreenedRecord), aliased(ScreenedRecord)

    def at(row: Any, stage: Stage) -> Any:
        return and_(
            row.review_id == Record.review_id,
            row.stage == stage,
            row.record_number == Record.number,
        )

    return (
        select(
            Record.number,
            Record.not_screened_because,
            first.status.label("first"),
            first.n_decisions,
            first.has_advanced,
            second.status.label("full_text"),
            second.classification,
        )
        .outerjoin(first, at(first, Stage.TITLE_ABSTRACT))
        .outerjoin(second, at(second, Stage.FULL_TEXT))
        .where(Record.review_id == review_id, Record.is_shown)
        .order_by(Record.number)
    )


def _any(review_id: ReviewId, some: Sequence[RecordNumber] | None) -> CompoundSelect[Any]:
    """Select the records that are reports now or have an entry at full text.

    That one was included once tells the blinded how others voted, if they did not look then.
    Of linked ones the record that stands for them. `some`: of these alone; None: all.
    """

    def among(number: SQLColumnExpression[Any]) -> ColumnElement[bool]:
        return true() if some is None else number.in_(some)

    included = select(ScreenedRecord.record_number).where(
        ScreenedRecord.review_id == review_id,
        ScreenedRecord.stage == Stage.TITLE_ABSTRACT,
        ScreenedRecord.status == Status.INCLUDED,
        among(ScreenedRecord.record_number),
    )
    voted = select(ScreenedRecord.record_number).where(
        ScreenedRecord.review_id == review_id,
        ScreenedRecord.stage == Stage.FULL_TEXT,
        among(ScreenedRecord.record_number),
    )
    with_entries = select(Retrieval.record_number).where(
        Retrieval.review_id == review_id, among(Retrieval.record_number)
    )
    other = aliased(Record)
    of_linked = (
        select(other.duplicate_of)
        .join(
            Retrieval,
            and_(Retrieval.review_id == other.review_id, Retrieval.record_number == other.number),
        )
        .where(other.review_id == review_id, ~other.is_shown, among(other.duplicate_of))
    )
    skipping = select(Record.number).where(
        Record.review_id == review_id,
        or_(Record.is_previous, Record.starts_at_full_text),
        among(Record.number),
    )
    return union(included, voted, with_entries, of_linked, skipping)


def load_retrievals(
    session: Session, review_id: ReviewId, numbers: Numbers = None
) -> dict[RecordNumber, Retrieval]:
    """Return the entry that counts for each record of which there is one.

    The newest of a record; of linked ones the best, of equal ones the newest.
    """
    query = (
        select(Record.duplicate_of, Retrieval)
        .join(
            Record,
            and_(Record.review_id == Retrieval.review_id, Record.number == Retrieval.record_number),
        )
        .where(Retrieval.review_id == review_id)
        .order_by(Retrieval.seq)
    )
    newest: dict[RecordNumber, tuple[RecordNumber, Retrieval]] = {}
    asked = (
        [query]
        if numbers is None
        else [
            query.where(or_(Record.number.in_(some), Record.duplicate_of.in_(some)))
            for some in pieces(sorted(numbers))
        ]
    )
    for one in asked:
        for head, entry in session.execute(one):
            newest[entry.record_number] = (head or entry.record_number, entry)
    return best_of(newest.values())
