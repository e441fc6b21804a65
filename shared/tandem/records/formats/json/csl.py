"""CSL-JSON, as Zotero, Mendeley, pandoc and citation.js write it, and Crossref's near relation."""

from collections.abc import Mapping
from typing import Any

from tandem.records.formats import kinds
from tandem.records.formats.assembly import Parts
from tandem.records.formats.entry import Kind
from tandem.records.formats.json import reader as json_text
from tandem.records.formats.json.priors import decisions
from tandem.records.formats.json.values import dates, people, text, texts
from tandem.records.marks import is_mark

_OWN = frozenset(
    {
        *("container-title", "issued", "citation-key", "date-parts", "collection-title"),
        *("publisher-place", "container-title-short", "event-place", "number-of-pages"),
        *("title-short", "original-date", "short-container-title", "citation-label"),
    }
)
"""Keys that no other format has."""

_TYPES = frozenset(
    {
        *("article-journal", "article-magazine", "article-newspaper", "paper-conference"),
        *("chapter", "book", "thesis", "report", "entry-encyclopedia", "entry-dictionary"),
        *("post-weblog", "webpage", "manuscript", "speech", "motion_picture", "review-book"),
        *("legal_case", "personal_communication", "document", "dataset", "software"),
    }
)
_OTHERS = frozenset({"authors", "authorships", "creators", "itemType", "abstract_inverted_index"})
_LONGEST_NOTE = 100_000


def _is_csl(item: Mapping[str, Any]) -> bool:
    if not item.keys() & {"title", "container-title", "author", "DOI"}:
        return False
    if item.keys() & _OWN:
        return True
    authors = item.get("author")
    by_family = isinstance(authors, list) and any(
        isinstance(one, Mapping) and one.keys() & {"family", "literal"} for one in authors
    )
    return item.get("type") in _TYPES and (by_family or not item.keys() & _OTHERS)


def parts(item: Mapping[str, Any]) -> Parts:
    """Return what an item tells of its record."""

    def values(*names: str) -> list[str]:
        return [one for name in names for one in texts(item.get(name))]

    notes = [note[:_LONGEST_NOTE] for note in values("note", "annote") if not is_mark(note)]
    custom = item.get("custom")
    return Parts(
        titles=values("title", "original-title", "title-short", "container-title"),
        abstracts=values("abstract"),
        authors=people(item.get("author") or item.get("editor") or item.get("collection-editor")),
        dates=[
            date
            for name in (*_PUBLISHED, "year", "original-date", "created")
            for date in dates(item.get(name))
        ],
        journals=values("container-title", "collection-title", "container-title-short", "event"),
        volume=text(item.get("volume")),
        issue=text(item.get("issue")) or text(item.get("number")),
        pages=(text(item.get("page")) or text(item.get("article-number")), ""),
        dois=values("DOI", "doi", "URL"),
        pmids=values("PMID", "pmid"),
        urls=values("URL", "url"),
        keywords=_keywords(item),
        language=text(item.get("language")),
        refs=[*values("id"), *values("citation-key")],
        kind=_kind(item),
        notes=notes,
        priors=decisions(custom.get("tandem")) if isinstance(custom, Mapping) else (),
    )


_PUBLISHED = ("issued", "published", "published-print", "published-online", "event-date")


def _keywords(item: Mapping[str, Any]) -> list[str]:
    listed = item.get("keyword") or item.get("keywords") or item.get("subject")
    if isinstance(listed, list):
        return list(texts(listed))
    words = text(listed)
    return [words] if ";" in words else words.split(",")


def _kind(item: Mapping[str, Any]) -> Kind | None:
    named = text(item.get("type"))
    sources = [*texts(item.get("container-title")), *texts(item.get("publisher"))]
    if named == "article" and not sources:
        return Kind.PREPRINT
    return kinds.of([named, text(item.get("genre"))], sources)


CSL_JSON = json_text.JsonReader(lambda _, items: any(map(_is_csl, items)), parts)
