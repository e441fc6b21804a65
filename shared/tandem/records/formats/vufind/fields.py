"""The fields of VuFind's search index: what each holds of a record.

The names are those of VuFind's own schema and of the fields that sites add to it, recognised by
their endings (`doi_str_mv`, `author2_facet`).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

from tandem.records.formats import isbd
from tandem.records.formats.assembly import Parts
from tandem.records.formats.entry import Kind
from tandem.records.formats.fields import FieldMap
from tandem.records.formats.json import reader as json_text
from tandem.records.formats.json.values import texts

TELLING = frozenset(
    {
        *("title", "title_full", "title_short", "title_sort", "title_auth", "author", "author2"),
        *("author_facet", "author_sort", "description", "format", "publishDate", "url", "topic"),
        *("publishDateSort", "record_format", "recordtype", "container_title", "institution"),
        *("spelling", "spellingShingle", "collection"),
    }
)
"""Fields that tell a VuFind record from any other list of names and values."""

_ANSWER = re.compile(r'"(?:docs|responseHeader)"\s{0,10}:\s{0,10}[\[{]')
_ANSWER_SEARCHED = 20_000
_ANYBODYS = frozenset({"title", "author", "description", "format", "url", "topic", "collection"})
"""Fields of VuFind's that other JSON has, too."""

_SERIAL = {Kind.BOOK, Kind.THESIS, Kind.REPORT}
_DOI_NAME = re.compile(r"(?:^|_)doi(?:_|$)", re.I)
_PMID_NAME = re.compile(r"(?:^|_)(?:pmid|pubmed(?:_?id)?)(?:_|$)", re.I)


_FIELDS = FieldMap(
    titles="",
    abstracts="description abstract summary",
    dates="publishDate publishDateSort publish_date date year",
    journals="container_title journal_title",
    volume="container_volume volume",
    issue="container_issue issue",
    start="container_start_page container_reference pages",
    end="container_end_page",
    urls="url url_str_mv fulltext_url link links",
    keywords="topic topic_facet subject keyword keywords genre",
    language="language",
    refs="id record_id",
    types="format format_facet format_str_mv",
)
_SERIES = ("series", "series2", "journal", "hierarchy_parent_title")


def _refined(document: Mapping[str, Any], parts: Parts) -> Parts:
    def values(*names: str) -> list[str]:
        return [text for name in names for text in texts(document.get(name))]

    series = () if parts.kind in _SERIAL else values(*_SERIES)
    return replace(
        parts,
        titles=_titles(values),
        authors=_authors(values),
        journals=[*map(isbd.title, (*parts.journals, *series))],
        dois=(*_named(document, _DOI_NAME), *parts.urls, *values("id")),
        pmids=_named(document, _PMID_NAME),
        keywords=map(isbd.keyword, parts.keywords),
    )


parts = json_text.by_keys(_FIELDS, _refined)
"""Returns what the index's fields, by name, tell of their record."""


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
    found = (texts(value) for name, value in document.items() if pattern.search(str(name)[:100]))
    return list(chain.from_iterable(found))


def _is_solr(item: Mapping[str, Any], answers: bool) -> bool:
    found = item.keys() & TELLING
    return bool(found - _ANYBODYS) or (answers and bool(found))


def _tells(text: str, items: list[dict[str, Any]]) -> bool:
    answers = _ANSWER.search(text, 0, _ANSWER_SEARCHED) is not None
    return any(_is_solr(item, answers) for item in items)


SOLR_JSON = json_text.JsonReader(_tells, parts)
