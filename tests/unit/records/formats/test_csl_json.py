import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.records.formats import reading
from tandem.records.formats.entry import Entry, Kind, Prior, Rejection
from tandem.records.formats.json.csl import CSL_JSON
from unit.records.formats.tagged_lines import any_text, only, read, titles

ITEM: dict[str, Any] = {
    "id": "okafor2019",
    "type": "article-journal",
    "title": "Sleep and <i>memory</i>",
    "author": [
        {"family": "Okafor", "given": "Ada"},
        {"family": "Berg", "given": "Bo", "non-dropping-particle": "van den"},
        {"literal": "The Group"},
    ],
    "issued": {"date-parts": [[2019, 3]]},
    "container-title": "Journal of Rest",
    "volume": 7,
    "issue": "2",
    "page": "101-109",
    "DOI": "10.1234/REST",
    "URL": "https://example.org/a",
    "abstract": "People sleep.",
    "keyword": "sleep, memory",
    "language": "en",
    "note": "PMID: 31234567\nPMCID: PMC1",
}


def test_an_item_is_read_whole() -> None:
    text = json.dumps([ITEM])
    assert only(CSL_JSON, text) == Entry(
        title="Sleep and memory",
        abstract="People sleep.",
        authors=("Okafor, Ada", "van den Berg, Bo", "The Group"),
        year=2019,
        journal="Journal of Rest",
        volume="7",
        issue="2",
        pages="101-109",
        doi="10.1234/rest",
        pmid="31234567",
        url="https://example.org/a",
        keywords=("sleep", "memory"),
        language="en",
        ref="okafor2019",
        raw=text[1:-1],
        kind=Kind.ARTICLE,
    )


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ITEM),
        json.dumps({"items": [ITEM]}),
        json.dumps(ITEM) + "\n" + json.dumps({"type": "book", "title": "Other"}),
        json.dumps([ITEM], indent=2),
    ],
)
def test_the_items_stand_alone_in_a_list_or_line_by_line(text: str) -> None:
    assert titles(CSL_JSON, text)[0] == "Sleep and memory"
    assert reading.read(text.encode()).format == "csl_json"


def test_works_of_crossref_are_nearly_the_same() -> None:
    work = {
        "DOI": "10.1234/X", "title": ["T"], "container-title": ["J"], "type": "posted-content",
        "author": [{"given": "Ada", "family": "Okafor", "sequence": "first"}],
        "published": {"date-parts": [[2020]]}, "abstract": "<jats:p>A.</jats:p>",
    }  # fmt: skip
    answer = {"status": "ok", "message": {"facets": {}, "items": [work, work], "total-results": 2}}
    first, second = read(CSL_JSON, json.dumps(answer))
    assert isinstance(first, Entry)
    assert first == second
    assert (first.title, first.journal, first.abstract, first.year) == ("T", "J", "A.", 2020)
    assert first.kind is Kind.PREPRINT
    assert titles(CSL_JSON, json.dumps({"status": "ok", "message": work})) == ["T"]


@pytest.mark.parametrize(
    ("issued", "year"),
    [
        ({"date-parts": [["2019"]]}, 2019),
        ({"raw": "12 May 2019"}, 2019),
        ({"literal": "2019"}, 2019),
        ("2019-05", 2019),
        ({"date-parts": [[]]}, None),
        ({"date-parts": [[None]]}, None),
    ],
)
def test_dates(issued: object, year: int | None) -> None:
    assert only(CSL_JSON, json.dumps([{**ITEM, "issued": issued}])).year == year


def test_an_article_that_appeared_nowhere_is_a_preprint() -> None:
    kinds = [
        only(CSL_JSON, json.dumps([{"type": "article", "title": "T", "issued": {}, **more}])).kind
        for more in ({}, {"container-title": "bioRxiv"}, {"container-title": "J"})
    ]
    assert kinds == [Kind.PREPRINT, Kind.PREPRINT, Kind.ARTICLE]


def test_decisions_exported_from_here_come_back() -> None:
    decision = {"reviewer": "Ann", "verdict": "exclude", "reasons": ["age"], "labels": ["x"]}
    item = {**ITEM, "custom": {"tandem": {"decisions": [decision]}}}
    assert only(CSL_JSON, json.dumps([item])).priors == (Prior("exclude", "Ann", ("age",), ("x",)),)


@pytest.mark.parametrize(
    "broken",
    [
        '{"id": "x", "title": "T", "volume": }',
        '{"id": "x, "title": "T"}',
        '"id": "x", "title": "T"}',
        '{"id": "x", "title": "T"',
        '{"id": "x", "a": ' + "[" * 5000 + "}",
        "7",
        '{"id": "x"}',
    ],
)
@pytest.mark.parametrize("separator", [",\n", ","])
def test_a_bad_item_is_one_rejection(broken: str, separator: str) -> None:
    good = json.dumps(ITEM)
    first, bad, last = read(CSL_JSON, "[" + separator.join([good, broken, good]) + "]")
    assert isinstance(bad, Rejection)
    assert isinstance(first, Entry)
    assert first == last


def test_a_cut_off_file_loses_the_last_item_only() -> None:
    text = json.dumps([ITEM, ITEM, ITEM])
    *whole, last = read(CSL_JSON, text[:-40])
    assert [type(item) for item in whole] == [Entry, Entry]
    assert isinstance(last, Rejection)


def test_an_endless_item_is_one_rejection() -> None:
    text = json.dumps([ITEM, {**ITEM, "abstract": "word " * 250_000}, ITEM])
    _, long, last = read(CSL_JSON, text)
    assert isinstance(long, Rejection)
    assert long.reason == "longer than 1,000,000 characters"
    assert isinstance(last, Entry)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(ITEM)), values))
def test_values_of_any_type(item: dict[str, Any]) -> None:
    assert len(read(CSL_JSON, json.dumps([ITEM, item, ITEM]))) == 3


@given(any_text, st.integers(0, 400))
def test_anything_is_read_to_its_end(text: str, at: int) -> None:
    whole = json.dumps([ITEM, ITEM])
    read(CSL_JSON, text)
    read(CSL_JSON, whole[:at] + text + whole[at:])
