"""The fields of VuFind's search index: what each holds of a record.

The names are those of VuFind's own schema and of the fields that sites add to it, told by
their endings (`doi_str_mv`, `author2_facet`).
"""

import re
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from tandem.records.formats import isbd, kinds
from tandem.records.formats.assembly import Parts
from tandem.records.formats.entry import Kind

TELLING = frozenset(
    {
        *("title", "title_full", "title_short", "title_sort", "title_auth", "author", "author2"),
        *("author_facet", "author_sort", "description", "format", "publishDate", "url", "topic"),
        *("publishDateSort", "record_format", "recordtype", "container_title", "institution"),
        *("spelling", "spellingShingle", "collection"),
    }
)
"""Fields that tell a VuFind record from any other list of names and values."""

_SERIAL = {Kind.BOOK, Kind.THESIS, Kind.REPORT}
_DOI_NAME = re.compile(r"(?:^|_)doi(?:_|$)", re.I)
_PMID_NAME = re.compile(r"(?:^|_)(?:pmid|pubmed(?:_?id)?)(?:_|$)", re.I)


def parts(document: Mapping[str, Any]) -> Parts:
    """Return what `document`, the index's fields by name, tells of its record.

    A field's value may be a text, a number or a list of them; anything else is passed over.
    """

    def values(*names: str) -> list[str]:
        return [text for name in names for text in _texts(document.get(name))]

    def first(*names: str) -> str:
        return next(filter(None, values(*names)), "")

    kind = kinds.of(values("format", "format_facet", "format_str_mv"), values("container_title"))
    series = (
        () if kind in _SERIAL else values("series", "series2", "journal", "hierarchy_parent_title")
    )
    urls = values("url", "url_str_mv", "fulltext_url", "link", "links")
    return Parts(
        titles=_titles(values),
        abstracts=_abstracts(values),
        authors=_authors(values),
        dates=values("publishDate", "publishDateSort", "publish_date", "date", "year"),
        journals=map(isbd.title, (*values("container_title", "journal_title"), *series)),
        volume=first("container_volume", "volume"),
        issue=first("container_issue", "issue"),
        pages=(
            first("container_start_page", "container_reference", "pages"),
            first("container_end_page"),
        ),
        dois=(*_named(document, _DOI_NAME), *urls, *values("id")),
        pmids=_named(document, _PMID_NAME),
        urls=urls,
        keywords=map(
            isbd.keyword, values("topic", "topic_facet", "subject", "keyword", "keywords", "genre")
        ),
        language="; ".join(dict.fromkeys(values("language"))),
        refs=values("id", "record_id"),
        kind=kind,
    )


def _titles(values: Any) -> Iterable[str]:
    """Yield titles, the one without a statement of who made the work first."""
    short, rest = values("title_short"), values("title_sub")
    yield from map(isbd.title, values("title"))
    if short:
        yield isbd.title(short[0], *rest[:1])
    yield from (
        isbd.title(text.split(" / ", 1)[0]) for text in values("title_full", "title_fullStr")
    )
    yield from map(isbd.title, values("title_auth", "title_full_unstemmed", "title_alt"))


def _abstracts(values: Any) -> Iterable[str]:
    return (" ".join(values(name)) for name in ("description", "abstract", "summary"))


def _authors(values: Any) -> list[str]:
    """Return main and further authors, or the corporate ones, or those of the facet."""
    for names in (
        ("author", "author2", "author_corporate"),
        ("author_facet",),
        ("author_variant", "author_sort"),
    ):
        if found := list(dict.fromkeys(filter(None, map(isbd.name, values(*names))))):
            return found
    return []


def _named(document: Mapping[str, Any], pattern: re.Pattern[str]) -> list[str]:
    found = (_texts(value) for name, value in document.items() if pattern.search(str(name)[:100]))
    return list(chain.from_iterable(found))


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value] if value.strip() else []
    if isinstance(value, bool) or value is None:
        return []
    if isinstance(value, int | float):
        return [str(value)]
    if isinstance(value, list | tuple):
        return [text for item in value if not isinstance(item, list) for text in _texts(item)]
    return []
