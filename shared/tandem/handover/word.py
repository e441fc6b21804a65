"""A document as DOCX, in the styles of the template that python-docx brings."""

import io
import re
import zipfile

import docx
import docx.document

from tandem.handover.archive import Entry, zipped
from tandem.handover.document import Block, Bullets, Document, Heading, Paragraph, Table, ToAdd

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
    for cell, text in zip(table.rows[0].cells, block.header, strict=True):
        cell.paragraphs[0].add_run(_clean(text)).bold = True
    for row in block.rows:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = _clean(text)


def _clean(text: str) -> str:
    return _NOT_IN_XML.sub("\ufffd", text)
