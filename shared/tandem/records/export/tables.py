"""One record a row: the columns that CSV and spreadsheets share, and CSV itself."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence

from tandem.records import marks
from tandem.records.export.record import ExportedRecord, Judged, one_line
from tandem.records.formats import normalise
from tandem.records.formats.people import split_names, split_terms

Cell = str | int | None

_INCLUDED = {"included": 1, "excluded": 0}

COLUMNS: dict[str, Callable[[ExportedRecord], Cell]] = {
    "record_id": lambda record: record.id,
    "title": lambda record: one_line(record.title),
    "abstract": lambda record: one_line(record.abstract),
    "authors": lambda record: _joined(normalise.names(record.authors), split_names),
    "year": lambda record: record.year,
    "journal": lambda record: record.journal,
    "volume": lambda record: record.volume,
    "issue": lambda record: record.issue,
    "pages": lambda record: record.pages,
    "doi": lambda record: record.doi,
    "pmid": lambda record: record.pmid,
    "url": lambda record: record.url,
    "keywords": lambda record: _joined(normalise.terms(record.keywords), split_terms),
    "language": lambda record: record.language,
    "registry_ids": lambda record: "; ".join(record.registry_ids),
    "kind": lambda record: record.kind,
    "sources": lambda record: "; ".join(map(str, record.sources)),
    "duplicate_of": lambda record: record.duplicate_of,
    "screening_stage": lambda record: record.stage,
    marks.TABLE_MARK: lambda record: record.status,
    "included": lambda record: _INCLUDED.get(record.status),
    "screening_decisions": lambda record: "; ".join(map(_decision, record.judged)),
    "screening_reasons": lambda record: "; ".join(record.reasons),
    "screening_labels": lambda record: "; ".join(record.labels),
    "screening_notes": lambda record: "\n".join(
        f"{one.by or 'anonymous'}: {one.note}" for one in record.judged if one.note
    ),
}
"""Name and content of each column, in order. The content is unguarded."""

HEADER = tuple(COLUMNS)


def row(record: ExportedRecord) -> list[Cell]:
    """Return the record's cells under `HEADER`, unguarded."""
    return [cell(record) for cell in COLUMNS.values()]


def write(records: Iterable[ExportedRecord]) -> Iterator[str]:
    """Yield the header and each record as lines of CSV, by RFC 4180 and without a BOM."""
    yield csv_line(HEADER)
    for record in records:
        yield csv_line(row(record))


def csv_line(cells: Sequence[Cell]) -> str:
    """Return one row of CSV, with cells that look like formulas guarded."""
    line = io.StringIO()
    safe = [marks.guarded(cell) if isinstance(cell, str) else cell for cell in cells]
    csv.writer(line).writerow(safe)
    return line.getvalue()


def _joined(texts: Sequence[str], split: Callable[[str], list[str]]) -> str:
    """Return the texts in one cell; with a final semicolon where else commas would part them."""
    cell = "; ".join(texts)
    if len(texts) == 1 and [text.strip() for text in split(cell)] != [cell]:
        return f"{cell};"
    return cell


def _decision(one: Judged) -> str:
    who = f"{one.by or 'anonymous'}{' (resolution)' if one.is_resolution else ''}"
    return f"{who}: {one.verdict}"
