"""Answers of a VuFind catalogue's search index (Solr), in JSON."""

import re
from collections.abc import Mapping
from typing import Any

from tandem.records.formats.json import reader as json_text
from tandem.records.formats.vufind import fields as solr_fields

_ANSWER = re.compile(r'"(?:docs|responseHeader)"\s{0,10}:\s{0,10}[\[{]')
_ANSWER_SEARCHED = 20_000
_ANYBODYS = frozenset({"title", "author", "description", "format", "url", "topic", "collection"})
"""Fields of VuFind's that other JSON has, too."""


def _is_solr(item: Mapping[str, Any], answers: bool) -> bool:
    found = item.keys() & solr_fields.TELLING
    return bool(found - _ANYBODYS) or (answers and bool(found))


def _tells(text: str, items: list[dict[str, Any]]) -> bool:
    answers = _ANSWER.search(text, 0, _ANSWER_SEARCHED) is not None
    return any(_is_solr(item, answers) for item in items)


SOLR_JSON = json_text.JsonReader(_tells, solr_fields.parts)
