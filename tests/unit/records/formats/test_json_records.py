import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.records.formats import reading
from tandem.records.formats.entry import Entry, Kind, Prior, Rejection
from tandem.records.formats.json.records import JSON
from unit.records.formats.tagged_lines import any_text, only, read, titles

DOAJ: dict[str, Any] = {
    "last_updated": "2020-01-02T00:00:00Z",
    "id": "0a1b",
    "bibjson": {
        "title": "Sleep",
        "abstract": "People sleep.",
        "author": [{"name": "Ada Okafor", "affiliation": "X"}, {"name": "Bo Lind"}],
        "year": "2019",
        "month": "3",
        "start_page": "101",
        "end_page": "109",
        "journal": {
            "title": "Journal of Rest",
            "volume": "7",
            "number": "2",
            "publisher": "Rest Press",
            "language": ["EN"],
        },
        "identifier": [{"type": "pissn", "id": "1234-5678"}, {"type": "doi", "id": "10.1234/REST"}],
        "link": [{"type": "fulltext", "url": "https://example.org/a"}],
        "keywords": ["sleep", "health, mental"],
        "subject": [{"scheme": "LCC", "code": "R", "term": "Medicine"}],
    },
}


def test_a_record_of_doaj_is_read_whole() -> None:
    text = json.dumps([DOAJ])
    assert only(JSON, text) == Entry(
        title="Sleep",
        abstract="People sleep.",
        authors=("Ada Okafor", "Bo Lind"),
        year=2019,
        journal="Journal of Rest",
        volume="7",
        issue="2",
        pages="101-109",
        doi="10.1234/rest",
        pmid=None,
        url="https://example.org/a",
        keywords=("sleep", "health, mental"),
        language="EN",
        ref="0a1b",
        raw=text[1:-1],
        kind=None,
    )


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"total": 2, "page": 1, "query": "sleep", "results": [DOAJ, DOAJ], "sort": "x"}),
        json.dumps([DOAJ, DOAJ], indent=1),
        f"{json.dumps(DOAJ)}\n{json.dumps(DOAJ)}\n",
        f"[{json.dumps(DOAJ)}][{json.dumps(DOAJ)}]",
    ],
)
def test_answers_dumps_and_lines(text: str) -> None:
    assert titles(JSON, text) == ["Sleep"] * 2
    assert reading.read(text.encode()).format == "json"


OPENALEX = {
    "id": "https://openalex.org/W1", "doi": "https://doi.org/10.1234/x", "display_name": "T",
    "title": "T", "publication_year": 2019, "language": "en", "type": "preprint",
    "ids": {"openalex": "https://openalex.org/W1", "pmid": "https://pubmed.ncbi.nlm.nih.gov/77"},
    "primary_location": {"landing_page_url": "https://a.b/c", "source": {"display_name": "J"}},
    "authorships": [{"author": {"id": "A1", "display_name": "Ada Okafor"}}],
    "biblio": {"volume": "7", "issue": "2", "first_page": "3", "last_page": "9"},
    "abstract_inverted_index": {"We": [0], "sleep,": [1, 3], "they": [2]},
}  # fmt: skip
EUROPE_PMC = {
    "id": "77", "source": "MED", "pmid": "77", "doi": "10.1234/x", "title": "T",
    "authorString": "Okafor A.", "pageInfo": "3-9", "abstractText": "We sleep, they sleep,",
    "authorList": {"author": [{"fullName": "Okafor A", "firstName": "Ada", "lastName": "Okafor"}]},
    "journalInfo": {"volume": "7", "issue": "2", "yearOfPublication": 2019,
                    "journal": {"title": "J"}},
    "pubTypeList": {"pubType": ["Preprint"]}, "language": "en",
}  # fmt: skip
LENS = {
    "lens_id": "1-2", "title": "T", "publication_type": "preprint", "year_published": 2019,
    "external_ids": [{"type": "doi", "value": "10.1234/x"}, {"type": "pmid", "value": "77"}],
    "authors": [{"first_name": "Ada", "last_name": "Okafor"}], "source": {"title": "J"},
    "volume": "7", "issue": "2", "start_page": "3", "end_page": "9",
    "abstract": "We sleep, they sleep,", "languages": ["en"],
}  # fmt: skip
ZOTERO = {
    "key": "K", "version": 1, "library": {"id": 1},
    "data": {
        "key": "K", "itemType": "preprint", "title": "T", "date": "2019-03", "DOI": "10.1234/x",
        "creators": [{"creatorType": "editor", "name": "X"},
                     {"creatorType": "author", "firstName": "Ada", "lastName": "Okafor"}],
        "publicationTitle": "J", "volume": "7", "issue": "2", "pages": "3-9", "language": "en",
        "abstractNote": "We sleep, they sleep,", "extra": "PMID: 77",
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "author"),
    [
        ({"meta": {"count": 1}, "results": [OPENALEX], "group_by": []}, "Ada Okafor"),
        ({"hitCount": 1, "resultList": {"result": [EUROPE_PMC]}}, "Okafor, Ada"),
        ({"total": 1, "data": [LENS]}, "Okafor, Ada"),
        ([ZOTERO], "Okafor, Ada"),
    ],
    ids=["openalex", "europe pmc", "lens", "zotero"],
)
def test_shapes(answer: object, author: str) -> None:
    entry = only(JSON, json.dumps(answer))
    assert (entry.title, entry.abstract, entry.year) == ("T", "We sleep, they sleep,", 2019)
    assert (entry.journal, entry.volume, entry.issue, entry.pages) == ("J", "7", "2", "3-9")
    assert (entry.doi, entry.pmid, entry.authors) == ("10.1234/x", "77", (author,))
    assert (entry.kind, entry.language) == (Kind.PREPRINT, "en")
    assert reading.read(json.dumps(answer).encode()).format == "json"


def test_semantic_scholar() -> None:
    paper = {
        "paperId": "p1", "externalIds": {"DOI": "10.1234/X", "PubMed": "77"}, "title": "T",
        "authors": [{"authorId": "1", "name": "Ada Okafor"}], "year": 2019, "venue": "V",
        "journal": {"name": "J", "volume": "7", "pages": "3-9"}, "publicationTypes": ["Review"],
    }  # fmt: skip
    entry = only(JSON, json.dumps({"total": 1, "data": [paper]}))
    assert (entry.doi, entry.pmid, entry.journal) == ("10.1234/x", "77", "J")
    assert (entry.authors, entry.pages) == (("Ada Okafor",), "3-9")


def test_names_are_not_parted_at_their_commas() -> None:
    record = {
        "title": "T",
        "authors": ["Okafor, Ada", "Ministry of Rest, Sleep"],
        "keywords": "a, b",
    }
    entry = only(JSON, json.dumps([record]))
    assert entry.authors == ("Okafor, Ada", "Ministry of Rest, Sleep")


def test_decisions_exported_from_here_come_back() -> None:
    decision: dict[str, Any] = {"reviewer": None, "verdict": "include", "reasons": [], "labels": []}
    text = json.dumps({"id": "1", "title": "T", "decisions": [decision]})
    assert only(JSON, text).priors == (Prior("include"),)


@pytest.mark.parametrize("text", ['[{"name": "x"}]', "[1, 2]", "{}", "[]", r"{\rtf1 x}", "[note]"])
def test_json_without_titles_is_not_claimed(text: str) -> None:
    assert JSON.begins(text) is None


@pytest.mark.parametrize("nested", ["[" * 100_000, '{"a":' * 100_000])
def test_bottomless_nesting_is_a_rejection(nested: str) -> None:
    first, bad, last = read(JSON, f'{{"title": "A"}}\n{{"title": {nested}\n{{"title": "B"}}\n')
    assert isinstance(bad, Rejection)
    assert [first.title, last.title] == ["A", "B"]  # type: ignore[union-attr]


mess = st.text('{}[]":,\\ab\n0', max_size=30)


@given(mess)
def test_a_mangled_line_never_costs_its_neighbours(text: str) -> None:
    good = json.dumps({"title": "Good", "year": 2000, "doi": "10.1234/x"})
    found = read(JSON, f"{good}\n{text}\n{good}\n{good}")
    whole = [item for item in found if isinstance(item, Entry) and item.doi]
    # An opening quotation mark or bracket may take the line after it along, never more.
    assert len(whole) >= 2
    assert len(whole) == 3 or any(isinstance(item, Rejection) for item in found)


@given(st.one_of(any_text, mess), st.integers(0, 300))
def test_anything_is_read_to_its_end(text: str, at: int) -> None:
    whole = json.dumps({"results": [DOAJ, OPENALEX]})
    read(JSON, text)
    read(JSON, whole[:at] + text + whole[at:])


def test_an_object_with_a_list_for_a_key_is_no_answer() -> None:
    assert JSON.begins('{[]:"",') is None


def test_text_behind_an_answer_is_reported_unless_it_is_part_of_it() -> None:
    answer = '{"response": {"docs": [{"title": "A", "year": 2001}]}, "facets": {"x": 1}}'
    part = '"title": "B", "year": 2002}'
    assert [type(item) for item in reading.read(answer.encode()).entries] == [Entry]
    found = list(reading.read(f"{answer}\n{part}".encode()).entries)
    assert [type(item) for item in found] == [Entry, Rejection]


def test_a_second_list_of_records_behind_an_answer_is_rejected_not_passed_over() -> None:
    answer = '{"items": [{"title": "Alpha of toys"}], "preprints": [{"title": "Bravo of toys"}]}'
    found = list(reading.read(answer.encode()).entries)
    assert len(found) == 2
    assert isinstance(found[-1], Rejection)


def test_what_looks_like_a_part_of_an_answer_that_is_closed_is_reported() -> None:
    answer = '{"response": {"docs": [{"title": "A", "year": 2001}]}, "facets": {"x": 1}}'
    found = list(reading.read(f'{answer}"itle_full": "Alpha of toys"'.encode()).entries)
    assert [type(item) for item in found] == [Entry, Rejection]
