"""What kind of file it is that Tandem does not read, for the error's text.

What it is comes first, then what to do.
"""

import re

_EXPORT = "export the records as RIS from where they are kept"

_BYTES: tuple[tuple[bytes, str], ...] = (
    (rb"\s*%PDF-", f"a PDF: {_EXPORT}"),
    (rb"PK\x03\x04(?s:.{0,4000})(?:xl/|worksheets)",
     "an Excel workbook without titles: name the column that has them `title`"),
    (rb"PK\x03\x04(?s:.{0,4000})word/", f"a Word document: {_EXPORT}"),
    (rb"PK\x03\x04(?s:.{0,4000})(?:\.enl|sdb\.eni)",
     "a packed EndNote library (.enlx): export it in EndNote as RIS or XML"),
    (rb"PK(?:\x03\x04|\x05\x06)", f"a zip archive that is damaged, or a document: {_EXPORT}"),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel or Word file: save it as CSV"),
    (rb"\x1f\x8b", "a gzip archive that is damaged: send it again, or unpacked"),
    (rb"BZh[1-9]|\xfd7zXZ\x00|7z\xbc\xaf\x27\x1c|Rar!\x1a\x07", "a packed archive: unpack it"),
    (rb"\x89PNG|\xff\xd8\xff|GIF8[79]a|II\*\x00|MM\x00\*|RIFF....WEBP",
     f"an image: {_EXPORT}"),
    (rb"SQLite format 3\x00",
     "a database, such as a library of EndNote (.enl) or Zotero: export it there as RIS"),
    (rb"\x7fELF|MZ\x90", f"a program: {_EXPORT}"),
)  # fmt: skip
_TEXTS: tuple[tuple[str, str], ...] = (
    (r"@[A-Za-z]+\s*[{(]", "BibTeX without an entry: export it again"),
    (r"<!doctype html|<html", f"a web page: {_EXPORT}, not the page that shows them"),
    (r"(?s:.{0,500})<rdf:RDF", "Zotero's or another RDF: export it as RIS or BibTeX"),
    (r"<\?xml|<(?:[a-z]+:)?[a-z]+(?:\s+xmlns|>\s*<)", "XML of another kind: export it as RIS"),
    (r"\{\\rtf", "a rich text document: save it as plain text"),
    (r"[\[{]\s*[\[{\"]", "JSON without records that have titles: export it as RIS"),
    (r"[0-9]{5}[a-z ]{3}[a-z0-9 ]{4}", "MARC whose separators are lost: export it again"),
    (
        r"[^\n]*([,;\t])[^\n]*\n[^\n]*\1",
        "a table without titles: name the column that has them `title`",
    ),
)
_PROSE = f"text without field tags: {_EXPORT}"
_BYTE_PATTERNS = [(re.compile(pattern), kind) for pattern, kind in _BYTES]
_TEXT_PATTERNS = [(re.compile(rf"\s*(?:{p})", re.I), kind) for p, kind in _TEXTS]

_SAMPLE = 8192
_CONTROL = bytes({*range(9), 11, *range(14, 32), 127})


def binary_kind(data: bytes) -> str | None:
    """Name what `data` is, to be put after "looks like", or None if it may be text."""
    for pattern, kind in _BYTE_PATTERNS:
        if pattern.match(data):
            return kind
    sample = data[:_SAMPLE]
    controls = len(sample) - len(sample.translate(None, _CONTROL))
    nuls = sample.count(0)
    # UTF-16 is about half NULs, all on one side of its pairs; a few stray ones are no harm.
    if nuls and max(sample[::2].count(0), sample[1::2].count(0)) > 0.9 * nuls:
        controls -= nuls
    return f"binary data: {_EXPORT}" if controls > 0.1 * len(sample) else None


def text_kind(text: str) -> str:
    """Name what `text` is, to be put after "looks like"."""
    beginning = text[:_SAMPLE]
    return next((kind for pattern, kind in _TEXT_PATTERNS if pattern.match(beginning)), _PROSE)
