"""RIS, as Zotero, EndNote and Covidence read it."""

import re
from collections.abc import Iterable, Iterator

from tandem.records.export.record import ExportedRecord, one_line
from tandem.records.export.tags import notes, tags
from tandem.records.formats import normalise
from tandem.records.formats.entry import Kind

_TYPES = {
    Kind.CONFERENCE: "CONF",
    Kind.PREPRINT: "UNPB",
    Kind.CHAPTER: "CHAP",
    Kind.BOOK: "BOOK",
    Kind.THESIS: "THES",
    Kind.REPORT: "RPRT",
    Kind.TRIAL: "GEN",
    Kind.OTHER: "GEN",
}
_RANGE = re.compile(r"([^\s\-–—]+)[-–—]([^\s\-–—]+)")


def write(records: Iterable[ExportedRecord]) -> Iterator[str]:
    """Yield each record as text; a value never reaches over its line."""
    for record in records:
        lines = [f"{tag}  - {line}" for tag, text in _fields(record) if (line := one_line(text))]
        yield "\r\n".join([*lines, "ER  - ", "", ""])


def _fields(record: ExportedRecord) -> Iterator[tuple[str, str]]:
    yield "TY", _type(record)
    yield "ID", record.id
    yield "TI", record.title
    yield from (("AU", name) for name in record.authors)
    yield "PY", str(record.year or "")
    yield "T2", record.journal or ""
    yield "VL", record.volume or ""
    yield "IS", record.issue or ""
    yield from _pages(record.pages or "")
    yield "DO", record.doi or ""
    if record.pmid:
        # As PubMed's own files for EndNote have it; no other tag for it is read anywhere.
        yield "AN", record.pmid
        yield "DB", "PubMed"
    yield "UR", record.url or ""
    yield "LA", record.language or ""
    yield "AB", record.abstract
    yield from (("KW", word) for word in (*record.keywords, *tags(record)))
    yield "LB", record.status
    yield "DP", "; ".join(record.source_names)
    yield from (("N1", note) for note in notes(record))


def _type(record: ExportedRecord) -> str:
    if record.kind is None:
        return "JOUR" if record.journal else "GEN"
    return _TYPES.get(record.kind, "JOUR")


def _pages(pages: str) -> list[tuple[str, str]]:
    if (found := _RANGE.fullmatch(pages)) and normalise.pages(*found.groups()) == pages:
        return [("SP", found[1]), ("EP", found[2])]
    return [("SP", pages)]
