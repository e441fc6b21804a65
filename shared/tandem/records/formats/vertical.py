"""Tables of one field a row, record after record, as Embase's "fields by row" has them.

Each row is a field's name and its values: `"AUTHOR NAMES","Liu R.","Adler D."`.
"""

import csv
from collections.abc import Iterator

from tandem.records.formats.assembly import LONGEST_RECORD, assemble, reject_overlong
from tandem.records.formats.columns import field_of, head_rows
from tandem.records.formats.entry import Entry, Rejection
from tandem.records.formats.lines import Lines
from tandem.records.formats.table_parts import parts

_DELIMITERS = ",;"
_FEWEST_FIELDS = 3
_ONCE = frozenset({"title", "abstract", "citation", "ref"})
"""Fields that a record has one row of: a second is the next record's."""

_Row = tuple[str, list[str]]


def begins(text: str) -> bool:
    """Whether the first rows are fields of one record, their names in the first column."""
    return _delimiter(text) is not None


def count(text: str) -> int:
    """Return how many records `read` yields, without normalising them."""
    return sum(1 for _ in _records(text))


def read(text: str) -> Iterator[Entry | Rejection]:
    """Yield every record in order, one that cannot be read as its rejection."""
    for position, (rows, raw) in enumerate(_records(text), start=1):
        if len(raw) > LONGEST_RECORD:
            yield reject_overlong(position, raw)
        else:
            cells: dict[str, list[str]] = {}
            for field, values in rows:
                cells.setdefault(field, []).append("; ".join(values))
            yield assemble(position, raw, parts(cells))


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


def _records(text: str) -> Iterator[tuple[list[_Row], str]]:
    """Yield each record's rows of known fields, and its text."""
    delimiter = _delimiter(text)
    if delimiter is None:
        return
    start = 0
    rows: list[_Row] = []
    for at, cells in _rows(text, delimiter):
        field = field_of(cells[0]) if cells else None
        again = field in _ONCE and field in {known for known, _ in rows}
        if not cells or again:
            if rows:
                yield rows, text[start:at]
            start, rows = at, []
        if field and (values := [cell.strip() for cell in cells[1:] if cell.strip()]):
            rows.append((field, values))
    if rows:
        yield rows, text[start:]


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
