"""Tables of one field a row, record after record, as Embase's "fields by row" has them.

Each row is a field's name and its values: `"AUTHOR NAMES","Liu R.","Adler D."`.
"""

import csv
from collections.abc import Iterator
from itertools import chain

from tandem.records.formats.assembly import assemble
from tandem.records.formats.entry import Entry, Rejection
from tandem.records.formats.pieces import FILLER, RECORD, STRAY, Make, Piece
from tandem.records.formats.table.cells import parts
from tandem.records.formats.table.columns import field_of, head_rows
from tandem.records.formats.table.lines import Lines

_DELIMITERS = ",;"
_FEWEST_FIELDS = 3
_ONCE = frozenset({"title", "abstract", "citation", "ref"})
"""Fields that a record has one row of: a second is the next record's."""


def begins(text: str) -> bool:
    """Whether the first rows are fields of one record, their names in the first column."""
    return _delimiter(text) is not None


def pieces(data: str) -> Iterator[Piece]:
    """Yield the records, each up to where the next begins; a lone cell between them is none."""
    delimiter = _delimiter(data)
    if delimiter is None:
        return
    seen = set[str]()
    stray = False
    for at, cells in chain(_rows(data, delimiter), [(len(data), [])]):
        field = field_of(cells[0]) if cells else None
        if not cells or (field in _ONCE and field in seen) or stray:
            yield at, RECORD if seen else STRAY if stray else FILLER
            seen = set()
        stray = bool(cells) and not seen and field is None and not _filled(cells)
        if field and _filled(cells):
            seen.add(field)


def maker(data: str) -> Make[str]:
    """Return what makes a record of its rows."""
    delimiter = _delimiter(data) or ","

    def make(position: int, raw: str) -> Entry | Rejection:
        cells: dict[str, list[str]] = {}
        for _, row in _rows(raw, delimiter):
            if (field := field_of(row[0]) if row else None) and (values := _filled(row)):
                cells.setdefault(field, []).append("; ".join(values))
        return assemble(position, raw, parts(cells))

    return make


def _delimiter(text: str) -> str | None:
    return next((d for d in _DELIMITERS if _is_vertical(text, d)), None)


def _is_vertical(text: str, delimiter: str) -> bool:
    found: list[str] = []
    for _, _, cells in head_rows(text, delimiter):
        name, *values = (cell.strip() for cell in cells) if cells else ("",)
        field = field_of(name)
        if field:
            if not any(values) or any(map(field_of, values)):
                return False  # a header names several, and has no values
            found.append(field)
        elif not found and name:
            return False
        if len(set(found)) >= _FEWEST_FIELDS and "title" in found:
            return True
    return False


def _filled(cells: list[str]) -> list[str]:
    return [cell.strip() for cell in cells[1:] if cell.strip()]


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield where each row starts, and its cells: none if it is blank.

    A quotation mark that is never closed would swallow the rows after it: then the row is its
    first line, cut at every delimiter.
    """
    lines = Lines(text)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        start = lines.at
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            lines.at = start
            cells = [cell.strip(' "') for cell in next(lines).rstrip("\n").split(delimiter)]
        yield start, cells if any(cell.strip() for cell in cells) else []
