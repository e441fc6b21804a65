"""Ovid: records under `<1>`, fields tagged (`TI  - …`) or named in words on a line of their own.

What a field is called differs between Ovid's databases; both styles are brought to one set of
two-letter tags. Volume, issue and pages often stand in the citation (`SO`) alone.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from tandem.records.formats import citation, kinds, normalise
from tandem.records.formats.assembly import Parts
from tandem.records.formats.fields import FieldMap
from tandem.records.formats.tagged.dialect import INDENT, Dialect
from tandem.records.formats.tagged.fields import Fields

_NAMES = {
    "TI": "title|article title|document title",
    "TT": "translated title|original title|vernacular title|foreign title|title in original",
    "AU": "author|authors",
    "FA": "authors full name|author full name|full author name|full authors name|full name",
    "CA": "corporate author|corporate authors|institutional authors|group author|collaborators",
    "SO": "source|citation",
    "JN": "journal|journal name|journal title|nlm journal name|full journal name"
    "|publication title|full source title|source title",
    "JA": "abbreviated source|iso journal abbreviation|journal abbreviation",
    "CH": "chapter title",
    "BT": "book title|parent book series",
    "AB": "abstract|abstracts",
    "YR": "year of publication|publication year|year",
    "DP": "date of publication|publication date|issue date|electronic date of publication",
    "VO": "volume|journal volume",
    "IP": "issue|part|issue part|issue/part",
    "PG": "page|pages|pagination|page numbers",
    "DO": "doi|doi number|digital object identifier|article identifier",
    "PM": "pmid|pubmed id|medline id|medline pmid|pubmed number",
    "UI": "unique identifier|embase accession number",
    "AN": "accession number|record identifier",
    "ST": "status|record status",
    "DB": "database|database name",
    "LG": "language|languages|language of publication",
    "KW": "keyword|keywords|author keywords|keyword heading|key concepts|free text",
    "MH": "mesh subject headings|mesh headings|subject headings|heading words|index terms"
    "|embase subject headings|emtree subject headings|subject heading|descriptors",
    "PT": "publication type|document type|publication types",
    "UR": "url|full text url|link to the ovid full text or citation|ovid full text link",
}
_TAG_OF = {name: tag for tag, names in _NAMES.items() for name in names.split("|")}

_HEAD = rf"{INDENT}<[0-9]{{1,7}}\.?[ \t]?>[ \t]*"
_TAGGED = r"[ \t\ufeff]{0,4}(?!TY)[A-Z][A-Z0-9][ \t]{1,2}- "
_WORDS = r"[A-Z][A-Za-z/ ]{2,60}:?[ \t]*\n[ \t]+\S"
_LINE = re.compile(
    rf"{INDENT}(?P<tag>[A-Z][A-Z0-9]{{1,3}})[ \t\xa0]{{1,2}}-(?:[ \t\xa0](?P<value>.*)|$)"
)
_NAME = re.compile(r"[A-Z][A-Za-z/,&() -]{1,60}")
_ADDED_TYPE = re.compile(r"(?<=[.?!])\s{0,3}\[([A-Z][A-Za-z ,/&-]{2,40})\]\.?\s{0,3}$")
_TYPES_APART = re.compile(r"[.;](?:\s|$)")

_BRACKETED = re.compile(r"\[[^\[\]]{0,300}\]")
_NAMES_APART = re.compile(r";|\.?[ \t]{2,}")
_MARKS = re.compile(r"[\s\d,+*#]{1,20}$")
_DEGREES = re.compile(
    r"(?<=[a-z.])(?:,?\s{1,3}(?:MD|M\.D|PhD|Ph\.\s?D|MPH|MSc|BSc|DSc|DrPH|RN|MBBS|MBChB|FACSM|FRCP)"
    r"\b\.?){1,6}$"
)
_DEGREE_ALONE = re.compile(r"[A-Z][A-Za-z.]{0,4}[A-Z][A-Za-z.]{0,3}")
_LONGEST_NAME = 300

_MAP = FieldMap(
    titles="TI TT OT CH BT",
    abstracts="AB",
    authors="AU",
    journals="JN NJ JT JA AS BT",
    volume="VO VI",
    issue="IP",
    start="PG",
    dois="DO DI ID AI UR LK",
    pmids="PM PMID",
    accessions="UI",
    databases="DB ST",
    urls="UR LK XL JL",
    language="LG LA",
    refs="UI AN",
    registered="SI UI AN CN",
)


def _fields(dialect: Dialect, raw: str) -> Fields:
    lines = raw.split("\n")
    tagged = sum(1 for line in lines if _LINE.match(line))
    named = sum(1 for line in lines if line.rstrip(" \t:").lower() in _TAG_OF)
    return dialect.taken_apart(raw) if tagged > named else _named(lines, dialect.lists)


def _named(lines: list[str], lists: frozenset[str]) -> Fields:
    """Return the fields of a record in words: what is not indented names what follows it."""
    fields = Fields(lists)
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        name = line.rstrip(" \t:")
        if tag := _TAG_OF.get(name.lower()):
            fields.add(tag, "")
        elif _NAME.fullmatch(name) and following[:1] in {" ", "\t"}:
            fields.add(name, "")  # a field there is no use for
        elif line.strip():
            fields.go_on(line)
    return fields


def _parts(fields: Fields) -> Parts:
    values, first = fields.values, fields.first
    parts = _MAP.parts(fields.by_tag().get)
    cited = citation.of(first("SO"))
    titles = values("TI", "TT", "OT", "CH", "BT")
    added = [found[1] for title in titles if (found := _ADDED_TYPE.search(title))]
    journals = [*values("JN", "NJ", "JT"), cited.journal, *values("JA", "AS", "BT")]
    types = [part for text in values("PT", "DT") for part in _TYPES_APART.split(text)]
    return replace(
        parts,
        titles=[_ADDED_TYPE.sub("", title) for title in titles],
        authors=_authors(fields),
        # Of what is not in print yet, only its status tells when it came.
        dates=[*values("YR", "PY", "DP"), cited.year, *values("ST")],
        journals=journals,
        volume=parts.volume or cited.volume,
        issue=parts.issue or cited.issue,
        pages=(normalise.pages(first("PG")) or cited.pages, ""),
        dois=[text.split(" [")[0] for text in parts.dois],
        pmids=[text.split(" [")[0] for text in parts.pmids],
        keywords=[*_terms(fields, "KW", "MH", "DE", "ID")],
        language="; ".join(text.rstrip(".") for text in values("LG", "LA")),
        refs=[text.rstrip(".") for text in parts.refs],
        kind=kinds.of([*types, *added], journals),
    )


def _authors(fields: Fields) -> list[str]:
    """Return names, in full where there are any, less footnote marks, roles and degrees."""
    people = max(([*_names(fields.values(tag))] for tag in ("FA", "AU")), key=len)
    return [*people, *_names(fields.values("CA", "IV"))]


def _names(texts: list[str]) -> Iterator[str]:
    for text in texts:
        inverted = False  # `Lind, Ada RN; PhD`: beside such names a bare abbreviation is none
        for part in _NAMES_APART.split(_BRACKETED.sub("", text)):
            name = _MARKS.sub("", part.strip()[:_LONGEST_NAME])
            family, comma, given = name.partition(",")
            if inverted and not comma and _DEGREE_ALONE.fullmatch(name):
                continue
            inverted = inverted or bool(comma)
            name = family + comma + _DEGREES.sub("", given)
            # A full stop closes the list; that of an initial stays.
            yield name.rstrip(".") if name[-2:-1].islower() else name


def _terms(fields: Fields, *tags: str) -> Iterator[str]:
    """Yield keywords; MEDLINE's `ID` has identifiers of the article, others' has words."""
    for text in fields.values(*tags):
        if not text.startswith("10.") and not text.endswith(("[doi]", "[pii]")):
            yield _BRACKETED.sub("", text).rstrip(".")


class _Ovid(Dialect):
    def tag_of(self, line: str) -> str | None:
        """Return the tag; of a line that goes on with a value, or has one under a name, none."""
        return super().tag_of(line) or ("" if line[0] in " \t" else None)


OVID = _Ovid(
    tells=re.compile(
        rf"^(?:{_HEAD}\n(?:[ \t]*\n){{0,3}}(?:{_TAGGED}|{_WORDS})"
        rf"|{INDENT}VN[ \t]{{1,2}}- Ovid"
        rf"|(?:Unique Identifier|Accession Number):?[ \t]*\n[ \t]+\S|Score[ \t]*\n[ \t]+\*)",
        re.M,
    ),
    line=_LINE,
    edge=rf"^(?:{INDENT}(?P<tag><(?=[0-9]{{1,7}}\.?[ \t]?>[ \t]*$)|VN(?=[ \t]{{1,2}}- Ovid)"
    r"|(?:Unique Identifier|Accession Number|Title|TI)(?=:?[ \t]*$|  - )"
    r"|Score(?=[ \t]*\n[ \t]+\*)))",
    heads=frozenset({"VN", "UNIQUE IDENTIFIER", "ACCESSION NUMBER", "SCORE"}),
    titles=frozenset({"TITLE", "TI"}),
    always=frozenset({"<"}),
    lists=frozenset({"AU", "FA", "CA", "MH", "KW", "UR"}),
    prose=frozenset({"AB"}),
    preamble=re.compile(r"\s*(?:database|search strategy|results? )", re.I),
    fields=_fields,
    parts=_parts,
)
