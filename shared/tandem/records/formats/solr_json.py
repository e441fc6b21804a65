"""Answers of a VuFind catalogue's search index (Solr), in JSON."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tandem.records.formats import json_text, solr_fields
from tandem.records.formats.entry import Entry, Rejection

_ANSWER = re.compile(r'"(?:docs|responseHeader)"\s{0,10}:\s{0,10}[\[{]')
_ANSWER_SEARCHED = 20_000
_ANYBODYS = frozenset({"title", "author", "description", "format", "url", "topic", "collection"})
"""Fields of VuFind's that other JSON has, too."""


def begins(text: str) -> int | None:
    """Return where the JSON begins if its first records are VuFind's, or None."""
    at = json_text.opening(text)
    if at is None:
        return None
    answers = _ANSWER.search(text, at, at + _ANSWER_SEARCHED) is not None
    return at if any(_is_solr(one, answers) for one in json_text.sample(text)) else None


def count(text: str) -> int:
    """Return how many records `read` yields, without normalising them."""
    return 0 if begins(text) is None else sum(1 for _ in json_text.items(text))


def read(text: str) -> Iterator[Entry | Rejection]:
    """Yield every record in order, one that cannot be read as its rejection."""
    return json_text.entries(text, solr_fields.parts) if begins(text) is not None else iter(())


def _is_solr(item: Mapping[str, Any], answers: bool) -> bool:
    found = item.keys() & solr_fields.TELLING
    return bool(found - _ANYBODYS) or (answers and bool(found))
