"""MODS, the Library of Congress's own successor of MARC: single or in a collection."""

from collections.abc import Iterator
from dataclasses import replace

from lxml.etree import _Element as Element

from tandem.records.formats import isbd, kinds
from tandem.records.formats.assembly import Parts
from tandem.records.formats.entry import Kind
from tandem.records.formats.fields import FieldMap
from tandem.records.formats.xml import reader as xml
from tandem.records.formats.xml import tree

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

_HOST = "relatedItem[@type='host']"
_DATES = ("dateIssued", "copyrightDate", "dateCreated", "dateOther")


def _in_parts(*paths: str) -> str:
    """Return `paths` within the part of the host that the work is, or of the work itself."""
    return " ".join(f"{within}part/{path}" for within in (f"{_HOST}/", "") for path in paths)


def _detail(kind: str) -> str:
    return _in_parts(f"detail[@type='{kind}']/number", f"detail[@type='{kind}']/caption")


_URLS = "location/url identifier[@type='uri']"
_FIELDS = FieldMap(
    titles="",
    abstracts="abstract",
    dates=" ".join(f"{within}originInfo/{date}" for within in ("", f"{_HOST}/") for date in _DATES)
    + " "
    + _in_parts("date"),
    volume=_detail("volume"),
    issue=f"{_detail('issue')} {_detail('number')}",
    start=_in_parts("extent/start", "extent/list"),
    end=_in_parts("extent/end"),
    dois=f"identifier[@type='doi'] {_URLS} identifier",
    pmids="identifier[@type='pmid'] identifier[@type='pubmed'] identifier[@type='pm']",
    urls=_URLS,
    language="language/languageTerm[@type='code']|language/languageTerm|language",
    refs="recordInfo/recordIdentifier",
    types="genre",
)


def _prepared(record: Element) -> Element:
    """Return the record less lengths in minutes and the like, and less what is not valid."""
    for extent in record.findall(".//extent"):
        if not extent.get("unit", "page").lower().startswith("p"):
            _drop(extent)
    for identifier in record.findall("identifier"):
        identifier.set("type", identifier.get("type", "").lower())
        if identifier.get("invalid") == "yes":
            _drop(identifier)
    return record


def _drop(element: Element) -> None:
    if (parent := element.getparent()) is not None:
        parent.remove(element)


def _refined(record: Element, parts: Parts) -> Parts:
    hosts = record.findall(_HOST)
    journals = [title for host in hosts for title in _titles(host)]
    return replace(
        parts,
        titles=_titles(record),
        authors=_authors(record),
        journals=journals,
        keywords=_keywords(record),
        refs=[*parts.refs, record.get("ID") or ""],
        kind=kinds.of(tree.texts(record, "genre"), journals) or _kind(record, hosts),
    )


def _titles(element: Element) -> list[str]:
    """Return titles, the one that is neither abbreviated nor translated first."""
    found = sorted(element.iterfind("titleInfo"), key=lambda each: each.get("type") is not None)
    return list(filter(None, map(_title, found)))


def _title(info: Element) -> str:
    article = tree.first(info, "nonSort").strip()
    title = tree.first(info, "title").strip()
    joined = article + title if article.endswith(("'", "’", "-")) else f"{article} {title}"
    rest = tree.texts(info, "subTitle", "partNumber", "partName")
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
    roles = {role.strip().lower() for role in tree.texts(name, "role/roleTerm", "role")}
    return roles or {""}


def _name(name: Element) -> str:
    family, given, terms = (
        " ".join(tree.texts(name, f"namePart[@type='{part}']"))
        for part in ("family", "given", "termsOfAddress")
    )
    if family:
        return tree.name(family, f"{given} {terms}")
    whole = [tree.text_of(each) for each in name.iterfind("namePart") if not each.get("type")]
    return isbd.name(" ".join((*whole, given)).strip() or tree.first(name, "displayForm"))


def _keywords(record: Element) -> Iterator[str]:
    for subject in record.iterfind("subject"):
        heads = tree.texts(subject, "topic", "geographic", "temporal", "genre")
        heads += filter(None, map(_name, subject.iterfind("name")))
        heads += (title for info in subject.iterfind("titleInfo") if (title := _title(info)))
        # Pieces of one heading if the subject comes from a list of headings, else words alone.
        yield from [" / ".join(heads)] if subject.get("authority") else heads


def _kind(record: Element, hosts: list[Element]) -> Kind | None:
    within = [word for host in hosts for word in tree.texts(host, "genre", "originInfo/issuance")]
    if hosts:
        books = {"book", "monographic"}.intersection(map(str.lower, within))
        return Kind.CHAPTER if books else Kind.ARTICLE
    issuance = map(str.lower, tree.texts(record, "originInfo/issuance"))
    books = {"monographic", "single unit", "multipart monograph"}.intersection(issuance)
    return Kind.BOOK if books else None


MODS = xml.XmlReader(_CUT, xml.by_paths(_FIELDS, _refined, _prepared))
