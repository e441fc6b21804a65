"""From the bytes of an uploaded file to its records, whatever tool wrote it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, count
from typing import Any, Literal

from tandem.errors import TandemError
from tandem.records.formats import archive, normalise
from tandem.records.formats.assembly import reject
from tandem.records.formats.bibtex import entries as bibtex
from tandem.records.formats.encoding import to_text
from tandem.records.formats.entry import Entry, Rejection
from tandem.records.formats.json.csl import CSL_JSON
from tandem.records.formats.json.records import JSON
from tandem.records.formats.marc import exchange as marc
from tandem.records.formats.marc.fields import MARC_JSON, MARCXML
from tandem.records.formats.pieces import Cut, Reader, opened
from tandem.records.formats.signature import binary_kind, text_kind
from tandem.records.formats.table import rows as tabular
from tandem.records.formats.table import workbook as xlsx
from tandem.records.formats.tagged.labelled import LABELLED
from tandem.records.formats.tagged.nbib import NBIB
from tandem.records.formats.tagged.noteexpress import NOTEEXPRESS
from tandem.records.formats.tagged.ovid import OVID
from tandem.records.formats.tagged.pubmed_text import PUBMED_TEXT
from tandem.records.formats.tagged.refer import REFER
from tandem.records.formats.tagged.refworks import REFWORKS
from tandem.records.formats.tagged.ris import RIS
from tandem.records.formats.tagged.wos import WOS
from tandem.records.formats.vufind import staff_view
from tandem.records.formats.vufind.fields import SOLR_JSON
from tandem.records.formats.xml.ebsco import EBSCO_XML
from tandem.records.formats.xml.endnote import ENDNOTE_XML
from tandem.records.formats.xml.ictrp import ICTRP_XML
from tandem.records.formats.xml.jats import JATS_XML
from tandem.records.formats.xml.mods import MODS
from tandem.records.formats.xml.pubmed import PUBMED_XML

Format = Literal[
    "ris", "nbib", "enw", "wos", "ovid", "refworks", "labelled", "pubmed_xml", "endnote_xml",
    "ebsco_xml", "marcxml", "mods", "vufind", "marc", "bibtex", "csl_json", "solr_json", "json",
    "csv", "xlsx", "zip", "noteexpress", "pubmed_text", "ictrp_xml", "jats_xml", "marc_json",
]  # fmt: skip
"""`csv` is any table with a header row, also one with semicolons or tabs; `json` are records of
DOAJ, OpenAlex, Europe PMC and others; `zip` is an archive of files in any of the formats."""

_SEARCHED_FIRST = 1_000_000
_LONGEST_BEGINNING = 60


class UnknownFormat(TandemError):
    """The file is in none of the formats read here, or not in the one it was said to be."""

    code = "unknown_format"


class EmptyFile(TandemError):
    """There is nothing in the file, or white space only."""

    code = "empty_file"


@dataclass(frozen=True, slots=True)
class Reading:
    """A file about to be read. `entries` can be gone through once; it yields `total` items.

    `cut` tells what every piece of the file is; an archive has none, its files have.
    """

    format: Format
    total: int
    entries: Iterator[Entry | Rejection]
    cut: Cut[Any] | None = None


class _File:
    """An uploaded file, as bytes, and as text for those who read text."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    @cached_property
    def text(self) -> str:
        return decode(self.data)

    @cached_property
    def sheets(self) -> xlsx.Tables:
        """What is in an Excel workbook."""
        return xlsx.tables(self.data)


@dataclass(frozen=True, slots=True)
class _Reader:
    """A format: its sign in words, who reads it, and what of a file it reads."""

    sign: str
    of: Reader[Any]
    view: Callable[[_File], Any] = lambda file: file.text

    def begins(self, file: _File) -> int | None:
        """Return where the first sign of the format stands, or None."""
        return self.of.begins(self.view(file))


def _read_member(data: bytes) -> Reading:
    if archive.begins(data) is not None or archive.is_gzip(data):
        raise UnknownFormat("an archive within the archive; send it by itself")
    try:
        return read(data)
    except UnknownFormat as error:
        reason = str(error).removeprefix("This file ")
        raise UnknownFormat(f"no records: it {reason}") from error


# Formats of bytes are looked for first: what is none of them is decoded.
_BINARY: dict[Format, _Reader] = {
    "xlsx": _Reader("an Excel workbook (`.xlsx`)", tabular, lambda file: file.sheets.text),
    "marc": _Reader("MARC 21 (its form of exchange, `.mrc`)", marc, lambda file: file.data),
}

_TEXT: dict[Format, _Reader] = {
    "ris": _Reader("RIS (lines such as `TY  - JOUR`)", RIS),
    "nbib": _Reader("MEDLINE (lines such as `PMID- 1`)", NBIB),
    "enw": _Reader("EndNote's refer (lines such as `%0 Journal Article`)", REFER),
    "wos": _Reader("Web of Science (lines such as `PT J`)", WOS),
    "ovid": _Reader("Ovid (records under `<1>`)", OVID),
    "refworks": _Reader("RefWorks (lines such as `RT Journal Article`)", REFWORKS),
    "labelled": _Reader("Cochrane's, Embase's or ProQuest's text (`Record #1 of 2`)", LABELLED),
    "pubmed_xml": _Reader("PubMed XML (elements such as `<PubmedArticle>`)", PUBMED_XML),
    "endnote_xml": _Reader("EndNote XML (`<record>` with `<ref-type>`)", ENDNOTE_XML),
    "ebsco_xml": _Reader("EBSCO's XML (`<rec>` with `<controlInfo>`)", EBSCO_XML),
    "noteexpress": _Reader("NoteExpress (lines such as `{Title}: Sleep`)", NOTEEXPRESS),
    "pubmed_text": _Reader('PubMed\'s "Abstract (text)"', PUBMED_TEXT),
    "ictrp_xml": _Reader("ICTRP's XML (elements such as `<Trial>`)", ICTRP_XML),
    "jats_xml": _Reader("JATS XML (`<article>` with `<front>`)", JATS_XML),
    "marc_json": _Reader("MARC in JSON (objects with `leader` and `fields`)", MARC_JSON),
    "marcxml": _Reader("MARCXML (`<record>` with `<datafield>`)", MARCXML),
    "mods": _Reader("MODS (elements such as `<mods>`)", MODS),
    "vufind": _Reader("VuFind's staff view (lines such as `title_full Title`)", staff_view),
    "bibtex": _Reader("BibTeX (entries such as `@article{key,`)", bibtex),
    "csl_json": _Reader("CSL-JSON", CSL_JSON),
    "solr_json": _Reader("JSON of a VuFind catalogue", SOLR_JSON),
    "json": _Reader("JSON of records with titles, such as DOAJ's", JSON),
    "csv": _Reader("CSV (a header row with a title column)", tabular),
}

READERS = _TEXT | _BINARY
_SIGNS = {
    **{format: reader.sign for format, reader in READERS.items()},
    "zip": "a zip archive",
}


def read(data: bytes, format: Format | None = None) -> Reading:
    """Prepare to read a file; its records are parsed one at a time as they are asked for.

    Args:
        data: The file as it was sent, perhaps packed by gzip.
        format: What the sender says it is; None to tell from the content.

    Raises:
        EmptyFile: There is nothing in it.
        UnknownFormat: It is not in `format`, or in none of the formats read here.
        UnreadableArchive: It is a damaged archive, or unpacks to more than is read.
        UnreadableWorkbook: It is an Excel workbook that is damaged, locked or too large.
    """
    if archive.is_gzip(data):
        data = archive.unpacked(data)
    file = _File(data)
    if format is None:
        format = _sniff(file)
    elif format in _TEXT and _is_blank(file.text):
        raise EmptyFile("The file is empty.")
    elif _begins(format, file) is None:
        raise _unknown(file, _SIGNS[format])
    if format == "zip":
        total = archive.count(data, _read_member)
        return Reading(format, total, archive.read(data, _read_member))
    reader = READERS[format]
    opened_ = opened(reader.of, reader.view(file))
    total, entries = opened_.cut.total, opened_.entries()
    if format == "xlsx" and (others := file.sheets.others):
        entries = chain(entries, map(reject, count(total + 1), *zip(*others, strict=True)))
        total += len(others)
    return Reading(format, total, entries, opened_.cut)


def _begins(format: Format, file: _File) -> int | None:
    return archive.begins(file.data) if format == "zip" else READERS[format].begins(file)


def decode(data: bytes) -> str:
    r"""Return the text of a file, with `\n` line ends, whatever encoding it is in.

    Raises:
        EmptyFile: There is nothing in it.
        UnknownFormat: It is not text, but a PDF, an archive, an image or the like.
    """
    if _is_blank(data):
        raise EmptyFile("The file is empty.")
    if kind := archive.project(data) or binary_kind(data):
        raise UnknownFormat(f"This file looks like {kind}.")
    return to_text(data)


def _is_blank(data: bytes | str) -> bool:
    """Whether there is nothing but white space. Stripped, a large file would be there twice."""
    return not data or data.isspace()


def _sniff(file: _File) -> Format:
    """Return the format whose first sign stands first in the file; names tell nothing."""
    for format in ("xlsx", "zip", "marc"):
        if _begins(format, file) is not None:
            return format
    if _is_blank(file.text):
        raise EmptyFile("The file is empty.")
    # A sign in the beginning is the first; only where there is none all of a long file is searched.
    beginning = file.text[:_SEARCHED_FIRST]
    texts = [file.text] if beginning.lstrip()[:1] in {"", *"[{<"} else [beginning, file.text]
    for text in texts:
        begun = {format: reader.of.begins(text) for format, reader in _TEXT.items()}
        signs: dict[Format, int] = {f: at for f, at in begun.items() if at is not None}
        if signs:
            return min(signs, key=lambda format: signs[format])
    raise _unknown(file)


def _unknown(file: _File, sign: str | None = None) -> UnknownFormat:
    kind, text = _kind_of(file, is_said=sign is not None), file.text.strip()
    beginning = normalise.clean(text[: 10 * _LONGEST_BEGINNING])[:_LONGEST_BEGINNING]
    said = f"This file looks like {kind}; it begins with {beginning!r}"
    return UnknownFormat(f"{said}. Found no {sign}." if sign else f"{said}.")


def _kind_of(file: _File, *, is_said: bool) -> str:
    """Name what a file looks like that is not what it was said to be, or nothing that is read."""
    if is_said:
        for reader in READERS.values():
            if reader.begins(file) is not None:
                return f"{reader.sign}: leave `format` out"
    return text_kind(file.text)
