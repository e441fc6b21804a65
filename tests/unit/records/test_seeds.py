import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.records.seeds import Clue, distinct, parse

DOI, PMID = Clue("doi", "10.1000/example.17"), Clue("pmid", "22000017")


@pytest.mark.parametrize(
    "text",
    [
        "10.1000/example.17",
        "10.1000/EXAMPLE.17.",
        "doi:10.1000/example.17",
        "DOI 10.1000/example.17",
        "https://doi.org/10.1000/example.17",
        "http://dx.doi.org/10.1000%2Fexample.17",
        "doi.org/10.1000/example.17",
        " https://www.tandfonline.com/doi/full/10.1000/example.17?src=rss\n",
    ],
)
def test_a_doi_in_any_spelling(text: str) -> None:
    assert parse(text) == DOI


@pytest.mark.parametrize(
    "text",
    [
        "22000017",
        "022000017",
        "PMID: 22000017",
        "pmid 22000017",
        "\ufeffPMID:\u00a022000017.",
        "https://pubmed.ncbi.nlm.nih.gov/22000017/",
    ],
)
def test_a_pubmed_number_in_any_spelling(text: str) -> None:
    assert parse(text) == PMID


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Walking after surgery: a trial", "walking after surgery a trial"),
        ("  <i>Walking</i> after\nsurgery &amp; sleep ", "walking after surgery sleep"),
        ("Ｗａｌｋｉｎｇ, naïve ﬁndings", "walking naive findings"),
        ("睡眠と記憶", "睡眠と記憶"),
        ("10 years of sleep", "10 years of sleep"),
        ("In 2019, 10.5 mg of it", "in 2019 10 5 mg of it"),
    ],
)
def test_anything_else_is_a_title(text: str, plain: str) -> None:
    assert parse(text) == Clue("title", plain)


@pytest.mark.parametrize("text", ["", " \t\n", "…", "-", "\u200b", "&nbsp;"])
def test_what_says_nothing_names_no_study(text: str) -> None:
    assert parse(text) is None


def test_each_study_is_kept_once_as_it_was_given_first() -> None:
    given = [" doi:10.1000/A ", "", "Sleep", "10.1000/a", "SLEEP.", "17", "PMID: 17", "Naps"]

    assert distinct(given) == ["doi:10.1000/A", "Sleep", "17", "Naps"]


suffixes = st.from_regex(r"[a-z0-9]{1,20}(\.[a-z0-9]{1,5})?", fullmatch=True)
spellings = st.sampled_from(["{}", "doi:{}", "DOI: {}", "https://doi.org/{}", " {}. "])


@given(suffixes, spellings, st.booleans())
def test_the_spelling_of_a_doi_does_not_matter(suffix: str, spelling: str, shout: bool) -> None:
    name = f"10.1000/{suffix}"

    assert parse(spelling.format(name.upper() if shout else name)) == Clue("doi", name)


@given(st.integers(1, 10**8 - 1), st.sampled_from(["{}", "PMID: {}", "pmid {}", "00{}"]))
def test_the_spelling_of_a_number_does_not_matter(number: int, spelling: str) -> None:
    assert parse(spelling.format(number)) == Clue("pmid", str(number))


@given(st.lists(st.text(max_size=40) | suffixes.map("10.1000/{}".format)))
def test_any_text_is_taken_and_nothing_is_named_twice(given: list[str]) -> None:
    kept = distinct(given)

    assert {parse(text) for text in kept} == {parse(text) for text in given} - {None}
    assert len({parse(text) for text in kept}) == len(kept)
    assert distinct(kept) == kept
