"""A document as DOCX, in the styles of the template that python-docx brings."""

import io
import re
import zipfile
from typing import Any

import docx
import docx.document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.shared import Emu, Inches, Pt
from docx.table import _Row

from tandem.handover.archive import Entry, zipped
from tandem.handover.document import Block, Bullets, Document, Heading, Paragraph, Table, ToAdd

_LINE = Inches(6)
"""Between the margins of the template."""

_SMALL = Pt(9)
_LETTERS = 84
"""Of this size in a line, and how many of them the edges of a cell take."""

_EDGES = 4
_LONGEST_LINE = 60
"""Letters from which on a column needs no more: its text goes over several lines."""

_NUMBER = re.compile(r"[\d,.]+")
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def word(document: Document) -> bytes:
    """Return the document as a file for text processors."""
    made = docx.Document()
    made.core_properties.title = _clean(document.title)[:255]
    made.core_properties.author = "Tandem"
    made.add_heading(_clean(document.title), level=1)
    for block in document.blocks:
        _add(made, block)
    file = io.BytesIO()
    made.save(file)
    # A DOCX is a zip in which python-docx writes the time: the same document is the same bytes.
    with zipfile.ZipFile(file) as parts:
        return b"".join(zipped(Entry(name, [parts.read(name)]) for name in parts.namelist()))


def _add(made: docx.document.Document, block: Block) -> None:
    match block:
        case Heading():
            made.add_heading(_clean(block.text), level=block.level)
        case Paragraph():
            made.add_paragraph(_clean(block.text))
        case ToAdd():
            made.add_paragraph().add_run(_clean(block.sentence)).bold = True
        case Bullets():
            for item in block.items:
                made.add_paragraph(_clean(item), style="List Bullet")
        case Table():
            _add_table(made, block)


def _add_table(made: docx.document.Document, block: Table) -> None:
    table = made.add_table(rows=1, cols=len(block.header), style="Table Grid")
    table.autofit = False
    _repeat_on_each_page(table.rows[0])
    widths, numbers = _widths(block), _numbers(block)
    for place, width in enumerate(widths):
        table.columns[place].width = width  # of the grid, which LibreOffice goes by
    lines = [table.rows[0], *(table.add_row() for _ in block.rows)]
    for line, texts in zip(lines, [block.header, *block.rows], strict=True):
        for cell, text, width, is_number in zip(line.cells, texts, widths, numbers, strict=True):
            cell.width = width
            run = cell.paragraphs[0].add_run(_clean(text))
            run.font.size, run.bold = _SMALL, line is lines[0]
            if is_number:
                cell.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.RIGHT
    made.add_paragraph()  # else the next one stands on the table's edge


def _numbers(block: Table) -> list[bool]:
    """Return which columns hold numbers alone, below their header."""
    columns = zip(*block.rows, strict=True) if block.rows else [()] * len(block.header)
    return [all(_NUMBER.fullmatch(text) for text in column) for column in columns]


def _widths(block: Table) -> list[Emu]:
    """Return the width of each column: its longest word fits, and the rest is shared by need."""
    columns = [*zip(block.header, *block.rows, strict=True)]
    words = [
        max(len(word) for text in column for word in text.split() or [""]) for column in columns
    ]
    least = [longest + _EDGES for longest in words]
    needs = [
        max(0, min(max(map(len, column)), _LONGEST_LINE) - width) + 1
        for column, width in zip(columns, least, strict=True)
    ]
    spare = max(0, _LETTERS - sum(least))
    weights = [width + spare * need / sum(needs) for width, need in zip(least, needs, strict=True)]
    return [Emu(int(_LINE * weight / sum(weights))) for weight in weights]


def _repeat_on_each_page(row: _Row) -> None:
    """Repeat the header where a table goes over to the next page."""
    properties: Any = row._tr.get_or_add_trPr()
    properties.append(OxmlElement("w:tblHeader"))


def _clean(text: str) -> str:
    return _NOT_IN_XML.sub("\ufffd", text)
