"""Records to export, and what an import is expected to make of them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tandem.records.export.names import ExportFormat
from tandem.records.export.record import ExportedRecord, Judged, Source
from tandem.records.export.writing import write_records
from tandem.records.formats import reading
from tandem.records.formats.assembly import Parts, assemble
from tandem.records.formats.entry import Entry, Kind

NOON = datetime(2027, 1, 2, 12, 0, tzinfo=UTC)

BARE = ExportedRecord(
    id="1",
    title="What peer workers say",
    abstract="",
    authors=(),
    year=None,
    journal=None,
    volume=None,
    issue=None,
    pages=None,
    doi=None,
    pmid=None,
    url=None,
    keywords=(),
    language=None,
    registry_ids=(),
    kind=None,
    sources=(),
    duplicate_of=None,
    stage="title_abstract",
    status="unscreened",
    judged=(),
)

ANN = Judged(
    "Ann Lee", "exclude", NOON, ("wrong population", "no data; none"), ("later",), "See\nfig. 2."
)
BEN = Judged("Ben Ray", "include", NOON)
JUDGE = Judged("Zoë", "exclude", NOON, ("wrong population",), is_resolution=True)

FULL = replace(
    BARE,
    id="17",
    title="Peer support: who does what, & why?",
    abstract="Background: 50% of workers {and others} say_so. Methods: we asked #21 for $5.",
    authors=("Lee, Ann", "World Health Organization, Regional Importer", "Smith and Jones Group"),
    year=2012,
    journal="Community Mental Health Journal",
    volume="48",
    issue="1-2",
    pages="25-40",
    doi="10.1007/s10597_011",
    pmid="21452057",
    url="https://example.org/a_b?c=d&e=%7Ef#g~h",
    keywords=("peer support", "health, mental", "50%"),
    language="English",
    kind=Kind.ARTICLE,
    sources=(Source("Medline", "21452057"), Source("Embase")),
    status="excluded",
    judged=(ANN, BEN, JUDGE),
)

TEXT_FORMATS: tuple[ExportFormat, ...] = ("ris", "bibtex", "csv", "csl_json", "jsonl")
FORMATS: tuple[ExportFormat, ...] = (*TEXT_FORMATS, "xlsx")

_KEPT = (
    *("title", "abstract", "authors", "year", "journal", "volume", "issue", "pages", "doi"),
    *("pmid", "url", "keywords", "language", "registry_ids"),
)


def written(format: ExportFormat, *records: ExportedRecord) -> bytes:
    return b"".join(write_records(format, records))


def read_back(data: bytes, format: ExportFormat) -> list[dict[str, Any]]:
    """Return what an import makes of the file: the fields that are to come back."""
    found = list(reading.read(data).entries)
    assert all(isinstance(entry, Entry) for entry in found), found
    return [{name: getattr(entry, name) for name in _KEPT} for entry in found]


def expected(record: ExportedRecord) -> dict[str, Any]:
    """Return the fields as any import has them: what differs from the record was never one."""
    entry = assemble(
        1,
        "",
        Parts(
            titles=[record.title],
            abstracts=[record.abstract],
            authors=record.authors,
            dates=[str(record.year or "")],
            journals=[record.journal or ""],
            volume=record.volume or "",
            issue=record.issue or "",
            pages=(record.pages or "", ""),
            dois=[record.doi or ""],
            pmids=[record.pmid or ""],
            urls=[record.url or ""],
            keywords=record.keywords,
            language=record.language or "",
            registered=record.registry_ids,
        ),
    )
    assert isinstance(entry, Entry)
    return {name: getattr(entry, name) for name in _KEPT}
