"""A workbook for Excel, one record a row, by openpyxl with the rows on disk, not in memory."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from tandem.records import marks
from tandem.records.export import tables
from tandem.records.export.record import ExportedRecord
from tandem.records.export.tables import Cell

LONGEST_CELL = 32_767
"""What Excel holds, in UTF-16 units. `shortened` names the columns that had more."""

HEADER = (*tables.HEADER, "shortened")

_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 cannot hold."""

_EPOCH = datetime(1980, 1, 1)  # noqa: DTZ001  # a zip's dates have no zone, and begin here
_CHUNK = 1 << 16


def write(records: Iterable[ExportedRecord]) -> Iterator[bytes]:
    """Yield the workbook, once all records are in it. The same records give the same bytes."""
    with TemporaryFile() as file:
        _fill(file, records)
        file.seek(0)
        while part := file.read(_CHUNK):
            yield part


def _fill(file: IO[bytes], records: Iterable[ExportedRecord]) -> None:
    # Only here: every process of Tandem would hold it in memory, and few ever write a workbook.
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.writer.excel import ExcelWriter

    book = Workbook(write_only=True)
    book.properties.creator = "Tandem"
    book.properties.created = book.properties.modified = _EPOCH
    sheet = book.create_sheet("Records")
    sheet.freeze_panes = "A2"
    cells = [WriteOnlyCell(sheet) for _ in HEADER]
    try:
        sheet.append(list(HEADER))
        for record in records:
            sheet.append(_filled(cells, tables.row(record)))
        # Not book.save(), which would write the time of day into the file.
        with _Undated(file, "w", ZIP_DEFLATED) as archive:
            ExcelWriter(book, archive).write_data()
    except BaseException:
        _remove_rows(sheet)
        raise


def _filled(cells: list[Any], row: list[Cell]) -> Iterator[Any]:
    """Yield the row's cells, None for empty ones; the same ones for every row.

    They can be, as each is written before the next is asked for.
    """
    shortened = []
    for cell, name, value in zip(cells, HEADER, row, strict=False):
        if isinstance(value, str):
            whole = marks.guarded(_UNWRITABLE.sub("", value))
            value = _cut(whole)
            if value != whole:
                shortened.append(name)
        yield _set(cell, value)
    yield _set(cells[-1], "; ".join(shortened))


def _set(cell: Any, value: Cell) -> Any:
    if value is None or value == "":
        return None
    cell.value = value
    if isinstance(value, str):
        cell.data_type = "s"  # never a formula or an error, whatever the text begins with
    return cell


def _cut(text: str) -> str:
    if len(text) <= LONGEST_CELL // 2 or len(text.encode("utf-16-le")) <= 2 * LONGEST_CELL:
        return text
    return text.encode("utf-16-le")[: 2 * LONGEST_CELL].decode("utf-16-le", "ignore")


def _remove_rows(sheet: Any) -> None:
    """Remove the file of a broken-off sheet, which openpyxl would keep until the process ends."""
    if sheet._writer is not None and Path(sheet._writer.out).exists():
        if not sheet.closed:
            sheet.close()
        sheet._writer.cleanup()


class _Undated(ZipFile):
    """A zip whose files all bear the same date."""

    def writestr(self, zinfo_or_arcname: Any, data: Any, *_: Any, **__: Any) -> None:
        super().writestr(self._info(str(zinfo_or_arcname)), data)

    def write(self, filename: Any, arcname: Any = None, *_: Any, **__: Any) -> None:
        with open(filename, "rb") as source, self.open(self._info(arcname), "w") as target:
            copyfileobj(source, target)

    def _info(self, name: str) -> ZipInfo:
        info = ZipInfo(name, _EPOCH.timetuple()[:6])
        info.compress_type = ZIP_DEFLATED
        return info
