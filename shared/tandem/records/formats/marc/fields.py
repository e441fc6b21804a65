"""The fields of MARC 21: what each holds of a record; and MARC in XML and in JSON."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pymarc import Field, Record

from tandem.records.formats import isbd, kinds
from tandem.records.formats.assembly import Parts
from tandem.records.formats.entry import Kind
from tandem.records.formats.json import reader as json_text
from tandem.records.formats.marc import unimarc
from tandem.records.formats.marc.record import control, fields, of_element, of_object, values
from tandem.records.formats.xml import reader as xml

_NO_AUTHORS = re.compile(
    r"\b(?:trl|ill|ths|dgs|dgg|pbl|fmo|bsl|win|fnd|prt|aui|ctb|thesis advisor|translator|übersetzer"
    r"|illustrator|publisher|verlag|degree (?:supervisor|grantor)|akademischer betreuer"
    r"|gradverleihende institution|host institution|issuing body|herausgebendes organ)",
    re.I,
)
_NUMBER = r"[0-9]{1,5}(?:[-/][0-9]{1,5})?"
_VOLUMES = (
    re.compile(
        rf"\b(?:vol(?:ume)?|v|bd|band|jg|jahrgang|tom[eo]?|t)\b[.:]?\s{{0,3}}({_NUMBER})\b", re.I
    ),
    re.compile(rf"^(?![12][0-9]{{3}}\b)({_NUMBER})\b"),
)
_ISSUES = (
    re.compile(
        rf"\b(?:no|nr|num(?:ber)?|issue|iss|heft|h|fasc)\b[.:]?\s{{0,3}}({_NUMBER})\b", re.I
    ),
    re.compile(rf"[0-9]\s?\((?![12][0-9]{{3}}\))({_NUMBER})\)"),
    re.compile(rf"\([12][0-9]{{3}}\)\s?({_NUMBER})\b"),
)
_PAGES = (
    re.compile(
        r"\b(?:pp?|pages?|s|seiten?|pg)\b[.:]?\s{0,3}"
        r"([a-z]?[0-9]{1,8}(?:\s?[-–]\s?[a-z]?[0-9]{1,8})?)",
        re.I,
    ),
)
"""How catalogues write `12 (2001), 3, S. 45-67` and `volume:12; number:3; pages:45-67`."""

_PUBMED = re.compile(r"\((?:PubMed|PMID|NLM|DNLM|MEDLINE)\)\s*(?:PMID:?\s*)?([0-9]{1,8})$", re.I)
_GENRES = {
    "hochschulschrift": Kind.THESIS,
    "konferenzschrift": Kind.CONFERENCE,
    "aufsatzsammlung": Kind.BOOK,
}
"""What German-speaking libraries call them."""

_TEXT_TYPES = frozenset("at ")
_UNKNOWN_LANGUAGES = frozenset({"und", "zxx", "mul", "|||", "mis"})
_LONGEST_CITATION = 500


def parts(record: Record) -> Parts:
    """Return what `record` tells of the work it describes."""
    if unimarc.is_unimarc(record):
        return unimarc.parts(record)
    host = _host(record)
    kind = _kind(record, host)
    volume, issue, pages = _place(record)
    series = [] if kind in {Kind.BOOK, Kind.THESIS} else values(record, "a", "490", "830", "440")
    own, related = _addresses(record)
    return Parts(
        titles=_titles(record),
        abstracts=(" ".join(_abstract(record)),),
        authors=_authors(record),
        dates=_dates(record, host),
        journals=(*_hosts_titles(host), *map(isbd.title, series)),
        volume=volume,
        issue=issue,
        pages=(pages, ""),
        dois=(*values(record, "a", "024"), *own),
        pmids=_pmids(record),
        urls=(*own, *related),
        keywords=_keywords(record),
        language=_language(record),
        refs=(*control(record, "001"), *values(record, "a", "035")),
        kind=kind,
    )


def _host(record: Record) -> Field | None:
    """Return the field of the journal or book that the work is part of, one with a title."""
    return next((f for f in record.get_fields("773") if f.get_subfields("t", "p", "a")), None)


def _hosts_titles(host: Field | None) -> Iterator[str]:
    for title in host.get_subfields("t", "p", "a") if host else ():
        yield isbd.title(title.split(" / ", 1)[0])


def _titles(record: Record) -> Iterator[str]:
    """Yield the title, then the uniform, varying and translated ones."""
    for field in fields(record, "245", "240", "130", "246", "242", "222", "210"):
        yield isbd.title(*field.get_subfields("a", "b", "n", "p", "k"))


def _abstract(record: Record) -> list[str]:
    """Return summaries and abstracts, not reviews or advice, unless there is nothing else."""
    every = record.get_fields("520")
    fitting = [field for field in every if field.indicator1 not in {"1", "4"}] or every
    return [" ".join(field.get_subfields("a", "b")) for field in fitting]


def _authors(record: Record) -> list[str]:
    """Return the people who made the work; where no person did, the bodies or meetings."""
    for tags in (("100", "700", "720"), ("110", "710"), ("111", "711")):
        made = (f for f in fields(record, *tags) if not (f.get_subfields("t") or _only_helped(f)))
        # A body's parts are subfields of their own; a person's number (`John Paul II`) too.
        named = (isbd.name(" ".join(f.get_subfields("a", "b"))) for f in made)
        if found := list(dict.fromkeys(filter(None, named))):
            return found
    return []


def _only_helped(field: Field) -> bool:
    roles = field.get_subfields("e", "4")
    return bool(roles) and all(_NO_AUTHORS.search(role[:100]) for role in roles)


def _dates(record: Record, host: Field | None) -> Iterator[str]:
    published = [field for field in record.get_fields("264") if field.indicator2 in {"1", " "}]
    for field in (*published, *record.get_fields("260", "264")):
        yield from field.get_subfields("c")
    for data in control(record, "008"):
        yield data[7:11]
    if host:
        yield from host.get_subfields("g", "d")
    yield from values(record, "d", "502")


def _place(record: Record) -> tuple[str, str, str]:
    """Return volume, issue and pages within the journal or book that a part stands in."""
    text = "; ".join(values(record, "g", "773"))[:_LONGEST_CITATION]
    volume, issue, pages = (
        next((found[1] for pattern in patterns if (found := pattern.search(text))), "")
        for patterns in (_VOLUMES, _ISSUES, _PAGES)
    )
    return volume, issue, pages


def _addresses(record: Record) -> tuple[list[str], list[str]]:
    """Return the addresses of the work itself, and those of what belongs to it."""
    own: list[str] = []
    related: list[str] = []
    for field in record.get_fields("856"):
        (related if field.indicator2 == "2" else own).extend(field.get_subfields("u"))
    return own, related


def _pmids(record: Record) -> Iterator[str]:
    for field in record.get_fields("024"):
        if "pmid" in map(str.lower, field.get_subfields("2")):
            yield from field.get_subfields("a")
    for number in values(record, "a", "035"):
        if found := _PUBMED.match(number.strip()):
            yield found[1]


def _keywords(record: Record) -> Iterator[str]:
    for field in record.get_fields("650", "600", "610", "611", "630", "651", "653", "689"):
        heads = field.get_subfields("a")
        if field.tag in {"653", "689"}:
            yield from map(isbd.keyword, heads)
        else:
            below = field.get_subfields("x", "z")
            yield "/".join(filter(None, map(isbd.keyword, (*heads[:1], *below))))


def _language(record: Record) -> str:
    codes = [
        code[at : at + 3]  # older records run several together: `engfre`
        for code in values(record, "a", "041")
        for at in range(0, len(code) if len(code) % 3 == 0 else 3, 3)
    ]
    codes = codes or [data[35:38] for data in control(record, "008")]
    known = (code for code in codes if code.isalpha() and code not in _UNKNOWN_LANGUAGES)
    return "; ".join(dict.fromkeys(known))


def _kind(record: Record, host: Field | None) -> Kind | None:
    """Tell the kind by its genre, then by the leader: what it is, and a part or a whole."""
    terms = values(record, "a", "655")
    genre = next((_GENRES[t] for t in map(str.lower, terms) if t in _GENRES), kinds.of(terms))
    if record.get_fields("502") or genre is Kind.THESIS:
        return Kind.THESIS
    leader = str(record.leader)
    if leader[6:7] not in _TEXT_TYPES:
        # Some catalogues give an electronic book the type of a computer file.
        return Kind.BOOK if leader[6:8] == "mm" and record.get_fields("020") else Kind.OTHER
    if leader[7:8] in {"a", "b"}:
        within_book = host and (
            host.get_subfields("z") or any(c[3:4] == "m" for c in host.get_subfields("7"))
        )
        return Kind.CHAPTER if within_book else Kind.ARTICLE
    if genre in {Kind.CONFERENCE, Kind.REPORT, Kind.ARTICLE, Kind.PREPRINT}:
        return genre
    return Kind.BOOK if leader[7:8] == "m" else genre


def _is_marc(item: Mapping[str, Any]) -> bool:
    fields = item.get("fields")
    return isinstance(item.get("leader"), str) and isinstance(fields, list)


_PREFIX = r"(?:[A-Za-z_][\w.-]{0,60}:)?"
# An answer's own `record` around the MARC has other elements first.
_CUT = xml.Cut(
    names="record",
    inside="datafield|controlfield",
    then=rf"\s*(?=<{_PREFIX}(?:leader|controlfield|datafield)\b)",
)
MARCXML = xml.XmlReader(_CUT, lambda element: parts(of_element(element)))
MARC_JSON = json_text.JsonReader(
    lambda _, items: any(map(_is_marc, items)), lambda item: parts(of_object(item))
)
