from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.records.duplicates.matching import Certainty, Identity, compare
from tandem.records.formats.entry import Kind
from unit.records.duplicates.identities import (
    DOI,
    OTHER_DOI,
    OTHER_PMID,
    PMID,
    TITLE,
    bare,
    record,
)


def certainty(one: Identity, other: Identity) -> Certainty | None:
    match = compare(one, other)
    assert match == compare(other, one)
    return match.certainty if match else None


AUTOMATIC, PROPOSED = Certainty.AUTOMATIC, Certainty.PROPOSED


# Identifiers


def test_the_same_pmid_settles_it_where_the_titles_are_in_two_languages() -> None:
    one = bare(title=TITLE, pmid=PMID, year=2018)
    assert certainty(one, bare(title="Frühes Gehen nach Operationen", pmid=PMID, year=2018))
    assert certainty(one, bare(title="", pmid=PMID)) is AUTOMATIC
    assert certainty(one, bare(title="术后早期行走的研究", pmid=PMID)) is AUTOMATIC


def test_a_pmid_that_all_else_denies_is_asked_about() -> None:
    other = record(title="Meals", authors=("Roe, A.",), year=1990, pages="1", pmid=PMID)
    assert certainty(record(pmid=PMID), other) is PROPOSED


def test_the_same_doi_does_where_title_and_year_fit() -> None:
    one = bare(title=TITLE, doi=DOI, year=2018)
    for title in (TITLE.upper(), TITLE.replace("trial", "trail"), TITLE + " at home"):
        for year in (2017, 2018, 2019, None):
            assert certainty(one, bare(title=title, doi=DOI, year=year)) is AUTOMATIC


@pytest.mark.parametrize(
    "fields",
    [
        {"title": TITLE, "year": 2009},
        {"title": "", "year": 2018},
        {"title": TITLE.replace("walking", "swimming"), "year": 2018},
    ],
)
def test_the_same_doi_is_asked_about_where_they_do_not(fields: dict[str, Any]) -> None:
    assert certainty(bare(title=TITLE, doi=DOI, year=2018), bare(doi=DOI, **fields)) is PROPOSED


@pytest.mark.parametrize(
    "title",
    [
        "Abstracts of the annual meeting",
        "Meals in hospital canteens and their cost",
        TITLE + ". Part 2: children",
        "Erratum: " + TITLE,
    ],
)
def test_one_doi_of_a_whole_supplement_joins_no_two_works(title: str) -> None:
    assert certainty(bare(title=TITLE, doi=DOI), bare(title=title, doi=DOI)) is None


def test_a_generic_title_under_one_doi_is_asked_about() -> None:
    one = bare(title="Letter to the editor", doi=DOI, year=2018)
    assert certainty(one, one) is PROPOSED


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"doi": DOI}, {"doi": OTHER_DOI}),
        ({"pmid": PMID}, {"pmid": OTHER_PMID}),
        ({"doi": DOI, "pmid": PMID}, {"doi": OTHER_DOI, "pmid": PMID}),
        ({"doi": DOI, "pmid": PMID}, {"doi": DOI, "pmid": OTHER_PMID}),
    ],
)
def test_different_identifiers_are_never_automatic(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert certainty(record(**one), record(**other)) is PROPOSED
    assert certainty(bare(title=TITLE, **one), bare(title="Meals", **other)) in (None, PROPOSED)


def test_different_dois_and_places_are_two_publications() -> None:
    statement = record(doi=OTHER_DOI, journal="The Lancet", volume="380", pages="12-20")
    assert certainty(record(doi=DOI), statement) is None


# Places


def test_the_same_title_author_year_and_pages_or_volume_are_one() -> None:
    assert certainty(record(), record(journal="J Surg Nurs", pages="152-60")) is AUTOMATIC
    assert certainty(record(), record(journal=None, volume=None)) is AUTOMATIC
    assert certainty(record(), record(pages=None)) is AUTOMATIC
    assert certainty(record(), record(doi=DOI, pmid=PMID)) is AUTOMATIC


@pytest.mark.parametrize(
    "fields",
    [
        {"volume": None, "pages": None},
        {"year": 2019},
        {"authors": ()},
        {"title": TITLE.replace("walking", "wolking")},
        {"title": TITLE + " at home"},
        {"volume": "1"},
        {"pages": None, "issue": "4"},
        {"journal": "Chest", "volume": None},
    ],
)
def test_less_is_asked_about(fields: dict[str, Any]) -> None:
    assert certainty(record(), record(**fields)) is PROPOSED


@pytest.mark.parametrize(
    "fields",
    [
        {"year": 2020, "volume": None, "pages": None},  # a yearly report
        {"year": 2021, "volume": "44"},
        {"pages": "12-20", "volume": "5", "journal": "Chest", "authors": ("Roe, A.",)},
        {"title": "Early walking", "pages": "12-20", "volume": "5", "journal": "Chest"},
        {"authors": ("Roe, A.",), "pages": None},
        {"title": TITLE.replace("walking", "swimming"), "pages": None},
        {"title": TITLE + ". Part 2", "pages": "161-170"},
        {"title": "Meals in hospital canteens", "pages": "161-170"},
    ],
)
def test_what_may_well_be_another_work_is_left_alone(fields: dict[str, Any]) -> None:
    assert certainty(record(), record(**fields)) is None


ABSTRACT = "Walking soon after surgery is thought to shorten the stay in hospital. " * 5


def test_two_that_say_little_but_have_one_abstract_are_asked_about() -> None:
    one = bare(title=TITLE, abstract=ABSTRACT)
    assert certainty(one, bare(title=TITLE, abstract=ABSTRACT.upper() + "More.")) is PROPOSED
    short = bare(title="Early walking", abstract=ABSTRACT)
    assert certainty(short, bare(title="Early walking", abstract=ABSTRACT + "More.")) is None
    assert certainty(one, bare(title="Meals", abstract=ABSTRACT)) is None


@pytest.mark.parametrize("field", [{"journal": "Chest"}, {"volume": "42"}, {"pages": "S12-S13"}])
def test_one_abstract_brought_to_two_meetings_is_asked_about(field: dict[str, Any]) -> None:
    place: dict[str, Any] = {"volume": None, "pages": None, **field}
    one = record(pages=None if place["pages"] is None else "S71-S72", abstract=ABSTRACT)
    assert certainty(one, record(abstract=ABSTRACT, **place)) is PROPOSED


def test_a_translated_title_on_the_same_pages_is_asked_about() -> None:
    german = record(title="Frühes Gehen nach Bauchoperationen, eine Studie")
    assert certainty(record(), german) is PROPOSED
    assert certainty(record(pages="S152"), record(title=german.title, pages="S152")) is None


def test_short_and_generic_titles_are_never_automatic() -> None:
    assert certainty(record(title="Early walking"), record(title="Early walking")) is PROPOSED
    assert certainty(record(title="Editorial"), record(title="Editorial")) is PROPOSED
    assert certainty(bare(title="Editorial", year=2018), bare(title="Editorial", year=2018)) is None


@pytest.mark.parametrize(
    ("title", "other"),
    [
        ("Сон медсестёр, работающих ночью", "СОН МЕДСЕСТЕР, РАБОТАЮЩИХ НОЧЬЮ"),
        ("老年护士夜班睡眠质量的观察与分析研究", "老年护士夜班睡眠质量的观察与分析研究。"),
        ("جودة النوم لدى الممرضات العاملات ليلا", "جَودة النوم لدى الممرضات العاملات ليلًا"),
    ],
)
def test_titles_of_every_script_are_compared(title: str, other: str) -> None:
    assert certainty(record(title=title), record(title=other)) is AUTOMATIC
    assert certainty(record(title=title), record(title=title[:9], pages="161-170")) is None


@pytest.mark.parametrize("title", ["护士睡眠", "Сон", "نوم", "。。。", ""])
def test_titles_that_say_little_join_nothing(title: str) -> None:
    assert certainty(bare(title=title, year=2018), bare(1, title="", year=2018)) is None


# Kinds


@pytest.mark.parametrize("kind", [Kind.PREPRINT, Kind.CONFERENCE])
def test_an_earlier_edition_is_asked_about(kind: Kind) -> None:
    edition = record(kind=kind, journal=None, volume=None, pages=None, doi=OTHER_DOI, year=2017)
    match = compare(record(kind=Kind.ARTICLE, doi=DOI), edition)
    assert match
    assert match.certainty is PROPOSED
    assert f"article and {kind}" in match.evidence
    assert certainty(record(kind=Kind.ARTICLE), record(kind=kind)) is PROPOSED


def test_a_preprint_is_known_by_its_doi() -> None:
    preprint = record(doi="10.1101/2018.01.02.345678", journal="bioRxiv", volume=None, pages=None)
    assert certainty(record(doi=DOI), preprint) is PROPOSED
    assert certainty(preprint, preprint) is AUTOMATIC


@pytest.mark.parametrize("kind", [Kind.ERRATUM, Kind.RETRACTION])
def test_a_notice_is_another_record(kind: Kind) -> None:
    notice = record(kind=kind, pages="301", doi=OTHER_DOI)
    assert certainty(record(kind=Kind.ARTICLE), notice) is None
    assert certainty(record(kind=kind, pages="301"), notice) is AUTOMATIC


def test_an_article_marked_as_retracted_is_asked_about() -> None:
    assert certainty(record(doi=DOI), record(doi=DOI, kind=Kind.RETRACTION)) is AUTOMATIC
    article = record(doi=DOI, kind=Kind.ARTICLE)
    assert certainty(article, record(doi=DOI, kind=Kind.RETRACTION)) is PROPOSED


# Words


def test_the_reason_is_given() -> None:
    match = compare(record(doi=DOI), record(doi=DOI, year=2019, journal="Chest"))
    assert match
    assert match.evidence == (
        "same DOI",
        "equal titles",
        "same first author",
        "same volume",
        "same pages",
        "years differ by 1",
        "different journals",
    )


def test_the_surer_of_two_matches_has_the_higher_score() -> None:
    certain = compare(record(), record())
    likely = compare(record(), record(authors=(), volume=None))
    assert certain
    assert likely
    assert 0 <= likely.score < certain.score <= 1


texts = st.sampled_from(["", TITLE, TITLE + " 2", "Editorial", "护士睡眠", "\0[(", "a" * 700])
identities = st.builds(
    bare,
    title=texts | st.text(max_size=60),
    authors=st.lists(st.sampled_from(["Lim, S", "Lim S", "Roe A", ",", "张伟", ""])).map(tuple),
    year=st.none() | st.integers(2017, 2020),
    journal=st.none() | st.text(max_size=20),
    volume=st.none() | st.sampled_from(["1", "12 Suppl", "x"]),
    issue=st.none() | st.sampled_from(["1", "2"]),
    pages=st.none() | st.sampled_from(["1-9", "S12", "152-60", "-", "9" * 400]),
    doi=st.sampled_from([None, DOI, OTHER_DOI]),
    pmid=st.sampled_from([None, PMID, OTHER_PMID]),
    kind=st.sampled_from([None, *Kind]),
)


@given(identities, identities)
def test_the_order_does_not_matter(one: Identity, other: Identity) -> None:
    assert compare(one, other) == compare(other, one)


@given(identities, identities)
def test_nothing_is_hidden_against_an_identifier(one: Identity, other: Identity) -> None:
    match = compare(one, other)
    if match and match.certainty is AUTOMATIC:
        assert not (one.doi and other.doi and one.doi != other.doi)
        assert not (one.pmid and other.pmid and one.pmid != other.pmid)
