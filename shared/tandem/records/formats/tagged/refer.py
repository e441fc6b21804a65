"""Refer, as EndNote writes it: lines of a percent sign, one character and a value.

A record begins with `%0`, its type. Where files do without, blank lines part records.
"""

import re
from dataclasses import replace

from tandem.records.formats import kinds
from tandem.records.formats.assembly import Parts
from tandem.records.formats.fields import FieldMap
from tandem.records.formats.tagged.dialect import INDENT, Dialect
from tandem.records.formats.tagged.fields import Fields

_LINE = rf"{INDENT}%(?P<tag>[0-9A-Zf?@!#$\]&()*+^><\[=~])(?=[ \t\xa0]|$)"
_AND = re.compile(r"\s+and\s+")

_MAP = FieldMap(
    titles="T Q !",
    abstracts="X",
    authors="A|E",
    dates="D 8 7",
    journals="J B S",
    volume="V",
    issue="N",
    start="P &",
    dois="R U M 3 Z > 1 <",
    urls="U >",
    keywords="K",
    language="G",
    refs="M F L",
    publisher="I",
    notes="Z 1 < O",
    registered="M",
    accessions="M",
    databases="W ~",
)


def _parts(fields: Fields) -> Parts:
    parts = _MAP.parts(fields.by_tag().get)
    # Open Journal Systems puts the subject where others have the type of article.
    types = (*fields.values("0"), *filter(kinds.is_type, fields.values("9")))
    authors = [name for text in parts.authors for name in _names(text)]
    kind = kinds.of(types, (*parts.journals, *fields.values("I")))
    return replace(parts, authors=authors, kind=kind)


def _names(text: str) -> list[str]:
    """Return the names in `text`: `Lind, Bo and Okafor, Ada` are two, an office's name is one."""
    parts = _AND.split(text)
    return parts if all("," in part for part in parts) else [text]


REFER = Dialect(
    tells=re.compile(
        rf"^{INDENT}%(?:0(?:[ \t]|$)|[TA][ \t]+\S.*\n{_LINE.replace('?P<tag>', '')})", re.M
    ),
    line=re.compile(rf"{_LINE}(?P<value>.*)"),
    edge=rf"^{INDENT}%(?P<tag>TAGS)(?=[ \t\xa0]|$)",
    heads=frozenset("0"),
    titles=frozenset("T"),
    again=frozenset("T"),
    in_blocks=True,
    lists=frozenset("AEKU?>"),
    prose=frozenset("XZ<1O"),
    renamed=str,
    parts=_parts,
)
