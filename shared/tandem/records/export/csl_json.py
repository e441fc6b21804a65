"""CSL-JSON, as Zotero and pandoc read it; the review's own part under `custom`."""

from collections.abc import Iterable, Iterator
from typing import Any

from tandem.records.export.jsonl import as_json, screening
from tandem.records.export.record import ExportedRecord, one_line
from tandem.records.export.tags import notes, tags
from tandem.records.formats import normalise
from tandem.records.formats.entry import Kind

_TYPES = {
    Kind.CONFERENCE: "paper-conference",
    Kind.PREPRINT: "article",
    Kind.CHAPTER: "chapter",
    Kind.BOOK: "book",
    Kind.THESIS: "thesis",
    Kind.REPORT: "report",
    Kind.TRIAL: "document",
    Kind.OTHER: "document",
}


def write(records: Iterable[ExportedRecord]) -> Iterator[str]:
    """Yield the parts of one JSON array."""
    before = "[\n"
    for record in records:
        yield before + as_json(_item(record))
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _item(record: ExportedRecord) -> dict[str, Any]:
    item = {
        "id": record.id,
        "type": _type(record),
        "title": record.title,
        "author": [_name(name) for name in record.authors],
        "issued": {"date-parts": [[record.year]]} if record.year else None,
        "container-title": record.journal,
        "volume": record.volume,
        "issue": record.issue,
        "page": record.pages,
        "DOI": record.doi,
        "PMID": record.pmid,
        "URL": record.url,
        "abstract": record.abstract,
        "keyword": _keywords(record),
        "language": record.language,
        "source": "; ".join(record.source_names),
        "note": "\n".join([*tags(record), *notes(record)]),
    }
    return {name: value for name, value in item.items() if value} | {
        "custom": {"tandem": screening(record)}
    }


def _type(record: ExportedRecord) -> str:
    if record.kind is None:
        return "article-journal" if record.journal else "document"
    return _TYPES.get(record.kind, "article-journal")


def _name(name: str) -> dict[str, str]:
    """Part family and given name where a single comma and space do."""
    text = one_line(name)
    family, comma, given = text.partition(", ")
    is_parted = comma and family.strip() == family != "" and given
    if is_parted and "," not in family + given:
        return {"family": family, "given": given}
    return {"literal": text}


def _keywords(record: ExportedRecord) -> str:
    words = normalise.terms(record.keywords)
    # A single keyword with a comma in it would be read as two.
    return f"{words[0]};" if len(words) == 1 and "," in words[0] else "; ".join(words)
