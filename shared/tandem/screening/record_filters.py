"""What a list of records may be restricted by, as far as the viewer may see it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session, aliased

from tandem.db.any_case import any_contains, contains
from tandem.records import search_index
from tandem.records.models import Record
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.blinding.sql import carries_visible_label, visible_status_sql
from tandem.screening.models import Decision
from tandem.screening.rules import Verdict


@dataclass(frozen=True, slots=True)
class Filters:
    """What to list. `words` must all occur in title, abstract or authors, in any case.

    `my_verdict` is that of the viewer's own present decision. Where a year is asked for, records
    that name none are not listed.
    """

    status: str | None = None
    words: Sequence[str] = ()
    source: str | None = None
    label: str | None = None
    my_verdict: Verdict | None = None
    year_from: int | None = None
    year_to: int | None = None
    has_abstract: bool | None = None


def conditions(
    session: Session, viewer: Viewer, stage: Stage, filters: Filters
) -> list[ColumnElement[bool]]:
    """Return what a query over records must hold, joined as in `catalogue`."""
    found = [mentions(word) for word in filters.words]
    few = search_index.candidates(session, viewer.review_id, filters.words)
    if few is not None:
        found.insert(0, Record.number.in_(few))
    if filters.status is not None:
        found.append(visible_status_sql(viewer, stage) == filters.status)
    if filters.source is not None:
        found.append(_comes_from(filters.source))
    if filters.label is not None:
        found.append(carries_visible_label(viewer, stage, filters.label))
    if filters.my_verdict is not None:
        found.append(Decision.verdict == filters.my_verdict)
    if filters.year_from is not None:
        found.append(Record.year >= filters.year_from)
    if filters.year_to is not None:
        found.append(Record.year <= filters.year_to)
    if filters.has_abstract is not None:
        found.append(Record.abstract != "" if filters.has_abstract else Record.abstract == "")
    return found


def mentions(word: str) -> ColumnElement[bool]:
    """Whether title, abstract or authors contain the word, in any case."""
    texts = (Record.title, Record.abstract)
    return or_(*(contains(text, word) for text in texts), any_contains(Record.authors, word))


def _comes_from(source: str) -> ColumnElement[bool]:
    occurrence = aliased(Record)
    linked = select(occurrence.number).where(
        occurrence.review_id == Record.review_id,
        occurrence.duplicate_of == Record.number,
        occurrence.source == source,
    )
    return or_(Record.source == source, linked.correlate(Record).exists())
