"""What an export adds to a record's own fields, so that an import can tell and undo it.

Formats of reference managers have no field for a decision: it goes among keywords and notes,
each begun in a way that no keyword of a publication is. Tables have columns of their own, but
a text that a spreadsheet would take for a formula is guarded.
"""

import re

from tandem.records.export.record import ExportedRecord, Judged, one_line

STAGES = {"title_abstract": "title and abstract", "full_text": "full text"}
_KINDS = "|".join(
    [*STAGES.values(), "decision", "resolution", "reason", "label", "duplicate", "sources"]
)
_MARK = re.compile(rf"Tandem (?:{_KINDS}): ")

_FORMULA = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""How OWASP says that a cell must not begin, full-width forms included; after any number of
quotation marks, so that a text that begins with one comes back, too."""

TABLE_MARK = "screening_status"
"""A column that only tables written here have: in these, cells are to be unguarded."""


def is_mark(text: str) -> bool:
    """Whether a keyword or note was added by an export, and is not the publication's."""
    return _MARK.match(text) is not None


def guarded(text: str) -> str:
    """Return `text` such that no spreadsheet takes it for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """Return what `guarded` was given."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


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
