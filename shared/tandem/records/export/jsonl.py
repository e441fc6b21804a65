"""JSON lines: one record a line, everything there is of it, under the names the API has."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from tandem.records.export.record import ExportedRecord, Judged

# Line ends to some readers of lines; within a JSON string they may be written so.
_LINE_ENDS = str.maketrans({end: f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"})


def write(records: Iterable[ExportedRecord]) -> Iterator[str]:
    """Yield each record as one line."""
    for record in records:
        yield as_json(_object(record)) + "\n"


def as_json(value: dict[str, Any]) -> str:
    """Return `value` on one line, whatever its reader takes for a line end."""
    return json.dumps(value, ensure_ascii=False).translate(_LINE_ENDS)


def _object(record: ExportedRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "title": record.title,
        "abstract": record.abstract,
        "authors": record.authors,
        "year": record.year,
        "journal": record.journal,
        "volume": record.volume,
        "issue": record.issue,
        "pages": record.pages,
        "doi": record.doi,
        "pmid": record.pmid,
        "url": record.url,
        "keywords": record.keywords,
        "language": record.language,
        "registry_ids": record.registry_ids,
        "kind": record.kind,
        "duplicate_of": record.duplicate_of,
        **screening(record),
    }


def screening(record: ExportedRecord) -> dict[str, Any]:
    """Return what the review adds to the record."""
    return {
        "sources": [{"source": source.name, "ref": source.ref} for source in record.sources],
        "stage": record.stage,
        "status": record.status,
        "final_reason": record.final_reason,
        "decisions": [_decision(one) for one in record.judged if not one.is_resolution],
        "resolution": next((_decision(one) for one in record.judged if one.is_resolution), None),
    }


def _decision(one: Judged) -> dict[str, Any]:
    return {
        "reviewer": one.by,
        "verdict": one.verdict,
        "reasons": one.reasons,
        "labels": one.labels,
        "note": one.note,
        "decided_at": one.at and one.at.isoformat().replace("+00:00", "Z"),
    }
