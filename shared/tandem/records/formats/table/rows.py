"""Tables of one record a row, under a header row: CSV, also with semicolons or tabs."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import StringIO
from itertools import islice

from tandem.records import marks
from tandem.records.formats import kinds, normalise
from tandem.records.formats.assembly import LONGEST_RECORD, assemble, reject
from tandem.records.formats.entry import Entry, Rejection
from tandem.records.formats.people import split_glued
from tandem.records.formats.pieces import BLANKS, FILLER, RECORD, Make, Piece, is_filler
from tandem.records.formats.table import vertical
from tandem.records.formats.table.cells import DATABASES, Cells, parts
from tandem.records.formats.table.columns import Header, find_header, head_rows
from tandem.records.formats.table.lines import Lines

# The limit is one for the process. The default of 128 KiB a cell is less than the reference
# list that Scopus puts in one; past this the quotation mark was never closed.
csv.field_size_limit(LONGEST_RECORD)

_WRITTEN_HERE = marks.TABLE_MARK
_OF_SPRINGER = {"Item Title", "Item DOI"}
_PLAIN_YEAR = re.compile(r"\s*(?:1[0-9]|20)[0-9]{2}(?:\.0)?\s*")
_SCOPUS = re.compile(r"2-s2\.0-[0-9]{6,}")
_PROSE = re.compile(r"[^;|]{20,}?[a-z)] ?\.\s[^;|]{100,}")
_SAMPLE = 100
_FEWEST_USUAL = 5
_FEWEST_COUNTED = 30
"""Rows of which no two have one number, if that is not the number of an issue."""

_DATE = (
    r"(?:[0-9][0-9./:-]{0,20}|(?:jan|feb|mar|apr|ma[iy]|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}|,)"
)
_NOTE = re.compile(
    r"[0-9,.]{1,9} (?:results?|records?|references?|hits) (?:for|from|in|on|of) .*"
    r"|(?:[0-9,.]{1,9} )?(?:search(?:ed|es)?|exported|exports?|downloaded|results?|records?"
    r"|references?|hits|report|query)(?: results?| history| report| strategy| date)?:?"
    r"(?: (?:found|exported|in all|of|on|for|from|by|at|in))?"
    rf"(?: (?:the )?(?:{DATABASES}))?(?: (?:on|at))?(?: ?{_DATE}){{0,6}}$",
    re.I,
)
"""What databases and people write above a table; `Report of two cases` may be a title."""

_ABOVE = "a row above the header row"
_UNCLOSED = "a quotation mark is opened that is not closed"


def begins(data: str) -> int | None:
    """Return where the header row starts, or None if there is none with a title column."""
    if vertical.begins(data):
        return 0
    header = find_header(data)
    return header.start if header else None


def pieces(data: str) -> Iterator[Piece]:
    """Yield the rows; what stands above the header, blank rows and repeated headers are filler."""
    if vertical.begins(data):
        yield from vertical.pieces(data)
    elif header := find_header(data):
        yield from above(data, header)
        yield from _rows(data, header)


def maker(data: str) -> Make[str]:
    """Return what makes a record of a row's text."""
    if vertical.begins(data):
        return vertical.maker(data)
    header = find_header(data)
    if header is None:
        return lambda position, raw: reject(position, "no header row", raw)
    usual_surplus = _usual_surplus(data, header)
    header = _without_count(data, header)

    def make(position: int, raw: str) -> Entry | Rejection:
        cells = _cells_of(raw, header)
        surplus = _surplus(header, cells)
        if surplus and surplus == usual_surplus:
            cells, surplus = _vouched_for(header, cells), 0
        if surplus or not cells:
            width = header.width
            return reject(position, f"more fields than the header's {width} columns", raw)
        return assemble(position, raw, parts(_cells(header, cells)))

    return make


def above(text: str, header: Header) -> Iterator[Piece]:
    """Yield what stands above the header: a note on the search in one cell is filler."""
    for start, end, cells in head_rows(text, header.delimiter):
        if start >= header.start:
            break
        filled = [cell.strip(BLANKS) for cell in cells if cell.strip(BLANKS)]
        is_note = len(filled) < 2 and all(is_filler(cell, _NOTE) for cell in filled)
        yield end, FILLER if is_note else _ABOVE
    yield header.end, FILLER


def _rows(text: str, header: Header) -> Iterator[Piece]:
    """Yield where each row under the header ends, and what it is."""
    lines = Lines(text, header.end)
    reader = csv.reader(lines, delimiter=header.delimiter, strict=True)
    names = [name.strip().lower() for name in header.names]
    cells: list[str] | None
    while True:
        start = lines.at
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            cells = _repaired(lines, start, header)
        else:
            if len(cells) != header.width and "\n" in text[start : lines.at - 1]:
                cells = _first_line(lines, start, header) or cells
        if cells is None:
            yield lines.at, _UNCLOSED
        elif not any(cell and not cell.isspace() for cell in cells):
            yield lines.at, FILLER
        else:
            # Where files were joined, the header comes again.
            again = len(cells) > 1 and [cell.strip().lower() for cell in cells] == names
            yield lines.at, FILLER if again else RECORD


def _cells_of(raw: str, header: Header) -> list[str]:
    """Return the cells of a row that `_rows` has found."""
    try:
        # Lines end by a line feed alone; a cell may hold other characters that part lines.
        lines = StringIO(raw, newline="\n")
        return next(csv.reader(lines, delimiter=header.delimiter, strict=True))
    except (csv.Error, StopIteration):
        cells = raw.rstrip("\n").split(header.delimiter)
        if len(cells) == header.width:
            return [_unquoted(cell) for cell in cells]
        return next(csv.reader([raw], delimiter=header.delimiter), [])


def _repaired(lines: Lines, start: int, header: Header) -> list[str] | None:
    """Return the cells of a row whose quotation marks do not add up.

    One that is never closed would swallow the rows after it: the first line counts as the
    row if that alone fills the columns, then everything up to the closing mark if that
    does and holds no line that is a row by itself. Failing both, the first line is lost,
    and reading goes on after it.
    """
    if cells := _first_line(lines, start, header):
        return cells
    lines.at = start
    try:
        cells = next(csv.reader(lines, delimiter=header.delimiter))
    except csv.Error:
        cells = []
    if len(cells) == header.width and not any(
        _is_row(line, header) for line in lines.since(start)[1:]
    ):
        return cells
    lines.at = start
    next(lines)
    return None


def _is_row(line: str, header: Header) -> bool:
    try:
        cells = next(csv.reader([line], delimiter=header.delimiter, strict=True))
    except csv.Error:
        return False
    return len(cells) == header.width


def _first_line(lines: Lines, start: int, header: Header) -> list[str] | None:
    """Return the row's first line, cut at every delimiter, if that fills the columns.

    `lines` goes on after that line then, and where it was otherwise.
    """
    before, lines.at = lines.at, start
    cells = next(lines).rstrip("\n").split(header.delimiter)
    if len(cells) == header.width:
        return [_unquoted(cell) for cell in cells]
    lines.at = before
    return None


def _surplus(header: Header, cells: list[str]) -> int:
    """Return how many columns past the header's reach the row's last value stands."""
    filled = next((at for at in range(len(cells), 0, -1) if cells[at - 1].strip()), 0)
    return max(0, filled - header.width)


def _usual_surplus(text: str, header: Header) -> int:
    """Return the surplus that most rows have, 0 if they have none.

    Then it is the header that is short: Scopus has left out the second column of a repeated
    name. In a single row it is a stray delimiter.
    """
    start, surpluses = header.end, Counter[int]()
    for end, kind in islice(_rows(text, header), _SAMPLE):
        if kind == RECORD:
            surpluses[_surplus(header, _cells_of(text[start:end], header))] += 1
        start = end
    surplus, rows = max(surpluses.items(), key=lambda item: item[1], default=(0, 0))
    return surplus if rows >= _FEWEST_USUAL and rows > surpluses.total() / 2 else 0


def _without_count(text: str, header: Header) -> Header:
    """Return the header less a column called number that counts the records, not the issues."""
    called = [name.strip().lower() for name in header.names]
    if "number" not in called:
        return header
    at = called.index("number")
    start, numbers = header.end, []
    for end, kind in islice(_rows(text, header), _SAMPLE):
        if kind == RECORD:
            cells = _cells_of(text[start:end], header)
            numbers.append(cells[at].strip() if at < len(cells) else "")
        start = end
    counts = len(set(numbers)) == len(numbers) >= _FEWEST_COUNTED
    if not counts or not all(map(str.isdecimal, numbers)):
        return header
    issues = tuple(other for other in header.columns["issue"] if other != at)
    return replace(header, columns={**header.columns, "issue": issues})


def _vouched_for(header: Header, cells: list[str]) -> list[str]:
    """Return the cells that a short header still names rightly, blanks for the others.

    Where the missing column is cannot be known, but it is not before a cell that holds what
    its name says: a year, a DOI, an address, or an abstract's prose. Nothing is returned
    unless the title comes before such a cell; prose alone does not vouch for it.
    """

    def holding(field: str, check: Callable[[str], object]) -> list[int]:
        return [at for at in header.columns.get(field, ()) if at < len(cells) and check(cells[at])]

    certain = [
        *holding("year", _PLAIN_YEAR.fullmatch),
        *holding("doi", normalise.doi),
        *holding("url", normalise.url),
    ]
    if max(certain, default=-1) < header.columns.get("title", (0,))[0]:
        return []
    left = cells[: max([*certain, *holding("abstract", _PROSE.match)]) + 1]
    return left + _from_the_right(header, cells, len(left))


def _from_the_right(header: Header, cells: list[str], after: int) -> list[str]:
    """Return the cells after the `after`th that a short header names rightly from the right.

    A type of document or Scopus's own number vouches for itself and what follows it.
    """
    shift = len(cells) - header.width
    vouching = [
        *(at for at in header.columns.get("type", ()) if kinds.kind(cells[at + shift])),
        *(at for at in header.columns.get("ref", ()) if _SCOPUS.fullmatch(cells[at + shift])),
    ]
    start = min((at for at in vouching if at >= after), default=header.width)
    return [""] * (start - after) + cells[start + shift :]


def _unquoted(cell: str) -> str:
    cell = cell.strip()
    if len(cell) > 1 and cell[0] == cell[-1] == '"':
        cell = cell[1:-1]
    return cell.replace('""', '"')


def _cells(header: Header, row: list[str]) -> Cells:
    """Return the row's values under the fields of their columns."""
    if _WRITTEN_HERE in header.names:
        row = [marks.unguarded(cell) for cell in row]
    cells: dict[str, list[str]] = {}
    for field, columns in header.columns.items():
        if values := [row[at] for at in columns if at < len(row) and row[at].strip()]:
            cells[field] = values
    if set(header.names) >= _OF_SPRINGER and (authors := cells.get("authors")):
        cells["authors"] = ["; ".join(split_glued(authors[0]))]
    return cells
