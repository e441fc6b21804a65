"""The text of Word documents and of plain text files, which have no pages."""

import io
import zlib
from typing import Any
from zipfile import BadZipFile

from docx import Document
from docx.opc.exceptions import PackageNotFoundError
from docx.table import Table
from lxml.etree import LxmlError

from tandem.records.formats.encoding import to_text
from tandem.texts.reader.failing import Damaged, TooCostly
from tandem.texts.reader.pdf import MOST_CHARACTERS

_NO_DOCUMENT = (
    *(BadZipFile, PackageNotFoundError, LxmlError, zlib.error, EOFError, NotImplementedError),
    *(KeyError, ValueError, AttributeError, RuntimeError),
)
"""What the library and those below it raise at what is no Word document."""


def read_word(content: bytes) -> dict[str, Any]:
    """Return the paragraphs of a Word document, cells of tables too, each on a line.

    Raises:
        Damaged: It is no Word document.
        TooCostly: It has too many characters.
    """
    try:
        document = Document(io.BytesIO(content))
        lines = []
        for part in document.iter_inner_content():
            lines += _cells(part) if isinstance(part, Table) else [part.text]
        title = document.core_properties.title
    except _NO_DOCUMENT as error:
        raise Damaged(str(error)) from None
    return _read("\n".join(lines), title)


def _cells(table: Table) -> list[str]:
    return ["\t".join(cell.text for cell in row.cells) for row in table.rows]


def read_plain(content: bytes) -> dict[str, Any]:
    """Return a text file, whatever encoding it is in.

    Raises:
        TooCostly: It has too many characters.
    """
    return _read(to_text(content), "")


def _read(text: str, title: str) -> dict[str, Any]:
    text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    text = "".join(c for c in text if c in "\n\t" or c.isprintable() or c.isspace())
    text = text.encode("utf-8", "replace").decode()
    if len(text) > MOST_CHARACTERS:
        raise TooCostly
    return {"pages": None, "page_starts": [0], "text": text, "title": title, "dois": []}
