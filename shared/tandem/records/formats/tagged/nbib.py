"""MEDLINE, as PubMed writes it: a tag padded to four columns, a dash and a value."""

import re
from dataclasses import replace

from tandem.records.formats.assembly import Parts
from tandem.records.formats.fields import FieldMap
from tandem.records.formats.tagged.dialect import INDENT, Dialect
from tandem.records.formats.tagged.fields import Fields

_KNOWN = (
    "PMID PMC OWN STAT TI TT FAU AU DP JT TA VI IP PG OT MH OID BTI AB OAB CN DEP LA AID LID PT SI"
)
_TAG = "|".join(_KNOWN.split())
# Before the dash there are four columns in PubMed's own files, five in ERIC's `ISSN -`.
_LINE = (
    r"(?P<tag>[A-Z]{2}(?=  -)|[A-Z]{3}(?= {1,2}-)|[A-Z]{4}(?= ?-)"
    rf"|(?:{_TAG})(?= {{0,2}}-)) {{0,2}}-(?: |(?=[0-9]*$))(?P<value>.*)$"
)
_DOI_ID = re.compile(r"(.*\S)\s*\[doi\]\s*$", re.I)

_MAP = FieldMap(
    titles="TI BTI TT",
    abstracts="AB",
    authors="FAU|AU",
    dates="DP DEP",
    journals="JT TA",
    volume="VI",
    issue="IP",
    start="PG",
    urls="LID AID",
    language="LA",
    refs="PMID OID PMC",
    types="PT",
    registered="SI",
)


def _parts(fields: Fields) -> Parts:
    parts = _MAP.parts(fields.by_tag().get)
    ids = fields.values("AID", "LID")
    return replace(
        parts,
        abstracts=[*parts.abstracts, *fields.values("OAB")],
        authors=[*parts.authors, *fields.values("CN")],
        dois=[*(found[1] for found in map(_DOI_ID.match, ids) if found), *ids],
        # What goes on under it is a line that lost its tag.
        pmids=[value.partition(" ")[0] for value in fields.values("PMID")],
        keywords=[*fields.values("OT"), *(term.partition("/")[0] for term in fields.values("MH"))],
    )


NBIB = Dialect(
    tells=re.compile(r"^\ufeff?(?:PMID|PMC|OWN|STAT) {0,2}-[ \t]*\S", re.M),
    line=re.compile(rf"{INDENT}{_LINE}"),
    edge=rf"^{INDENT}(?P<tag>TAGS) {{0,2}}-(?=[ 0-9]|$)",
    heads=frozenset({"PMID", "PMC", "OWN", "STAT"}),
    titles=frozenset({"TI"}),
    again=frozenset({"TI"}),
    stops=True,
    parts=_parts,
)
