import json
from typing import Any

import pytest
from hypothesis import given

from tandem.records.formats import reading
from tandem.records.formats.entry import Entry, Rejection
from tandem.records.formats.vufind.fields import SOLR_JSON
from unit.records.formats.tagged_lines import any_text, only, read

DOCUMENT: dict[str, Any] = {
    "id": "690250223",
    "record_format": "marc",
    "title": "Sleep and memory",
    "author": ["Okafor, Ada"],
    "publishDate": ["2012"],
    "language": ["English"],
    "format": ["Book"],
}


def answer(*documents: object) -> str:
    return json.dumps(
        {
            "responseHeader": {"status": 0, "params": {"q": "x"}},
            "response": {"numFound": len(documents), "start": 0, "docs": documents},
            "facet_counts": {"facet_fields": {"topic": ["a", 1]}},
        }
    )


def test_documents_of_an_answer() -> None:
    entry = only(SOLR_JSON, answer(DOCUMENT))
    assert (entry.title, entry.authors) == ("Sleep and memory", ("Okafor, Ada",))
    assert (entry.year, entry.ref, entry.language) == (2012, "690250223", "English")
    assert json.loads(entry.raw) == DOCUMENT


@pytest.mark.parametrize(
    "text", [answer(DOCUMENT), json.dumps([DOCUMENT]), json.dumps(DOCUMENT), answer({"title": "T"})]
)
def test_it_is_distinguished_from_other_json(text: str) -> None:
    assert reading.read(text.encode()).format == "solr_json"


def test_json_of_others_is_not_claimed() -> None:
    assert SOLR_JSON.begins(json.dumps([{"title": "T", "url": "u", "author": "A"}])) is None


def test_a_bad_document_is_one_rejection() -> None:
    text = answer(DOCUMENT, DOCUMENT, DOCUMENT)
    second = text.index('"690250223"', text.index('"690250223"') + 1)
    first, bad, last = read(SOLR_JSON, text[:second] + text[second + 1 :])
    assert isinstance(bad, Rejection)
    assert isinstance(first, Entry)
    assert first == last


@given(any_text)
def test_anything_is_read_to_its_end(text: str) -> None:
    read(SOLR_JSON, text)
    whole = answer(DOCUMENT, DOCUMENT)
    read(SOLR_JSON, whole[: len(text)] + text + whole[len(text) :])
