"""A record's screening as keywords and notes, for formats that have no field for a decision."""

from tandem.records.export.record import ExportedRecord, Judged, one_line
from tandem.records.marks import STAGES


def tags(record: ExportedRecord) -> list[str]:
    """Return the record's screening as keywords: status, reasons, labels."""
    begun = [f"Tandem {STAGES[record.stage]}: {record.status}"]
    return [
        *(begun if record.status != "unscreened" else ()),
        *(f"Tandem reason: {_term(reason)}" for reason in record.reasons),
        *(f"Tandem label: {_term(label)}" for label in record.labels),
    ]


def notes(record: ExportedRecord) -> list[str]:
    """Return notes for people, each on one line: registry numbers, then the screening."""
    found = [f"Trial registration: {'; '.join(record.registry_ids)}"] if record.registry_ids else []
    found += [_note(one) for one in record.judged]
    if record.duplicate_of is not None:
        found.append(f"Tandem duplicate: of record {record.duplicate_of}")
    return found


def _note(one: Judged) -> str:
    begin = "Tandem resolution" if one.is_resolution else "Tandem decision"
    by = f" by {one_line(one.by)}" if one.by else ""
    at = f", {one.at:%Y-%m-%d %H:%M} UTC" if one.at else ""
    parts = [f"{begin}: {one.verdict}{by}{at}"]
    if one.reasons:
        parts.append(f"Reasons: {'; '.join(map(one_line, one.reasons))}")
    if one.labels:
        parts.append(f"Labels: {'; '.join(map(one_line, one.labels))}")
    if one.note and (text := one_line(one.note)):
        parts.append(f"Note: {text}")
    return ". ".join(parts)


def _term(text: str) -> str:
    # Every reader of keywords takes a semicolon for the end of one.
    return one_line(text).replace(";", ",")
