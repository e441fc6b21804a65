"""RIS: lines of a two-letter tag, two spaces, a dash and a value, from `TY` to `ER`."""

import re

from tandem.records.formats.fields import FieldMap
from tandem.records.formats.tagged.dialect import INDENT, Dialect
from tandem.records.formats.tagged.fields import Fields

_GAP = r"[ \t\xa0\u2000-\u200a\u202f\u3000]"
_SURE = rf"{_GAP}{{2}}-"
_TY = rf"(?:(?i:ty)(?={_SURE})|TY(?={_GAP}{{0,4}}[-–—]{_GAP}*[A-Za-z][A-Za-z /]{{1,40}}$))"
# A bare `ER` ends a record only where nothing follows or another begins: else it is a word of text.
_ER = (
    rf"(?:(?i:er){_SURE}|ER{_GAP}{{0,4}}[-–—]{_GAP}*$"
    rf"|ER{_GAP}*$(?=\s*(?:\Z|(?:[0-9]{{1,7}}\.\s*)?{INDENT}[A-Z][A-Z0-9]{_SURE})))"
)
_BEGIN = rf"(?:^|(?<=ER  -)|(?<=ER  - )){INDENT}"
_KNOWN = (
    "TY TI T1 BT CT ST TT AB N2 PY Y1 YR DA JF T2 JO JA J2 J1 JN VL VO IS SP EP DO DI M3 ID AN "
    "DB DP PB PM LA U2 UT M1 M2 L1 C1 C2 C3 C4 C5 C6 C7 C8 "
    "AU A1 A2 ED KW DE N1 RN UR L2 L3 LK CY SN AD A3 A4 L4 LB U1 U3 U4 U5 Y2 T3 RP OP"
)
_TAGS = frozenset(_KNOWN.split())
_LISTS = frozenset({"AU", "A1", "A2", "ED", "KW", "DE", "N1", "RN", "UR", "L2", "L3", "LK"})
_CUSTOM = "C1 C2 C3 C4 C5 C6 C7 C8"

_LINE = re.compile(
    rf"{INDENT}(?P<tag>[A-Z][A-Z0-9]{{1,4}}(?={_GAP}{{2}})|PMID|[A-Za-z][A-Za-z0-9](?={_SURE}))"
    rf"{_GAP}{{0,2}}[-–—](?P<value>.*)"
)
_NARROW = re.compile(rf"{INDENT}(?P<tag>[A-Z][A-Z0-9]){_GAP}-{_GAP}+(?P<value>\S.*)")
_LOOSE = re.compile(rf"{INDENT}(?P<tag>[A-Z][A-Z0-9]{{1,4}}){_GAP}{{0,4}}[-–—](?P<value>.*)")

_LOOSE_TYPE = re.compile(rf"^{INDENT}TY{_GAP}{{0,4}}[-–—](.*)", re.M)

_MAP = FieldMap(
    titles="TI T1 BT CT TT ST",
    abstracts="AB N2",
    authors="AU|A1|A2 ED",
    dates="PY Y1 YR DA",
    journals="JF T2 JO JN JA J2 J1",
    volume="VL VO",
    issue="IS",
    start="SP",
    end="EP",
    dois=f"DO DI M3 UR L3 L2 LK ID N1 L1 M2 N2 M1 {_CUSTOM}",
    urls="UR L2 LK L3",
    keywords="KW DE",
    language="LA",
    refs="AN U2 UT ID",
    types="TY M3",
    publisher="PB",
    notes="N1 RN",
    registered=f"M1 ID AN {_CUSTOM}",
    pmids="PM",
    accessions="AN C5",
    databases="DB DP",
    naming=f"AN {_CUSTOM}",
)


def _fields(dialect: Dialect, raw: str) -> Fields:
    fields = _by_line(raw, _LINE)
    if not fields.first("TI", "T1", "BT", "AB", "N2"):
        fields = _by_line(raw, _LOOSE)
    if not fields.first("TY") and (loose := _LOOSE_TYPE.search(raw)):
        fields.add("TY", loose[1])
    return fields


def _by_line(raw: str, pattern: re.Pattern[str]) -> Fields:
    fields = Fields(_LISTS)
    for line in raw.split("\n"):
        # Nearly every line takes the first way; the pattern is four times as slow.
        if line[2:5] == "  -" and line[:2] in _TAGS:
            fields.add(line[:2], line[5:])
        elif (found := pattern.match(line)) and (tag := _tag(found["tag"])):
            fields.add(tag, found["value"])
        elif fields.tag in _LISTS and (narrow := _NARROW.match(line)) and narrow["tag"] in _TAGS:
            fields.add(narrow["tag"], narrow["value"])
        elif fields.tag != "TY" and line.strip():
            fields.go_on(line)
    return fields


def _tag(written: str) -> str | None:
    """Return the tag; none if it is in small letters and not known: perhaps a word of a text."""
    if written.isupper():
        return "PM" if written == "PMID" else written
    return written.upper() if written.upper() in _TAGS else None


class _Ris(Dialect):
    def begins(self, data: str) -> int | None:
        """Return where the first type stands; without any, where a record with an end begins."""
        found = self.tells.search(data)
        if found is None and _END.search(data):
            found = _WITHOUT_TYPE.search(data)
        return found.start() if found else None


_END = re.compile(rf"^{INDENT}{_ER}", re.M)
_WITHOUT_TYPE = re.compile(rf"{_BEGIN}(?:{_TY}|(?i:ti|t1|au|a1|ab|n2){_SURE})", re.M)

RIS = _Ris(
    tells=re.compile(_BEGIN + _TY, re.M),
    opens=_WITHOUT_TYPE,
    line=_LINE,
    edge=rf"^{INDENT}(?:(?P<end>{_ER})|(?P<tag>{_TY}|(?i:TAGS)(?={_SURE})))",
    heads=frozenset({"TY"}),
    titles=frozenset({"TI", "T1"}),
    lists=_LISTS,
    prose=frozenset({"AB", "N2", "N1", "RN"}),
    between=re.compile(r"NL  - |link to |https?://\S+$|[\w ]{1,40} \(RIS\)", re.I),
    fields=_fields,
    parts=lambda fields: _MAP.parts(fields.by_tag().get),
)
