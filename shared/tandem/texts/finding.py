"""Finds words in texts: which reports have them, and where they stand on the pages."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import aliased

from tandem.records.models import Record
from tandem.texts.models import ReportText, TextFile

MOST_PASSAGES = 500
_AROUND = 60
_BREAK = "(?:[-\u00ad\u2010]\n)?"
"""What may stand between two letters of a word at the end of a line."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Where a term stands.

    Attributes:
        page: From 0.
        start: Position of its first code point in the plain text.
        end: Position behind its last one.
        quote: What stands there.
        before: Some of what comes before it, on the same page.
        after: And behind it.
    """

    page: int
    start: int
    end: int
    quote: str
    before: str
    after: str


def passages(plain: str, page_starts: Sequence[int], terms: Sequence[str]) -> list[Passage]:
    """Return where any of the terms stands, in order; at most 500.

    Case does not matter. Terms are whole words or phrases; a `*` at the end stands for any end.
    """
    pattern = _pattern(terms)
    if pattern is None:
        return []
    found: list[Passage] = []
    for said in pattern.finditer(plain):
        page = max(0, bisect_right(page_starts, said.start()) - 1)
        first = page_starts[page]
        last = page_starts[page + 1] - 1 if page + 1 < len(page_starts) else len(plain)
        start, end = said.start(), min(said.end(), last)
        before = plain[max(first, start - _AROUND) : start]
        after = plain[end : min(last, end + _AROUND)]
        found.append(Passage(page, start, end, plain[start:end], before, after))
        if len(found) == MOST_PASSAGES:
            break
    return found


def _pattern(terms: Sequence[str]) -> re.Pattern[str] | None:
    spelled = [_spelled(term) for term in terms if term.strip(" *")]
    # The longest first: of "sleep" and "sleep quality" the second is to be found where it stands.
    alternatives = "|".join(sorted(spelled, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{alternatives})", re.I) if spelled else None


def _spelled(term: str) -> str:
    words = term.strip().removesuffix("*").split()
    phrase = r"\s+".join(_BREAK.join(map(re.escape, word)) for word in words)
    return phrase + (rf"(?:{_BREAK}\w)*" if term.strip().endswith("*") else r"(?!\w)")


def has_text() -> ColumnElement[bool]:
    """Whether a record, or one that is linked to it, has any text; over rows of Record."""
    return _text_of()


def says(word: str) -> ColumnElement[bool]:
    """Whether a text of a record, or of one that is linked to it, has a word in it, in any case."""
    return _text_of(func.lower(TextFile.plain).contains(word.lower(), autoescape=True))


def _text_of(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    own = aliased(Record)
    numbers = (
        select(own.number)
        .where(
            own.review_id == Record.review_id,
            or_(own.number == Record.number, own.duplicate_of == Record.number),
        )
        .correlate(Record)
    )
    query = (
        select(ReportText.id)
        .join(TextFile, TextFile.id == ReportText.file_id)
        .where(
            ReportText.review_id == Record.review_id,
            ReportText.record_number.in_(numbers),
            *conditions,
        )
        .correlate(Record)
    )
    return query.exists()
