"""MODS, the Library of Congress's own successor of MARC: single or in a collection."""

from collections.abc import Iterator

from lxml.etree import _Element as Element

from tandem.records.formats import isbd, kinds, normalise
from tandem.records.formats.assembly import Parts
from tandem.records.formats.entry import Kind
from tandem.records.formats.xml import reader as xml

_PREFIX = r"(?:[A-Za-z_][\w.-]{0,60}:)?"
_ELEMENTS = (
    "titleInfo|name|typeOfResource|genre|originInfo|language|physicalDescription|abstract"
    "|tableOfContents|targetAudience|note|subject|classification|relatedItem|identifier|location"
    "|accessCondition|part|extension|recordInfo"
)
_CUT = xml.Cut(
    names="mods",
    inside="titleInfo|originInfo",
    then=rf"\s*(?:<!--[^<>]{{0,2000}}-->\s*)?(?=<{_PREFIX}(?:{_ELEMENTS})\b)",
)

_AUTHORS = frozenset({"", "aut", "cre", "author", "creator", "dis", "dissertant"})
_EDITORS = frozenset({"edt", "editor", "com", "compiler", "pbd"})
_DATES = ("dateIssued", "copyrightDate", "dateCreated", "dateOther")


def _parts(record: Element) -> Parts:
    hosts = [each for each in record.iterfind("relatedItem") if each.get("type") == "host"]
    places = [part for each in (*hosts, record) for part in each.iterfind("part")]
    journals = [title for host in hosts for title in _titles(host)]
    addresses = xml.texts(record, "location/url", "identifier[@type='uri']")
    start, end = next(filter(any, map(_pages, places)), ("", ""))
    return Parts(
        titles=_titles(record),
        abstracts=(" ".join(xml.texts(record, "abstract")),),
        authors=_authors(record),
        dates=_dates(record, places, hosts),
        journals=journals,
        volume=_detail(places, "volume"),
        issue=_detail(places, "issue") or _detail(places, "number"),
        pages=(start, end),
        dois=(*_identifiers(record, "doi"), *addresses, *xml.texts(record, "identifier")),
        pmids=map(normalise.pmid, _identifiers(record, "pmid", "pubmed", "pm")),
        urls=addresses,
        keywords=_keywords(record),
        language=_language(record),
        refs=(*xml.texts(record, "recordInfo/recordIdentifier"), *filter(None, [record.get("ID")])),
        kind=_kind(record, hosts, journals),
    )


def _titles(element: Element) -> list[str]:
    """Return titles, the one that is neither abbreviated nor translated first."""
    found = sorted(element.iterfind("titleInfo"), key=lambda each: each.get("type") is not None)
    return list(filter(None, map(_title, found)))


def _title(info: Element) -> str:
    article = xml.first(info, "nonSort").strip()
    title = xml.first(info, "title").strip()
    joined = article + title if article.endswith(("'", "’", "-")) else f"{article} {title}"
    rest = xml.texts(info, "subTitle", "partNumber", "partName")
    return isbd.title(joined, *rest)


def _authors(record: Element) -> list[str]:
    """Return authors; where none is called so, editors, then everybody named."""
    people = [(name, _roles(name)) for name in record.iterfind("name")]
    for wanted in (_AUTHORS, _EDITORS, None):
        fitting = [name for name, roles in people if wanted is None or roles & wanted]
        if found := list(filter(None, map(_name, fitting))):
            return found
    return []


def _roles(name: Element) -> set[str]:
    roles = {role.strip().lower() for role in xml.texts(name, "role/roleTerm", "role")}
    return roles or {""}


def _name(name: Element) -> str:
    family, given, terms = (
        " ".join(" ".join(xml.texts(name, f"namePart[@type='{part}']")).split())
        for part in ("family", "given", "termsOfAddress")
    )
    if family:
        return ", ".join(filter(None, (family, f"{given} {terms}".strip())))
    whole = [xml.text_of(each) for each in name.iterfind("namePart") if not each.get("type")]
    return isbd.name(" ".join((*whole, given)).strip() or xml.first(name, "displayForm"))


def _dates(record: Element, places: list[Element], hosts: list[Element]) -> Iterator[str]:
    for each in (record, *hosts):
        for name in _DATES:
            yield from xml.texts(each, f"originInfo/{name}")
    for place in places:
        yield from xml.texts(place, "date")


def _detail(places: list[Element], kind: str) -> str:
    found = (
        xml.first(place, f"detail[@type='{kind}']/number", f"detail[@type='{kind}']/caption")
        for place in places
    )
    return next(filter(None, found), "")


def _pages(place: Element) -> tuple[str, str]:
    for extent in place.iterfind("extent"):
        if extent.get("unit", "page").lower().startswith("p"):
            return xml.first(extent, "start", "list"), xml.first(extent, "end")
    return "", ""


def _identifiers(record: Element, *types: str) -> list[str]:
    found = (each for each in record.iterfind("identifier") if each.get("invalid") != "yes")
    return [xml.text_of(each) for each in found if each.get("type", "").lower() in types]


def _keywords(record: Element) -> Iterator[str]:
    for subject in record.iterfind("subject"):
        heads = xml.texts(subject, "topic", "geographic", "temporal", "genre")
        heads += filter(None, map(_name, subject.iterfind("name")))
        heads += (title for info in subject.iterfind("titleInfo") if (title := _title(info)))
        # Pieces of one heading if the subject comes from a list of headings, else words alone.
        yield from [" / ".join(heads)] if subject.get("authority") else heads


def _language(record: Element) -> str:
    paths = ("language/languageTerm[@type='code']", "language/languageTerm", "language")
    terms = next(filter(None, (xml.texts(record, path) for path in paths)), [])
    return "; ".join(dict.fromkeys(term.strip() for term in terms))


def _kind(record: Element, hosts: list[Element], journals: list[str]) -> Kind | None:
    genres = xml.texts(record, "genre")
    if kind := kinds.of(genres, journals):
        return kind
    if hosts:
        within = [
            word for host in hosts for word in xml.texts(host, "genre", "originInfo/issuance")
        ]
        monograph = any(word.strip().lower() in {"book", "monographic"} for word in within)
        return Kind.CHAPTER if monograph else Kind.ARTICLE
    issuance = {word.strip().lower() for word in xml.texts(record, "originInfo/issuance")}
    return Kind.BOOK if issuance & {"monographic", "single unit", "multipart monograph"} else None


MODS = xml.XmlReader(_CUT, _parts)
