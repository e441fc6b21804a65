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
MOST_TERMS = 50
LONGEST_TERM = 100
"""Letters. With the most terms of this length it takes seconds to search the longest text."""

_AROUND = 60
_CUT = re.compile("(?<=\\w)[-\u00ad\u2010]\n(?=\\w)")
"""Where the end of a line cuts a word."""

_CUT_LENGTH = 2


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
    whole, cuts = _joined(plain)
    found: list[Passage] = []
    for match in pattern.finditer(whole):
        start, end = _before(cuts, match.start()), _before(cuts, match.end() - 1) + 1
        page = max(0, bisect_right(page_starts, start) - 1)
        first = page_starts[page]
        last = page_starts[page + 1] - 1 if page + 1 < len(page_starts) else len(plain)
        end = min(end, last)
        before = plain[max(first, start - _AROUND) : start]
        after = plain[end : min(last, end + _AROUND)]
        found.append(Passage(page, start, end, plain[start:end], before, after))
        if len(found) == MOST_PASSAGES:
            break
    return found


def _joined(plain: str) -> tuple[str, list[int]]:
    """Put words together that the end of a line cuts; return also where, in the new text."""
    parts: list[str] = []
    cuts: list[int] = []
    at = length = 0
    for cut in _CUT.finditer(plain):
        parts.append(plain[at : cut.start()])
        length += cut.start() - at
        cuts.append(length)
        at = cut.end()
    return "".join([*parts, plain[at:]]), cuts


def _before(cuts: Sequence[int], position: int) -> int:
    """Return a position of the joined text in the plain one."""
    return position + _CUT_LENGTH * bisect_right(cuts, position)


def _pattern(terms: Sequence[str]) -> re.Pattern[str] | None:
    spelled = [_spelled(term[:LONGEST_TERM]) for term in terms[:MOST_TERMS] if term.strip(" *")]
    # The longest first: of "sleep" and "sleep quality" the second is to be found where it stands.
    alternatives = "|".join(sorted(spelled, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{alternatives})", re.I) if spelled else None


def _spelled(term: str) -> str:
    words = term.strip().removesuffix("*").split()
    # A hyphen at the end of a line may be the word's own.
    phrase = r"\s+".join(re.escape(word).replace(r"\-", "-?") for word in words)
    return phrase + (r"\w*" if term.strip().endswith("*") else r"(?!\w)")


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
