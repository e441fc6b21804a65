"""NoteExpress: lines such as `{Title}: Sleep`; a record begins with `{Reference Type}`.

The fields are called much as in tables, so `columns` tells them.
"""

import re

from tandem.records.formats.assembly import Parts
from tandem.records.formats.table.cells import named
from tandem.records.formats.tagged.dialect import INDENT, Dialect
from tandem.records.formats.tagged.fields import Fields

_LINE = rf"{INDENT}\{{(?P<tag>[A-Za-z][^{{}}\n]{{1,60}})\}}[ \t]?[:：]"


def _parts(fields: Fields) -> Parts:
    return named((tag, value) for tag in fields.tags for value in fields.get(tag))


NOTEEXPRESS = Dialect(
    tells=re.compile(rf"^{INDENT}\{{Reference Type\}}[ \t]?[:：]", re.M | re.I),
    line=re.compile(rf"{_LINE}(?P<value>.*)"),
    edge=rf"^{INDENT}\{{(?P<tag>(?i:TAGS))\}}",
    heads=frozenset({"REFERENCE TYPE"}),
    titles=frozenset({"TITLE"}),
    prose=frozenset({"ABSTRACT", "NOTES"}),
    parts=_parts,
)
