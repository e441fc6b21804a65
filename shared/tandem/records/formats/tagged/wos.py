"""Web of Science: lines of a two-letter tag, one space and a value, from `PT` to `ER`.

Also what its Inspec and Medline write, and ISI before it.
"""

import re
from dataclasses import replace

from tandem.records.formats import kinds
from tandem.records.formats.assembly import Parts
from tandem.records.formats.entry import Kind
from tandem.records.formats.fields import FieldMap
from tandem.records.formats.tagged.dialect import INDENT, Dialect
from tandem.records.formats.tagged.fields import Fields

_TAGGED = r"(?:[A-Z][A-Z0-9][ \t]+(?![ \t]*[-–—])\S|   )"
_TYPES = {"J": Kind.ARTICLE, "C": Kind.CONFERENCE, "B": Kind.BOOK, "P": Kind.OTHER}
_MEDLINE = re.compile(r"MEDLINE:", re.I)
_BRACKETED_DOI = re.compile(r"\[(10\.[0-9]{4,9}/[^\]\s]{1,300})\]")

_MAP = FieldMap(
    titles="TI FT Z1 BT",
    abstracts="AB Z4",
    authors="AU",
    dates="PY YR EY PD EA",
    journals="SO JI J9 SE Z3",
    volume="VL",
    issue="IS",
    start="BP|PS AR",
    dois="DI D2 DO DOI",
    urls="UR UL LK",
    keywords="DE ID MH CT",
    language="LA",
    refs="UT AN GA",
    pmids="PM",
)


def _parts(fields: Fields) -> Parts:
    values, first = fields.values, fields.first
    parts = _MAP.parts(fields.by_tag().get)
    # `AF` has names in full, but now and then not all of them.
    authors = max((values(tag) for tag in ("AF", "AU", "BF", "BA", "Z2")), key=len)
    # Inspec keeps numbers of the article in `ID`.
    inspec = first("UT", "FN").upper().startswith("INSPEC")
    return replace(
        parts,
        authors=[*authors, *values("CA", "GP")] or values("BE", "ED"),
        pages=(parts.pages[0], first("EP") if first("BP") else ""),
        dois=[*parts.dois, *_BRACKETED_DOI.findall(first("ID"))],
        pmids=[*parts.pmids, *filter(_MEDLINE.match, values("UT"))],
        keywords=values("DE", "MH", "CT") if inspec else parts.keywords,
        kind=_kind(fields),
    )


def _kind(fields: Fields) -> Kind | None:
    """Return the kind: of its several types the one that tells most, else the medium's.

    `Article; Proceedings Paper` in a journal is an article whatever meeting it comes from.
    """
    medium = fields.first("PT")
    types = " ".join(fields.get("DT"))
    sources = fields.values("SO", "PU")
    known = kinds.of((types,), sources) or kinds.of((medium,), sources)
    if known is Kind.CONFERENCE and medium == "J" and types.startswith("Article"):
        return Kind.ARTICLE
    return known or _TYPES.get(medium)


WOS = Dialect(
    tells=re.compile(
        rf"^\ufeff?(?:FN [^\n-].*\n(?=VR|PT|{_TAGGED})"
        rf"|PT[ \t]+[A-Z][A-Za-z -]{{0,40}}\n(?={_TAGGED}))",
        re.M,
    ),
    opens=re.compile(
        rf"^{INDENT}(?:PT[ \t]+[A-Z]|(?:AU|AF|BA|CA|TI|SO|AB|DT|AN|UT)[ \t]+(?![ \t]*[-–—])\S)",
        re.M,
    ),
    line=re.compile(r"\ufeff?(?P<tag>[A-Z][A-Z0-9])(?:[ \t](?P<value>.*)|$)"),
    edge=rf"^{INDENT}(?:(?P<end>E[RF][ \t]*$)|"
    r"(?P<tag>FN(?= [^\n-])|PT(?=[ \t]+[A-Z])|TI(?=[ \t])))",
    heads=frozenset({"PT"}),
    titles=frozenset({"TI"}),
    always=frozenset({"FN"}),
    lists=frozenset({"AU", "AF", "BA", "BF", "BE", "CA", "GP", "Z2", "MH"}),
    between=re.compile(r"(?:FN|VR)\s"),
    parts=_parts,
)
