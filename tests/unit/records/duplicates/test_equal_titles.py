"""Equal long titles are asked about, wherever the two records say that they appeared."""

from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.ids import RecordNumber
from tandem.records.duplicates.clusters import Found, find
from tandem.records.duplicates.identities import of_entry
from tandem.records.duplicates.matching import Certainty, Identity, compare
from tandem.records.formats import reading
from tandem.records.formats.entry import Entry, Kind
from unit.records.duplicates.identities import DOI, OTHER_DOI, OTHER_PMID, PMID, TITLE, bare, record

CASES = Path(__file__).parents[1] / "cases"
AUTOMATIC, PROPOSED = Certainty.AUTOMATIC, Certainty.PROPOSED
ABSTRACT = "Walking soon after surgery is thought to shorten the stay in hospital. " * 5
LONG = TITLE + " in twelve hospitals of three countries"


def certainty(one: Identity, other: Identity) -> Certainty | None:
    match = compare(one, other)
    assert match == compare(other, one)
    return match.certainty if match else None


def read(content: bytes) -> list[Identity]:
    entries = [e for e in reading.read(content).entries if isinstance(e, Entry)]
    return [of_entry(entry, RecordNumber(n)) for n, entry in enumerate(entries, 1)]


def together(found: Found) -> set[tuple[int, int]]:
    """Return the pairs that are linked or proposed."""
    linked = {pair for group in found.linked for pair in combinations(group, 2)}
    return linked | {(proposal.first, proposal.second) for proposal in found.proposed}


# Real reports


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("m03_equal_titles_pages_differ.csv", {(1, 2), (3, 4), (5, 6), (7, 8)}),
        ("i_title_year_twice.ris", {(1, 2)}),
        ("i_na_richest.csv", {(1, 2)}),
    ],
)
def test_the_reported_pairs_are_linked_or_proposed(name: str, expected: set[Any]) -> None:
    assert together(find(read((CASES / name).read_bytes()))) == expected


# What is asked about


@pytest.mark.parametrize(
    "fields",
    [
        {"pages": "2152-160"},
        {"pages": "S12", "volume": "7 Suppl 1", "journal": "J Surg Nurs. Conference: Congress"},
        {"volume": None, "issue": None, "pages": None, "year": 2017},
        {"volume": "7", "issue": "1", "pages": "1-9", "journal": "Chest"},
        {"volume": "7", "issue": "1", "pages": "1-9", "journal": "Chest", "authors": ()},
        {"year": None, "pages": "1-9", "journal": "Chest"},
        {"title": "The early walking after abdominal surgery & a randomised trial.", "pages": "9"},
        {"kind": Kind.CONFERENCE, "pages": "S12", "journal": "Congress of surgery"},
        {"kind": Kind.TRIAL, "authors": (), "journal": None, "volume": None, "pages": None},
        {"doi": DOI, "pmid": PMID, "pages": "1-9", "journal": "Chest"},
    ],
)
def test_an_equal_long_title_is_asked_about_wherever_it_appeared(fields: dict[str, Any]) -> None:
    assert certainty(record(kind=Kind.ARTICLE), record(**{"kind": Kind.ARTICLE, **fields})) is (
        PROPOSED
    )


def test_a_title_and_nothing_else_is_asked_about() -> None:
    assert certainty(bare(title=TITLE), bare(title=TITLE.upper() + ".")) is PROPOSED
    assert certainty(bare(title=f"[{TITLE}]"), bare(title=TITLE, year=2018)) is PROPOSED


# What is not

ELSEWHERE: dict[str, Any] = {"volume": "7", "issue": "1", "pages": "1-9", "journal": "Chest"}


@pytest.mark.parametrize(
    "fields",
    [
        {"authors": ("Roe, A.",)},
        {"authors": ("Sanders, Leo", "Lim, Sue M.")},
        {"year": 2020},
        {"title": "Erratum: " + TITLE},
        {"title": "Reply to: " + TITLE},
        {"title": TITLE + ". Part II"},
    ],
)
def test_other_people_years_parts_and_replies_stay_apart(fields: dict[str, Any]) -> None:
    assert certainty(record(), record(**{**ELSEWHERE, **fields})) is None


@pytest.mark.parametrize(
    ("one", "other"), [({"doi": DOI}, {"doi": OTHER_DOI}), ({"pmid": PMID}, {"pmid": OTHER_PMID})]
)
def test_identifiers_that_contradict_keep_apart(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert certainty(record(**one), record(**{**ELSEWHERE, **other})) is None


@pytest.mark.parametrize(
    "title",
    ["Editorial", "Introduction", "Abstracts of the annual scientific meeting", "Early walking"],
)
def test_short_and_generic_titles_stay_apart(title: str) -> None:
    assert certainty(record(title=title), record(title=title, **ELSEWHERE)) is None


def test_a_preprint_in_several_versions_is_one() -> None:
    one = record(doi="10.21203/rs.3.rs-123456/v1", journal=None, volume=None, pages=None)
    other = record(doi="10.21203/rs.3.rs-123456/v2", journal=None, volume=None, pages=None)
    assert certainty(one, other) is AUTOMATIC


# What is so sure that nobody is asked


@pytest.mark.parametrize(
    "fields",
    [
        {"pages": None},
        {"volume": None, "pages": None},
        {"volume": "1"},
        {"authors": (), "pages": None},
        {"authors": ()},
    ],
)
def test_with_the_abstract_and_the_journal_a_title_is_enough(fields: dict[str, Any]) -> None:
    one = record(abstract=ABSTRACT)
    assert certainty(one, record(abstract=ABSTRACT, **fields)) is AUTOMATIC


@pytest.mark.parametrize(
    "fields",
    [
        {"year": 2019, "pages": None},
        {"journal": "Chest", "volume": None, "pages": None},
        {"volume": "1", "pages": None},
        {"pages": None, "issue": "15"},  # a meeting's abstract before the article
        {"authors": (), "volume": None, "pages": None},
    ],
)
def test_unless_the_year_or_the_place_is_another(fields: dict[str, Any]) -> None:
    one = record(abstract=ABSTRACT)
    assert certainty(one, record(abstract=ABSTRACT, **fields)) is PROPOSED


@pytest.mark.parametrize(
    "title", [LONG.replace("walking", "wolking"), LONG + ": final report", LONG + " [Spätes Gehen]"]
)
def test_a_very_long_title_may_differ_a_little_on_the_same_pages(title: str) -> None:
    assert certainty(record(title=LONG), record(title=title)) is AUTOMATIC
    assert certainty(record(title=LONG), record(title=title, pages=None)) is PROPOSED


def test_what_differs_by_a_telling_word_is_asked_about() -> None:
    assert certainty(record(title=LONG), record(title=LONG + ". Part 2")) is PROPOSED
    other = LONG.replace("three", "four")
    assert certainty(record(title=LONG), record(title=other)) is PROPOSED


def test_a_short_title_is_enough_on_the_same_pages() -> None:
    title = "Walking on crutches at home"
    assert certainty(record(title=title), record(title=title)) is AUTOMATIC
    assert certainty(record(title=title), record(title=title, pages="152")) is PROPOSED


# Groups


def test_a_translated_title_in_a_group_does_not_silence_the_question() -> None:
    found = find(
        [
            record(1, pmid=PMID),
            record(2, title="Frühes Gehen nach Bauchoperationen, eine Studie", pmid=PMID),
            record(3, **ELSEWHERE),
        ]
    )
    assert found.linked == ((1, 2),)
    assert [(p.first, p.second) for p in found.proposed] == [(1, 3)]


def test_an_identifier_in_a_group_that_contradicts_does_not_silence_the_question() -> None:
    found = find([record(1), record(2, doi=DOI), record(3, doi=OTHER_DOI, **ELSEWHERE)])
    assert found.linked == ((1, 2),)
    assert [(p.first, p.second) for p in found.proposed] == [(1, 3)]


def test_centrals_own_doi_contradicts_no_articles() -> None:
    of_central: dict[str, Any] = {"doi": "10.1002/central/cn-01234567"}
    assert certainty(record(**of_central), record(doi=DOI)) is AUTOMATIC
    other: dict[str, Any] = {"doi": "10.1002/central/cn-07654321"}
    assert certainty(record(**of_central), record(**other)) is AUTOMATIC


def test_three_authors_of_one_title_in_one_journal_and_year_are_enough() -> None:
    team: dict[str, Any] = {"authors": ("Lim, Sue M.", "Sanders, Leo", "Roe, Ann")}
    bare_place: dict[str, Any] = {"volume": None, "issue": None, "pages": None}
    assert certainty(record(**team), record(**team, **bare_place)) is AUTOMATIC
    others: dict[str, Any] = {"authors": ("Lim, Sue M.", "Roe, Ann", "Sanders, Leo")}
    assert certainty(record(**team), record(**others, **bare_place)) is PROPOSED
    assert certainty(record(**team), record(**team, volume=None, pages="301-309")) is PROPOSED


def test_a_journal_in_two_languages_is_one() -> None:
    names = ("Gan to Kagaku Ryoho [Japanese Journal of Cancer]", "Japanese Journal of Cancer")
    short: dict[str, Any] = {"title": "Walking on crutches at home"}
    one, other = (record(**short, journal=name) for name in names)
    assert certainty(one, other) is AUTOMATIC


anything = st.fixed_dictionaries(
    {
        "authors": st.sampled_from([("Lim, Sue M.", "Roe, A."), ("Lim, S.",), ()]),
        "year": st.sampled_from([2018, 2019, None]),
        "journal": st.sampled_from(["Journal of Surgical Nursing", "Chest", None]),
        "volume": st.sampled_from(["41", "7", None]),
        "issue": st.sampled_from(["3", None]),
        "pages": st.sampled_from(["152-160", "1-9", "S12", None]),
        "abstract": st.sampled_from([ABSTRACT, ABSTRACT[::-1], ""]),
        "kind": st.sampled_from([Kind.ARTICLE, Kind.CONFERENCE, Kind.PREPRINT, None]),
    }
)


@given(st.lists(anything, min_size=2, max_size=5), anything)
def test_equal_long_titles_are_always_at_least_proposed(
    fields: list[dict[str, Any]], other: dict[str, Any]
) -> None:
    records = [record(n, **of) for n, of in enumerate(fields, 1)]
    records.append(record(len(records) + 1, doi=DOI, **other))
    hoped: dict[int, set[int]] = {r.number: {r.number} for r in records}
    for one, another in together(find(records)):
        both = hoped[one] | hoped[another]
        hoped |= dict.fromkeys(both, both)
    assert len(set(map(frozenset, hoped.values()))) == 1
