"""What PDFium says of a PDF: its text, a page's picture, where characters stand on a page.

A position is the index of a code point in the plain text of the file. Each character that PDFium
has is one code point there, or nothing; so a position leads back to a place on the page.
"""

import ctypes
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pypdfium2
from pypdfium2 import raw

from tandem.texts.reader.failing import Damaged, Encrypted, TooCostly

MOST_PAGES = 2000
MOST_CHARACTERS = 5_000_000
LARGEST_PICTURE = 16_000_000
"""Pixels: four bytes each are held, some of them twice."""

_WRONG_PASSWORD = 4
_DEVICE = 100_000
"""Sides of the square to which a page is mapped, for boxes as shares of its width and height."""

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_LINE_HYPHENS = {0x02: "-", 0xFFFE: "-"}
"""What PDFium writes for the hyphen that breaks a word at the end of a line."""

_DOI_KEYS = ("doi", "DOI", "WPS-ARTICLEDOI", "Identifier")
_XMP_DOI = re.compile(
    rb"(?:prism:doi|pdfx:doi|crossmark:DOI|dc:identifier)(?:>|=[\"'])\s*(?:doi:)?"
    rb"(10\.[0-9]{4,9}/[^<>\s\"']{1,300})",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Page:
    """The text of a page; `characters` are PDFium's indices of its code points."""

    text: str
    characters: Sequence[int]


@contextmanager
def opened(content: bytes) -> Iterator[Any]:
    """Open a PDF.

    Raises:
        Encrypted: It asks for a password.
        Damaged: PDFium cannot read it.
    """
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        if error.err_code == _WRONG_PASSWORD:
            raise Encrypted from None
        raise Damaged(str(error)) from None
    try:
        yield document
    finally:
        document.close()


def read(content: bytes) -> dict[str, Any]:
    """Return the text, where each page begins in it, and the title and DOI of the metadata.

    Raises:
        Encrypted, Damaged: It cannot be opened.
        TooCostly: It has too many pages or characters.
    """
    with opened(content) as document:
        n_pages = len(document)
        if n_pages == 0:
            raise Damaged("no page")
        if n_pages > MOST_PAGES:
            raise TooCostly
        texts: list[str] = []
        starts: list[int] = []
        length = 0
        for number in range(n_pages):
            starts.append(length)
            text = _text_of(document, number)
            texts.append(text)
            length += len(text) + 1
            if length > MOST_CHARACTERS:
                raise TooCostly
        return {
            "pages": n_pages,
            "page_starts": starts,
            "text": "\n".join(texts),
            "title": _metadata(document, "Title"),
            "dois": _dois(document, content),
        }


def picture(content: bytes, number: int, width: int) -> bytes:
    """Return a page as PNG, `width` pixels wide unless it is very long.

    Raises:
        Encrypted, Damaged: It cannot be opened, or there is no such page.
    """
    with opened(content) as document:
        page = _page(document, number)
        across, down = page.get_size()
        if not (across > 0 and down > 0):
            raise Damaged("a page without a size")
        scale = width / across
        scale = min(scale, (LARGEST_PICTURE / (across * down)) ** 0.5)
        image = page.render(scale=scale, may_draw_forms=False).to_pil()
        made = io.BytesIO()
        image.save(made, "PNG", compress_level=3)
        return made.getvalue()


def boxes(content: bytes, spans: Sequence[tuple[int, int, int]]) -> list[list[list[float]]]:
    """Return for each span the boxes it fills on its page, one for each line.

    Args:
        content: The file.
        spans: Of each the page from 0, and the positions in that page's text where it begins and
            ends.

    Returns:
        Of each box left, top, width and height as shares of the page as it is shown.
    """
    found: dict[int, list[list[list[float]]]] = {}
    with opened(content) as document:
        for number in sorted({page for page, _, _ in spans}):
            page = _page(document, number)
            text_page = page.get_textpage()
            read_page = _characters(text_page)
            found[number] = [
                _boxes(page, text_page, read_page.characters[start:end])
                for of, start, end in spans
                if of == number
            ]
    return [found[page].pop(0) for page, _, _ in spans]


def _boxes(page: Any, text_page: Any, characters: Sequence[int]) -> list[list[float]]:
    if not characters:
        return []
    first, n = characters[0], characters[-1] - characters[0] + 1
    made = []
    for index in range(max(0, raw.FPDFText_CountRects(text_page, first, n))):
        left, bottom, right, top = text_page.get_rect(index)
        corners = [_on_page(page, x, y) for x, y in ((left, bottom), (right, top))]
        (x0, x1), (y0, y1) = (sorted(side) for side in zip(*corners, strict=True))
        made.append([round(value, 5) for value in (x0, y0, x1 - x0, y1 - y0)])
    return made


def _on_page(page: Any, x: float, y: float) -> tuple[float, float]:
    across, down = ctypes.c_int(), ctypes.c_int()
    raw.FPDF_PageToDevice(page, 0, 0, _DEVICE, _DEVICE, 0, x, y, across, down)
    return across.value / _DEVICE, down.value / _DEVICE


def _page(document: Any, number: int) -> Any:
    try:
        return document[number]
    except (pypdfium2.PdfiumError, IndexError) as error:
        raise Damaged(f"page {number + 1}: {error}") from None


def _text_of(document: Any, number: int) -> str:
    """Return a page's text; nothing of a page that is damaged, as other pages may be whole."""
    try:
        page = document[number]
    except pypdfium2.PdfiumError:
        return ""
    try:
        text_page = page.get_textpage()
        try:
            return _characters(text_page).text
        finally:
            text_page.close()
    except pypdfium2.PdfiumError:
        return ""
    finally:
        page.close()


def _characters(text_page: Any) -> Page:
    """Read character by character, so that each code point has its index.

    Line ends become LF, NUL and other control characters are left out.
    """
    text: list[str] = []
    indices: list[int] = []
    n_characters = text_page.count_chars()
    if n_characters > MOST_CHARACTERS:
        raise TooCostly
    unicode_of, handle, high = raw.FPDFText_GetUnicode, text_page.raw, 0
    for index in range(n_characters):
        code = unicode_of(handle, index)
        if 0xD800 <= code < 0xDC00:
            high = code
            continue
        if 0xDC00 <= code < 0xE000:
            code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00) if high else 0xFFFD
        high = 0
        if code < 32 or 0x7F <= code < 0xA0 or code == 0xFFFE:
            character = "\n" if code == 10 else _LINE_HYPHENS.get(code, " " if code == 9 else "")
        else:
            character = chr(code) if code < 0x110000 else _REPLACEMENT
        if character:
            text.append(character)
            indices.append(index)
    return Page("".join(text), indices)


def _metadata(document: Any, key: str) -> str:
    """Return an entry of the metadata; nothing where it is no text."""
    try:
        value: str = document.get_metadata_value(key)
    except UnicodeDecodeError:
        return ""
    return value


def _dois(document: Any, content: bytes) -> list[str]:
    named = [_metadata(document, key) for key in _DOI_KEYS]
    subject = _metadata(document, "Subject")
    in_subject = re.findall(r"10\.[0-9]{4,9}/\S{1,300}", subject[:2000])
    in_xmp = [found.decode("utf-8", "replace") for found in _XMP_DOI.findall(content)[:20]]
    return list(dict.fromkeys(filter(None, [*named, *in_subject, *in_xmp])))[:20]
