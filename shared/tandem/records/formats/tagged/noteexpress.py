"""NoteExpress: lines such as `{Title}: Sleep`; a record begins with `{Reference Type}`.

The fields are called much as in tables, so `columns` tells them.
"""

import re

from tandem.records.formats.assembly import Parts
from tandem.records.formats.table.cells import parts
from tandem.records.formats.table.columns import field_of
from tandem.records.formats.tagged.dialect import INDENT, Dialect
from tandem.records.formats.tagged.fields import Fields

_LINE = rf"{INDENT}\{{(?P<tag>[A-Za-z][^{{}}\n]{{1,60}})\}}[ \t]?[:：]"


def _parts(fields: Fields) -> Parts:
    cells: dict[str, list[str]] = {}
    for tag in fields.tags:
        if field := field_of(tag):
            cells.setdefault(field, []).extend(filter(str.strip, fields.values(tag)))
    if authors := cells.get("authors"):
        cells["authors"] = ["; ".join(authors)]
    return parts({field: values for field, values in cells.items() if values})


NOTEEXPRESS = Dialect(
    tells=re.compile(rf"^{INDENT}\{{Reference Type\}}[ \t]?[:：]", re.M | re.I),
    line=re.compile(rf"{_LINE}(?P<value>.*)"),
    edge=rf"^{INDENT}\{{(?P<tag>(?i:TAGS))\}}",
    heads=frozenset({"REFERENCE TYPE"}),
    titles=frozenset({"TITLE"}),
    prose=frozenset({"ABSTRACT", "NOTES"}),
    parts=_parts,
)
