"""Excel workbooks, brought to the text of a table: the rest is as with any other table."""

import csv
import datetime
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any
from zipfile import ZipFile

from tandem.errors import TandemError
from tandem.records.formats import archive
from tandem.records.formats.pieces import FILLER
from tandem.records.formats.table import rows as tabular
from tandem.records.formats.table.columns import find_header

LARGEST = 300_000_000
"""Bytes of a workbook unpacked. A hundred thousand records with abstracts take two thirds."""

_LARGEST_OTHER = 20_000_000
"""Bytes of a part that is neither a sheet nor the strings of all sheets."""

_MOST_WORK = 5_000_000
"""What openpyxl has to do for all parts, in elements: one takes 4 to 7 µs.
The worker that imports must not be silent for more than half a minute. Sixty thousand rows of
20 cells fit."""

_WORK_OF_A_CELL = 2
_WORK_OF_A_STRING = 4
_MOST_TAGS_OF_A_ROW = 200_000
_MOST_ROWS = 1_048_576
_MOST_COLUMNS = 16_384
_ROWS_SEARCHED = 20
_NOT_READ = "the sheet {!r} has no column called title: none of its {:,} rows is read"
_CHUNK = 1 << 20
_LONGEST_ERROR = 200
_PARTS = re.compile(r"xl/(?:workbook|worksheets/)", re.I)
_LARGE = re.compile(r"xl/(?:worksheets/|sharedStrings|media/)", re.I)
_ROW = re.compile(rb"<(?:[A-Za-z0-9]{1,10}:)?(?:row|si)[ >]")
_CELL = re.compile(rb"<(?:[A-Za-z0-9]{1,10}:)?c[ />]")
_STRING = re.compile(rb"<(?:[A-Za-z0-9]{1,10}:)?si[ />]")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_ZIP = b"PK\x03\x04"


_Column = tuple[str, int]
"""A column's name in small letters, and how many of that name are before it."""


class UnreadableWorkbook(TandemError):
    """The file is an Excel workbook, but damaged, locked or too large to be read."""

    code = "unreadable_workbook"


def is_workbook(data: bytes) -> bool:
    """Whether `data` is a workbook as Excel has written it since 2007."""
    return data.startswith(_ZIP) and any(map(_PARTS.match, archive.names_in(data) or ()))


@dataclass(frozen=True, slots=True)
class Tables:
    """What a workbook holds.

    Attributes:
        text: The sheets with a title column as one table of CSV, which has every column that any
            of them has; "" if there is none.
        others: What is not read, the sheets without a title column: why, and how it begins.
    """

    text: str
    others: tuple[tuple[str, str], ...] = ()


def tables(data: bytes) -> Tables:
    """Return what is in a workbook; nothing if `data` is none.

    Formulas are their values when the file was saved.

    Raises:
        UnreadableWorkbook: It is damaged, locked, or unpacks to more than `LARGEST`.
    """
    if not is_workbook(data):
        return Tables("")
    # Only here: every process of Tandem would hold it in memory, and few ever read a workbook.
    # Not python-calamine: it makes room for every cell between the first and the last, so that a
    # file of 5 kB with a cell in each corner ends the process.
    from openpyxl import load_workbook

    try:
        _check_size(data)
        workbook = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        try:
            sheets = [(sheet.title, *_table(sheet)) for sheet in workbook.worksheets]
        finally:
            workbook.close()
        return _joined(sheets)
    except UnreadableWorkbook:
        raise
    except Exception as error:  # openpyxl lets through whatever damaged XML brings about
        # Some quote the whole cell that they cannot read.
        said = str(error)[:_LONGEST_ERROR] or type(error).__name__
        raise UnreadableWorkbook(
            f"The Excel workbook cannot be read: {said}. "
            "Open it and save it again, or save it as CSV."
        ) from error


def _check_size(data: bytes) -> None:
    # What is declared binds: no more than that is unpacked of any part.
    with ZipFile(io.BytesIO(data)) as parts:
        size = sum(part.file_size for part in parts.infolist())
        if size > LARGEST:
            raise UnreadableWorkbook(
                f"The Excel workbook unpacks to {size:,} bytes; at most {LARGEST:,} are read."
            )
        for part in parts.infolist():
            if part.file_size > _LARGEST_OTHER and not _LARGE.match(part.filename):
                raise UnreadableWorkbook(
                    f"The Excel workbook's {part.filename} is larger than {_LARGEST_OTHER:,} bytes."
                )
        # Empty cells take little room and much time; openpyxl holds one row at a time.
        work, row = 0, 0
        for chunk in _chunks(parts):
            work += _work(chunk)
            if work > _MOST_WORK:
                raise UnreadableWorkbook("The Excel workbook has too many cells. Save it as CSV.")
            before, *rows = _ROW.split(chunk)
            row += before.count(b"<")
            if max(row, *(one.count(b"<") for one in rows), 0) > _MOST_TAGS_OF_A_ROW:
                raise UnreadableWorkbook("The Excel workbook has a row with too many cells.")
            row = rows[-1].count(b"<") if rows else row


def _work(chunk: bytes) -> int:
    """Return how many elements begin in `chunk`; cells and shared strings take longer."""
    elements = chunk.count(b"<") - chunk.count(b"</")
    cells = len(_CELL.findall(chunk))
    strings = len(_STRING.findall(chunk))
    return elements + (_WORK_OF_A_CELL - 1) * cells + (_WORK_OF_A_STRING - 1) * strings


def _chunks(parts: ZipFile) -> Iterator[bytes]:
    for name in parts.namelist():
        with parts.open(name) as part:
            while chunk := part.read(_CHUNK):
                yield chunk


def _joined(sheets: list[tuple[str, int, str]]) -> Tables:
    """Return sheets as one table, under all the columns that any of them has."""
    titled = [text for _, _, text in sheets if tabular.begins(text) is not None]
    if len(titled) < 2:
        others = (
            (_NOT_READ.format(name, n), text) for name, n, text in sheets if text not in titled
        )
        return Tables("".join(titled), tuple(other for other in others if other[1]))
    columns: dict[_Column, str] = {}
    parts, others_ = [], []
    for name, n_rows, text in sheets:
        if (header := find_header(text)) is None:
            others_ += [(_NOT_READ.format(name, n_rows), text)] * bool(n_rows)
            continue
        at = 0
        for end, kind in tabular.above(text, header):
            others_ += [(f"{kind} of the sheet {name!r}", text[at:end])] * (kind != FILLER)
            at = end
        names = [cell.strip().lower() for cell in header.names]
        keys = [(cell, names[:place].count(cell)) for place, cell in enumerate(names)]
        for key, cell in zip(keys, header.names, strict=True):
            columns.setdefault(key, cell)
        parts.append((keys, csv.reader(io.StringIO(text[header.end :], newline=""))))
    return Tables(_under(columns, parts), tuple(others_))


def _under(
    columns: Mapping[_Column, str], parts: Iterable[tuple[Sequence[_Column], Iterable[list[str]]]]
) -> str:
    """Return one table of `columns` with the rows of all parts, each with its own columns."""
    places = {key: place for place, key in enumerate(columns)}
    rows = [list(columns.values())]
    for keys, cells_of in parts:
        for row in cells_of:
            cells = [""] * len(places)
            for key, cell in zip(keys, row, strict=False):
                cells[places[key]] = cell
            rows.append([*cells, *row[len(keys) :]])
    return _csv(rows, 0)


def _table(sheet: Any) -> tuple[int, str]:
    """Return how many rows a sheet has, and as CSV all of them, or the first if none has titles."""
    # Some programs declare a size of one cell; the rows tell better.
    sheet.reset_dimensions()
    rows = _rows(sheet.iter_rows(max_row=_MOST_ROWS, max_col=_MOST_COLUMNS, values_only=True))
    first = list(islice(rows, _ROWS_SEARCHED))
    beginning = _csv(first, 0)
    if tabular.begins(beginning) is None:
        return len(first) + sum(1 for _ in rows), beginning
    return len(first), _csv(chain(first, rows), max(map(len, first)))


def _csv(rows: Iterable[list[str]], width: int) -> str:
    """Return the rows as CSV, each filled up to `width` cells."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for cells in rows:
        writer.writerow([*cells, *[""] * (width - len(cells))])
    return text.getvalue()


def _rows(rows: Iterable[tuple[object, ...]]) -> Iterator[list[str]]:
    """Yield the rows as texts, less blank ones and the empty cells after the last."""
    for row in rows:
        end = len(row)
        while end and row[end - 1] in (None, ""):
            end -= 1
        cells = [_text(value) for value in row[:end]]
        if any(cell.strip() for cell in cells):
            yield cells


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "1" if value else "0"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case datetime.datetime() if value.time() == datetime.time():
            return value.date().isoformat()
        case datetime.datetime() | datetime.date() | datetime.time():
            return value.isoformat()
        case str():
            return _ESCAPED.sub(_unescaped, value).replace("\r\n", "\n").replace("\r", "\n")
        case _:
            return str(value)


def _unescaped(escape: re.Match[str]) -> str:
    """Return the sign that Excel has as `_x000D_`, where it is a control character."""
    code = int(escape[1], 16)
    return chr(code) if code < 32 or escape[0] == "_x005F_" else escape[0]
