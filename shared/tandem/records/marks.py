"""What an export adds to a record's own fields, so that an import can tell and undo it.

Formats of reference managers have no field for a decision: it goes among keywords and notes,
each begun in a way that no keyword of a publication is. Tables have columns of their own, but
a text that a spreadsheet would take for a formula is guarded.
"""

import re

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
