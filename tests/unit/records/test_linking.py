from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.ids import RecordNumber
from tandem.records.linking import Identity, is_same

DOI, OTHER_DOI = "10.1234/walk.18", "10.1234/swim.18"
PMID, OTHER_PMID = "1234567", "7654321"
WALKING = Identity(RecordNumber(1), "Walking after surgery: a trial", 2018, DOI, PMID)

identities = st.builds(
    Identity,
    number=st.just(RecordNumber(1)),
    title=st.sampled_from(["", "Walking after surgery", "WALKING AFTER SURGERY.", "Swimming"]),
    year=st.none() | st.integers(2017, 2020),
    doi=st.sampled_from([None, DOI, OTHER_DOI]),
    pmid=st.sampled_from([None, PMID, OTHER_PMID]),
)


def test_a_record_is_itself() -> None:
    assert is_same(WALKING, replace(WALKING, number=RecordNumber(2)))


def test_the_same_pmid_settles_it_whatever_title_and_year_say() -> None:
    assert is_same(WALKING, Identity(RecordNumber(2), "Something else", 1990, None, PMID))


def test_the_same_pmid_does_not_where_the_dois_differ() -> None:
    assert not is_same(WALKING, replace(WALKING, doi=OTHER_DOI))


def test_the_same_doi_does_not_where_the_pmids_differ() -> None:
    assert not is_same(WALKING, replace(WALKING, pmid=OTHER_PMID))


def test_nothing_shared_is_no_duplicate_however_alike_the_rest() -> None:
    assert not is_same(replace(WALKING, doi=None), replace(WALKING, pmid=None))
    assert not is_same(replace(WALKING, doi=None, pmid=None), replace(WALKING, doi=None, pmid=None))


@pytest.mark.parametrize(
    "title",
    [
        "Walking after surgery: a trial",
        "WALKING AFTER SURGERY - A TRIAL.",
        "Ｗａｌｋｉｎｇ after surgery: a trial",
        "Walking after surgery: a triál",
        "Walking after surgery; a trail",  # a typing error
        "",
        "  …  ",  # nothing to compare
    ],
)
def test_the_same_doi_is_a_duplicate_where_titles_are_alike(title: str) -> None:
    assert is_same(replace(WALKING, title=title, pmid=None), WALKING)


@pytest.mark.parametrize(
    "title",
    ["Abstracts of the annual meeting", "Walking after surgery: a trial. Part II: children"],
)
def test_one_doi_of_a_whole_supplement_joins_no_two_works(title: str) -> None:
    assert not is_same(replace(WALKING, title=title, pmid=None), WALKING)


def test_titles_in_other_scripts_are_compared_too() -> None:
    greek = replace(WALKING, title="Το περπάτημα μετά το χειρουργείο", pmid=None)

    assert is_same(greek, replace(greek, title="ΤΟ ΠΕΡΠΑΤΗΜΑ ΜΕΤΑ ΤΟ ΧΕΙΡΟΥΡΓΕΙΟ"))
    assert not is_same(greek, replace(greek, title="Η κολύμβηση πριν από τον ύπνο"))


@pytest.mark.parametrize(
    ("year", "same"), [(2016, False), (2017, True), (2018, True), (2019, True), (2020, False)]
)
def test_a_dropped_subtitle_is_one_work_in_neighbouring_years(year: int, same: bool) -> None:
    full = replace(WALKING, title=WALKING.title + " of early mobilisation at home")

    assert is_same(replace(full, year=year, pmid=None), WALKING) is same


def test_under_one_doi_and_title_no_year_contradicts() -> None:
    assert is_same(replace(WALKING, year=2009, pmid=None), WALKING)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Sleep in older nurses, part 1", "Sleep in older nurses, part 2"),
        ("Sleep in older working nurses", "Sleep in older working nurses: protocol of a trial"),
        ("Sleep in older working nurses", "Erratum: Sleep in older working nurses"),
        ("Letter to the editor", "Letter to the editor on sleep in nurses and its reply"),
    ],
)
def test_one_doi_does_not_join_what_the_titles_tell_apart(one: str, other: str) -> None:
    assert not is_same(
        replace(WALKING, title=one, pmid=None), replace(WALKING, title=other, pmid=None)
    )


def test_a_missing_year_contradicts_nothing() -> None:
    assert is_same(replace(WALKING, year=None, pmid=None), WALKING)
    assert is_same(WALKING, replace(WALKING, year=None, pmid=None))


@given(identities, identities)
def test_it_does_not_matter_which_of_the_two_came_first(one: Identity, other: Identity) -> None:
    assert is_same(one, other) == is_same(other, one)


@given(identities, identities)
def test_nobody_is_hidden_without_an_identifier_in_common(one: Identity, other: Identity) -> None:
    if is_same(one, other):
        assert (one.doi and one.doi == other.doi) or (one.pmid and one.pmid == other.pmid)
