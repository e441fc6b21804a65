"""What kind of file something is that is not read here, so that people can be told."""

import re

_BYTES: tuple[tuple[bytes, str], ...] = (
    (rb"\s*%PDF-", "a PDF"),
    (rb"PK\x03\x04(?s:.{0,4000})(?:xl/|worksheets)", "an Excel workbook without titles"),
    (rb"PK\x03\x04(?s:.{0,4000})word/", "a Word document"),
    (rb"PK(?:\x03\x04|\x05\x06)", "a zip archive that is damaged, or a document"),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel or Word file: save it as CSV"),
    (rb"\x1f\x8b", "a gzip archive that is damaged"),
    (rb"BZh[1-9]|\xfd7zXZ\x00|7z\xbc\xaf\x27\x1c|Rar!\x1a\x07", "a packed archive: unpack it"),
    (rb"\x89PNG|\xff\xd8\xff|GIF8[79]a|II\*\x00|MM\x00\*|RIFF....WEBP", "an image"),
    (rb"SQLite format 3\x00", "a SQLite database"),
    (rb"\x7fELF|MZ\x90", "a program"),
)
_TEXTS: tuple[tuple[str, str], ...] = (
    (r"@[A-Za-z]+\s*[{(]", "BibTeX without an entry"),
    (r"<!doctype html|<html", "a web page"),
    (r"<\?xml|<(?:[a-z]+:)?[a-z]+(?:\s+xmlns|>\s*<)", "XML of another kind: export it as RIS"),
    (r"\{\\rtf", "a rich text document: save it as plain text"),
    (r"[\[{]\s*[\[{\"]", "JSON without records that have titles: export it as RIS"),
    (r"[0-9]{5}[a-z ]{3}[a-z0-9 ]{4}", "MARC whose separators are lost: export it again"),
)
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
    return "binary data" if controls > 0.1 * len(sample) else None


def text_kind(text: str) -> str | None:
    """Name the other format that `text` is in, to be put after "looks like", if it is known."""
    beginning = text[:_SAMPLE]
    return next((kind for pattern, kind in _TEXT_PATTERNS if pattern.match(beginning)), None)
