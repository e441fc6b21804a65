"""EndNote's XML, as EndNote and the many programs that imitate it write it.

Values come bare or in pieces of styled text. EndNote up to its 7th edition wrote the same
names in capitals, with underscores (`REFERENCE_TYPE`) and without groups.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial

from lxml.etree import _Element as Element

from tandem.records.formats import kinds, normalise
from tandem.records.formats.assembly import Parts
from tandem.records.formats.entry import Kind
from tandem.records.formats.xml import reader as xml

_CUT = xml.Cut(
    names="record",
    inside="ref-type|reference_type|secondary-title|electronic-resource-num|source-app",
    then=r"\s*<(?:database|source-app|rec-number|foreign-keys|ref-type|contributors|titles|refnum"
    r"|reference_type|authors|auth-address|title|year|abstract|periodical|dates|urls|keywords"
    r"|accession-num|isbn|label|notes|language|pages|volume|number|publisher|custom[1-9]"
    r"|electronic-resource-num|remote-database-name)\b",
    any_case=True,
)
_TYPES = {
    **dict.fromkeys(("17", "19", "23", "43"), Kind.ARTICLE),
    **dict.fromkeys(("6", "28", "44"), Kind.BOOK),
    **dict.fromkeys(("5", "60"), Kind.CHAPTER),
    **dict.fromkeys(("10", "47"), Kind.CONFERENCE),
    **dict.fromkeys(("27", "46"), Kind.REPORT),
    "32": Kind.THESIS,
}
"""EndNote's numbers, for files that give a type no name."""

_OLD_TYPES = {
    "0": Kind.ARTICLE,
    "1": Kind.BOOK,
    "2": Kind.THESIS,
    "3": Kind.CONFERENCE,
    "7": Kind.CHAPTER,
    "10": Kind.REPORT,
}
"""The numbers before EndNote 8."""

_PUBMED = re.compile(r"pubmed|medline|^nlm$", re.I)
_NAMED_PMID = re.compile(r"\b(?:PMID|PUBMED|MEDLINE)\b[: ]\s*([0-9]{1,8})(?![0-9])", re.I)
_LONGEST_NOTE = 100

_Values = Callable[..., list[str]]


def _parts(record: Element) -> Parts:
    for each in record.iter():
        each.tag = str(each.tag).lower().replace("_", "-")

    values, first = partial(xml.texts, record), partial(xml.first, record)
    journals = values(
        "periodical/full-title",
        "titles/secondary-title",
        "secondary-title",
        "alt-periodical/full-title",
        "titles/alt-title",
        "periodical/abbr-1",
        "titles/tertiary-title",
    )
    urls = _lines(record, "urls//url", "url")
    notes = "\n".join(values("notes", "research-notes"))
    keywords = _lines(record, "keywords/keyword")
    return Parts(
        titles=values(
            "titles/title", "title", "titles/translated-title", "titles/short-title", "short-title"
        ),
        abstracts=(" ".join(values("abstract")), " ".join(values("titles/abstract"))),
        authors=_authors(record),
        dates=values("dates/year", "year", "dates/pub-dates/date", "date"),
        journals=journals,
        volume=first("volume"),
        issue=first("number", "issue"),
        pages=(first("pages"), ""),
        dois=(*values("electronic-resource-num", "doi"), *urls, *values("accession-num", "label")),
        pmids=_pmids(values, urls),
        urls=urls,
        keywords=keywords,
        language=first("language"),
        refs=values("accession-num", "rec-number", "refnum", "foreign-keys/key"),
        kind=_kind(record, journals),
        notes=[notes],
    )


def _authors(record: Element) -> list[str]:
    """Return authors; editors where a record has none."""
    for paths in (
        ("contributors/authors/author", "authors/author"),
        ("contributors/secondary-authors/author", "secondary-authors/secondary-author"),
        ("contributors/tertiary-authors/author",),
    ):
        if found := _lines(record, *paths):
            return found
    return []


def _lines(record: Element, *paths: str) -> list[str]:
    """Return the values at `paths`, those apart that stand in one with `&#xD;` between them."""
    values = (xml.text_of(each) for path in paths for each in record.iterfind(path))
    return [part.strip() for text in values for part in text.split("\r") if part.strip()]


def _pmids(values: _Values, urls: list[str]) -> Iterator[str | None]:
    """Yield PubMed numbers, the certain ones first."""
    yield from map(normalise.pmid, values("pmid", "pubmed-id"))
    sources = values("remote-database-name", "remote-database-provider")
    if any(_PUBMED.search(source.strip()[:_LONGEST_NOTE]) for source in sources):
        for number in values("accession-num"):
            yield normalise.pmid(number, guessed=True)
    for text in values("accession-num", "notes", "custom1", "custom2", "custom5", "custom6"):
        if named := _NAMED_PMID.search(text[:_LONGEST_NOTE]):
            yield normalise.pmid(named[1])
    yield from map(normalise.pmid_in_url, urls)


def _kind(record: Element, journals: list[str]) -> Kind | None:
    types = xml.texts(record, "work-type")
    number = None
    if (element := record.find("ref-type")) is not None:
        text = xml.text_of(element).strip()
        types.insert(0, element.get("name") or text)
        number = _TYPES.get(text)
    elif (element := record.find("reference-type")) is not None:
        number = _OLD_TYPES.get(xml.text_of(element).strip())
    sources = (*journals, *xml.texts(record, "publisher"))
    return kinds.of(types, sources) or number


ENDNOTE_XML = xml.XmlReader(_CUT, _parts)
