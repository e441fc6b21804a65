"""From the bytes of an uploaded file to its records, whatever tool wrote it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Literal

from tandem.errors import TandemError
from tandem.records.formats import (
    archive,
    bibtex,
    csl_json,
    ebsco_xml,
    endnote_xml,
    json_records,
    labelled,
    marc,
    marcxml,
    mods,
    nbib,
    normalise,
    ovid,
    pubmed_xml,
    refer,
    refworks,
    ris,
    solr_json,
    staff_view,
    tabular,
    wos,
    xlsx,
)
from tandem.records.formats.encoding import to_text
from tandem.records.formats.entry import Entry, Rejection
from tandem.records.formats.signature import binary_kind, text_kind

Format = Literal[
    "ris", "nbib", "enw", "wos", "ovid", "refworks", "labelled", "pubmed_xml", "endnote_xml",
    "ebsco_xml", "marcxml", "mods", "vufind", "marc", "bibtex", "csl_json", "solr_json", "json",
    "csv", "xlsx", "zip",
]  # fmt: skip
"""`csv` is any table with a header row, also one with semicolons or tabs; `json` are records of
DOAJ, OpenAlex, Europe PMC and others; `zip` is an archive of files in any of the formats."""

_LONGEST_BEGINNING = 60

_END_OF_KIND = ". "
"""Behind what the file is; then comes what was looked for."""


class UnknownFormat(TandemError):
    """The file is in none of the formats read here, or not in the one it was said to be."""

    code = "unknown_format"


class EmptyFile(TandemError):
    """There is nothing in the file, or white space only."""

    code = "empty_file"


@dataclass(frozen=True, slots=True)
class Reading:
    """A file about to be read. `entries` can be gone through once; it yields `total` items."""

    format: Format
    total: int
    entries: Iterator[Entry | Rejection]


class _File:
    """An uploaded file, as bytes, and as text for those who read text."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    @cached_property
    def text(self) -> str:
        return decode(self.data)

    @cached_property
    def sheet(self) -> str | None:
        """The table of an Excel workbook as CSV, None if it is none or has none."""
        return xlsx.table(self.data)


@dataclass(frozen=True, slots=True)
class _Reader:
    """What a module of a format offers: `begins`, `count` and `read`.

    `begins` tells where the first sign of the format stands, or None; `count` how many items
    `read` yields, without parsing them; `read` yields records one at a time, one that cannot
    be read as its rejection, and never raises.
    """

    sign: str
    begins: Callable[[_File], int | None]
    count: Callable[[_File], int]
    read: Callable[[_File], Iterator[Entry | Rejection]]


def _of_text(sign: str, module: ModuleType) -> _Reader:
    return _Reader(
        sign,
        lambda file: module.begins(file.text),
        lambda file: module.count(file.text),
        lambda file: module.read(file.text),
    )


def _of_bytes(sign: str, module: ModuleType) -> _Reader:
    return _Reader(
        sign,
        lambda file: module.begins(file.data),
        lambda file: module.count(file.data),
        lambda file: module.read(file.data),
    )


def _of_sheet(sign: str) -> _Reader:
    return _Reader(
        sign,
        lambda file: tabular.begins(file.sheet or ""),
        lambda file: tabular.count(file.sheet or ""),
        lambda file: tabular.read(file.sheet or ""),
    )


def _of_archive(sign: str) -> _Reader:
    return _Reader(
        sign,
        lambda file: archive.begins(file.data),
        lambda file: archive.count(file.data, _read_member),
        lambda file: archive.read(file.data, _read_member),
    )


def _read_member(data: bytes) -> Reading:
    if archive.begins(data) is not None or archive.is_gzip(data):
        raise UnknownFormat("an archive within the archive; send it by itself")
    try:
        return read(data)
    except UnknownFormat as error:
        # What was looked for is too long to be said of every file.
        told = str(error).partition(_END_OF_KIND)[0].removeprefix("This file ")
        raise UnknownFormat(f"no records: it {told}.") from error


# Formats of bytes are looked for first: what is none of them is decoded.
_BINARY: dict[Format, _Reader] = {
    "xlsx": _of_sheet("an Excel workbook (`.xlsx`)"),
    "zip": _of_archive("a zip archive"),
    "marc": _of_bytes("MARC 21 (its form of exchange, `.mrc`)", marc),
}

_TEXT: dict[Format, _Reader] = {
    "ris": _of_text("RIS (lines such as `TY  - JOUR`)", ris),
    "nbib": _of_text("MEDLINE (lines such as `PMID- 1`)", nbib),
    "enw": _of_text("EndNote's refer (lines such as `%0 Journal Article`)", refer),
    "wos": _of_text("Web of Science (lines such as `PT J`)", wos),
    "ovid": _of_text("Ovid (records under `<1>`)", ovid),
    "refworks": _of_text("RefWorks (lines such as `RT Journal Article`)", refworks),
    "labelled": _of_text("Cochrane's, Embase's or ProQuest's text (`Record #1 of 2`)", labelled),
    "pubmed_xml": _of_text("PubMed XML (elements such as `<PubmedArticle>`)", pubmed_xml),
    "endnote_xml": _of_text("EndNote XML (`<record>` with `<ref-type>`)", endnote_xml),
    "ebsco_xml": _of_text("EBSCO's XML (`<rec>` with `<controlInfo>`)", ebsco_xml),
    "marcxml": _of_text("MARCXML (`<record>` with `<datafield>`)", marcxml),
    "mods": _of_text("MODS (elements such as `<mods>`)", mods),
    "vufind": _of_text("VuFind's staff view (lines such as `title_full Title`)", staff_view),
    "bibtex": _of_text("BibTeX (entries such as `@article{key,`)", bibtex),
    "csl_json": _of_text("CSL-JSON", csl_json),
    "solr_json": _of_text("JSON of a VuFind catalogue", solr_json),
    "json": _of_text("JSON of records with titles, such as DOAJ's", json_records),
    "csv": _of_text("CSV (a header row with a title column)", tabular),
}

_READERS = _TEXT | _BINARY


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
    elif format in _TEXT and not file.text.strip():
        raise EmptyFile("The file is empty.")
    elif _READERS[format].begins(file) is None:
        raise _unknown(file, _READERS[format].sign)
    reader = _READERS[format]
    return Reading(format=format, total=reader.count(file), entries=reader.read(file))


def decode(data: bytes) -> str:
    r"""Return the text of a file, with `\n` line ends, whatever encoding it is in.

    Raises:
        EmptyFile: There is nothing in it.
        UnknownFormat: It is not text, but a PDF, an archive, an image or the like.
    """
    if not data.strip():
        raise EmptyFile("The file is empty.")
    if kind := binary_kind(data):
        raise UnknownFormat(f"This file looks like {kind}{_END_OF_KIND}{_looked_for()}.")
    return to_text(data)


def _sniff(file: _File) -> Format:
    """Return the format whose first sign stands first in the file; names tell nothing."""
    for format, reader in _BINARY.items():
        if reader.begins(file) is not None:
            return format
    if not file.text.strip():
        raise EmptyFile("The file is empty.")
    signs: dict[Format, int] = {}
    for format, reader in _TEXT.items():
        if (at := reader.begins(file)) is not None:
            signs[format] = at
    if not signs:
        raise _unknown(file)
    return min(signs, key=lambda format: signs[format])


def _unknown(file: _File, sign: str | None = None) -> UnknownFormat:
    kind, text = _kind_of(file, is_said=sign is not None), file.text.strip()
    beginning = normalise.clean(text[: 10 * _LONGEST_BEGINNING])[:_LONGEST_BEGINNING]
    said = f"This file looks like {kind}; it begins with {beginning!r}"
    return UnknownFormat(f"{said}{_END_OF_KIND}{_looked_for(sign)}.")


def _kind_of(file: _File, *, is_said: bool) -> str:
    """Name what a file looks like that is not what it was said to be, or nothing that is read."""
    if is_said:
        for reader in _READERS.values():
            if reader.begins(file) is not None:
                return f"{reader.sign}: leave `format` out"
    return text_kind(file.text)


def _looked_for(sign: str | None = None) -> str:
    if sign:
        return f"Found no {sign}"
    *others, last = (reader.sign for reader in _READERS.values())
    return f"Found neither {', '.join(others)} nor {last}"
