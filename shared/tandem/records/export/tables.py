"""One record a row: the columns that CSV and spreadsheets share, and CSV itself."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence

from tandem.records.export import marks
from tandem.records.export.record import ExportedRecord, Judged, one_line
from tandem.records.formats import normalise
from tandem.records.formats.people import split_names, split_terms

Cell = str | int | None

HEADER = (
    *("record_id", "title", "abstract", "authors", "year", "journal", "volume", "issue"),
    *("pages", "doi", "pmid", "url", "keywords", "language", "registry_ids", "kind"),
    *("sources", "duplicate_of"),
    *("screening_stage", marks.TABLE_MARK, "included", "screening_decisions"),
    *("screening_reasons", "screening_labels", "screening_notes"),
)

_INCLUDED = {"included": 1, "excluded": 0}


def row(record: ExportedRecord) -> list[Cell]:
    """Return the record's cells under `HEADER`, unguarded."""
    return [
        record.id,
        one_line(record.title),
        one_line(record.abstract),
        _joined(normalise.names(record.authors), split_names),
        record.year,
        record.journal,
        record.volume,
        record.issue,
        record.pages,
        record.doi,
        record.pmid,
        record.url,
        _joined(normalise.terms(record.keywords), split_terms),
        record.language,
        "; ".join(record.registry_ids),
        record.kind,
        "; ".join(map(str, record.sources)),
        record.duplicate_of,
        record.stage,
        record.status,
        _INCLUDED.get(record.status),
        "; ".join(map(_decision, record.judged)),
        "; ".join(record.reasons),
        "; ".join(record.labels),
        "\n".join(f"{one.by or 'anonymous'}: {one.note}" for one in record.judged if one.note),
    ]


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
