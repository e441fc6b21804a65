"""CSL-JSON, as Zotero, Mendeley, pandoc and citation.js write it, and Crossref's near relation."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tandem.records.formats.assembly import Parts
from tandem.records.formats.entry import Kind
from tandem.records.formats.fields import FieldMap
from tandem.records.formats.json import reader as json_text
from tandem.records.formats.json.values import dates, decisions, people, text, texts

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


_FIELDS = FieldMap(
    titles="title original-title title-short container-title",
    abstracts="abstract",
    journals="container-title collection-title container-title-short event",
    volume="volume",
    issue="issue number",
    start="page article-number",
    dois="DOI doi URL",
    pmids="PMID pmid",
    urls="URL url",
    language="language",
    refs="id citation-key",
    types="type genre",
    publisher="publisher",
    notes="note annote",
)
_DATES = (
    *("issued", "published", "published-print", "published-online", "event-date"),
    *("year", "original-date", "created"),
)


def _refined(item: Mapping[str, Any], parts: Parts) -> Parts:
    custom = item.get("custom")
    is_preprint = text(item.get("type")) == "article" and not any(
        item.get(name) for name in ("container-title", "publisher")
    )
    return replace(
        parts,
        authors=people(item.get("author") or item.get("editor") or item.get("collection-editor")),
        dates=[date for name in _DATES for date in dates(item.get(name))],
        keywords=_keywords(item),
        kind=Kind.PREPRINT if is_preprint else parts.kind,
        priors=decisions(custom.get("tandem")) if isinstance(custom, Mapping) else (),
    )


def _keywords(item: Mapping[str, Any]) -> list[str]:
    listed = item.get("keyword") or item.get("keywords") or item.get("subject")
    if isinstance(listed, list):
        return list(texts(listed))
    words = text(listed)
    return [words] if ";" in words else words.split(",")


CSL_JSON = json_text.JsonReader(
    lambda _, items: any(map(_is_csl, items)), json_text.by_keys(_FIELDS, _refined)
)
