"""Writes the full texts of the replay: small PDFs of text alone, each marked as synthetic."""

import io
import textwrap
import zipfile
from collections.abc import Mapping, Sequence

from tandem.demo.corpus import Record

NOTICE = "SYNTHETIC: made up for a demonstration of Tandem. This is no publication."
_WIDTH, _LINES = 88, 50
_HEAD = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
_FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"


def paper(
    record: Record, *, title: str | None = None, doi: str | None = None, with_doi: bool = True
) -> bytes:
    """Return a PDF of a record: its title, DOI and abstract.

    Args:
        record: Of the corpus.
        title: In place of its own.
        doi: In place of its own.
        with_doi: Whether it shows one at all.
    """
    doi = (doi or record.doi) if with_doi else None
    parts = [
        NOTICE,
        title or record.title,
        "; ".join(record.authors),
        f"{record.journal} {record.year};{record.volume}({record.issue}):{record.pages}",
        f"doi: {doi}" if doi else "",
        *(f"{label}: {text}" if label else text for label, text in record.sections),
    ]
    lines = [line for part in parts if part for line in (*textwrap.wrap(part, _WIDTH), "")]
    return pdf([lines[i : i + _LINES] for i in range(0, len(lines), _LINES)])


def smudged(title: str) -> str:
    """Return a title as a bad scan has it: about one letter in thirty is another one."""
    return "".join(
        "x" if i % 30 == 11 and letter.isalpha() else letter for i, letter in enumerate(title)
    )


def pdf(pages: Sequence[Sequence[str]]) -> bytes:
    """Return a PDF with these lines on each page; what its font has not becomes `?`."""
    kids = b" ".join(b"%d 0 R" % (4 + 2 * n) for n in range(len(pages)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%s]/Count %d/MediaBox[0 0 595 842]>>" % (kids, len(pages)),
        _FONT,
    ]
    for n, lines in enumerate(pages):
        shown = b"\n".join(
            [b"BT /F1 11 Tf 50 780 Td 14 TL", *(b"(%s) Tj T*" % _escaped(x) for x in lines), b"ET"]
        )
        objects += [
            b"<</Type/Page/Parent 2 0 R/Resources<</Font<</F1 3 0 R>>>>/Contents %d 0 R>>"
            % (5 + 2 * n),
            b"<</Length %d>>\nstream\n%s\nendstream" % (len(shown), shown),
        ]
    return assembled(objects)


def assembled(objects: Sequence[bytes], trailer: bytes = b"") -> bytes:
    """Return a PDF file of these objects, numbered from 1; the first is its catalogue."""
    out, places = bytearray(_HEAD), []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<</Size %d/Root 1 0 R%s>>\n" % (len(objects) + 1, trailer)
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % table)


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return a zip of files, by their names in it."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def _escaped(line: str) -> bytes:
    raw = line.encode("cp1252", errors="replace").replace(b"\\", b"\\\\")
    return raw.replace(b"(", b"\\(").replace(b")", b"\\)")
