"""RefWorks tagged: lines of a two-letter tag, one space and a value; `RT` begins a record."""

import re
from dataclasses import replace

from tandem.records.formats.assembly import Parts
from tandem.records.formats.fields import FieldMap
from tandem.records.formats.tagged.dialect import INDENT, Dialect
from tandem.records.formats.tagged.fields import Fields

_TAGS = (
    "RT SR ID A1 T1 JF JO YR FD VO IS SP OP K1 AB NO A2 T2 ED PB PP A3 A4 A5 T3 SN AV AD AN LA CL "
    "SF OT LK DO CN DB DS IP RD ST UL SL LL CR WT A6 WV WP OL PMID PMCID"
)
_KNOWN = "|".join(_TAGS.split()) + "|U1?[0-9]"
_VALUE = r"[ \t\xa0]+(?![-–—][ \t])"
_COMMA = re.compile(r",(?=[^\s,])")

_MAP = FieldMap(
    titles="T1 OT ST",
    abstracts="AB",
    authors="A1|A2",
    dates="YR FD WP",
    journals="JF JO T2 T3",
    volume="VO",
    issue="IS",
    start="SP",
    end="OP",
    dois="DO UL LK AN",
    urls="UL LK AV",
    keywords="K1",
    language="LA",
    refs="AN ID",
    types="RT",
    publisher="PB",
    notes="NO U1 U2 U3 U4 U5",
    registered="AN",
    pmids="PMID",
    accessions="AN",
    databases="DS DB",
    naming="AN",
)


def _parts(fields: Fields) -> Parts:
    parts = _MAP.parts(fields.by_tag().get)
    return replace(parts, authors=[_COMMA.sub(", ", name) for name in parts.authors])


REFWORKS = Dialect(
    tells=re.compile(
        rf"^{INDENT}RT[ \t]+[A-Z][A-Za-z,/() -]{{2,60}}$"
        rf"\n(?:[ \t]*\n)?[ \t]{{0,8}}(?:{_KNOWN}){_VALUE}\S",
        re.M,
    ),
    line=re.compile(rf"{INDENT}(?P<tag>{_KNOWN}|ER)(?:{_VALUE}(?P<value>.*)|$)"),
    edge=rf"^{INDENT}(?P<tag>RT(?=[ \t]+[A-Z])|(?:TAGS)(?={_VALUE}\S))",
    heads=frozenset({"RT"}),
    titles=frozenset({"T1"}),
    again=frozenset({"SR", "ID", "A1", "T1"}),
    lists=frozenset({"A1", "A2", "K1", "UL", "LK"}),
    prose=frozenset({"AB", "NO"}),
    preamble=re.compile(r"\s*refworks export|(?s:.*)BEGIN EXPORTED REFERENCES", re.I),
    parts=_parts,
)
