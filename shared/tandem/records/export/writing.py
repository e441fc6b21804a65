"""From records or ledger entries to the bytes of a file, a piece at a time."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from tandem.records.export import bibtex, csl_json, decisions, jsonl, ris, tables, xlsx
from tandem.records.export.decisions import LedgerEntry
from tandem.records.export.names import ExportFormat
from tandem.records.export.record import ExportedRecord

_PIECE = 1 << 16
"""Characters. Smaller pieces cost more to send than to make."""


@dataclass(frozen=True, slots=True)
class FileType:
    """How a file is called and announced."""

    suffix: str
    media_type: str


FILE_TYPES: dict[ExportFormat, FileType] = {
    "ris": FileType("ris", "application/x-research-info-systems"),
    "bibtex": FileType("bib", "application/x-bibtex"),
    "csv": FileType("csv", "text/csv; charset=utf-8"),
    "xlsx": FileType("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "csl_json": FileType("json", "application/vnd.citationstyles.csl+json"),
    "jsonl": FileType("jsonl", "application/jsonl"),
    "decisions": FileType("csv", "text/csv; charset=utf-8"),
    "trail": FileType("jsonl", "application/jsonl"),
}

_TEXTS: dict[ExportFormat, Callable[[Iterable[ExportedRecord]], Iterator[str]]] = {
    "ris": ris.write,
    "bibtex": bibtex.write,
    "csv": tables.write,
    "csl_json": csl_json.write,
    "jsonl": jsonl.write,
}


def write_records(format: ExportFormat, records: Iterable[ExportedRecord]) -> Iterator[bytes]:
    """Yield the file's bytes; `records` are asked for as they are written.

    Args:
        format: Any but `decisions` and `trail`.
        records: Gone through once.
    """
    if format == "xlsx":
        return xlsx.write(records)
    return _pieces(_TEXTS[format](records))


def write_decisions(entries: Iterable[LedgerEntry]) -> Iterator[bytes]:
    """Yield the bytes of the ledger's file."""
    return _pieces(decisions.write(entries))


def write_trail(lines: Iterable[str]) -> Iterator[bytes]:
    """Yield the bytes of the audit trail's lines."""
    return _pieces(lines)


def _pieces(texts: Iterable[str]) -> Iterator[bytes]:
    waiting: list[str] = []
    size = 0
    for text in texts:
        waiting.append(text)
        size += len(text)
        if size >= _PIECE:
            yield "".join(waiting).encode()
            waiting, size = [], 0
    if waiting:
        yield "".join(waiting).encode()
