"""Whose text a file is: linked only where nothing speaks against it."""

import pytest

from tandem.ids import RecordNumber
from tandem.texts.file_facts import FileFacts, dois_of
from tandem.texts.matching import Evidence, Match, Matcher, Target

SLEEP = "Effects of shift work on the sleep of hospital nurses"
TARGETS = [
    Target(RecordNumber(1), SLEEP, "10.1000/sleep.1"),
    Target(RecordNumber(2), f"{SLEEP}: a follow-up after ten years", "10.1000/sleep.2"),
    Target(RecordNumber(3), "Coffee", "10.1000/coffee"),
    Target(RecordNumber(4), "Naïve physicians’ views on fluid management in septic shock"),
    Target(RecordNumber(5), "A title that two of the records have in common, by chance"),
    Target(
        RecordNumber(6), "A title that two of the records have in common, by chance", "10.1000/6"
    ),
    Target(RecordNumber(17), "Night work and appetite in train drivers of Norway"),
    Target(RecordNumber(1999), "Appetite in the bus drivers of Denmark and Sweden"),
]
MATCHER = Matcher(TARGETS)


def match(name: str = "x.pdf", page: str = "", **facts: object) -> Match:
    return MATCHER.match(FileFacts(name, page, **facts))  # type: ignore[arg-type]


def proposed(found: Match) -> list[int]:
    assert found.record is None
    return [one.record for one in found.candidates]


@pytest.mark.parametrize(
    ("facts", "record", "evidence"),
    [
        ({"mapped": [3]}, 3, Evidence.MAP),
        ({"name": "0017_Solberg_2011.pdf"}, 17, Evidence.NUMBER),
        ({"name": "a/record 17.pdf"}, 17, Evidence.NUMBER),
        ({"page": "doi: 10.1000/COFFEE."}, 3, Evidence.DOI),
        ({"page": "https://doi.org/10.1000/cof\nfee Received"}, 3, Evidence.DOI),
        ({"dois": ["doi:10.1000/coffee"]}, 3, Evidence.DOI),
        ({"page": f"J Sleep 3 (1)\n{SLEEP.upper()}\nA. Author"}, 1, Evidence.TITLE),
        ({"page": f"{SLEEP}:\na follow-\nup after ten years"}, 2, Evidence.TITLE),
        (
            {"page": "Naive physicians' views on ﬂuid mana-\ngement in septic shock"},
            4,
            Evidence.TITLE,
        ),
        (
            {"page": "A title that two of the records have in common, by chance 10.1000/6"},
            6,
            Evidence.DOI,
        ),
    ],
)
def test_what_two_works_do_not_share_by_chance_links(
    facts: dict[str, object], record: int, evidence: Evidence
) -> None:
    found = match(**facts)  # type: ignore[arg-type]

    assert found.record == record
    assert found.candidates[0].evidence is evidence


@pytest.mark.parametrize(
    ("facts", "asked"),
    [
        pytest.param({"page": f"{SLEEP} 10.1000/coffee"}, [1, 3], id="title and DOI disagree"),
        pytest.param({"name": "0017_x.pdf", "page": SLEEP}, [1, 17], id="name and title disagree"),
        pytest.param({"mapped": [1, 2]}, [1, 2], id="the map names two"),
        pytest.param(
            {"page": f"{SLEEP} {TARGETS[6].title} 10.1000/sleep.1"}, [1, 17], id="two titles"
        ),
        pytest.param({"page": f"10.1000/coffee 10.1000/sleep.1 {SLEEP}"}, [1, 3], id="DOIs of two"),
        pytest.param({"page": TARGETS[4].title}, [5, 6], id="two records of one title"),
        pytest.param({"page": f"Correction to: {SLEEP}"}, [1], id="an erratum"),
        pytest.param(
            {"page": SLEEP, "dois": ["10.9000/other"]}, [1], id="another DOI in the metadata"
        ),
        pytest.param({"page": "10.9000/own, of 10.1000/coffee"}, [3], id="only mentioned"),
        pytest.param({"title": SLEEP.upper()}, [1, 2], id="a scan, with a title in its metadata"),
        pytest.param({"name": "17.pdf"}, [17], id="perhaps the sender's own number"),
        pytest.param({"name": "1999_Okafor.pdf"}, [1999], id="perhaps the year"),
        pytest.param({"name": "Technical Report 17.pdf", "page": "Of all."}, [17], id="a series"),
        pytest.param({"page": SLEEP.replace("shift", "shlft")}, [1], id="wrong letters"),
        pytest.param(
            {"name": f"Okafor - 2012 - {SLEEP}.pdf"}, [1], id="a scan, named by its title"
        ),
    ],
)
def test_what_leaves_a_doubt_is_asked(facts: dict[str, object], asked: list[int]) -> None:
    assert sorted(proposed(match(**facts))) == asked  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "facts",
    [
        {"name": "1-s2.0-S0140673620301-main.pdf"},
        {"name": "1999.pdf"},
        {"name": "Annual report 1999.pdf"},
        {"name": "Okafor 2012.pdf", "page": "Coffee in the ward. " * 9},
        {"page": "Nothing of all this. " * 200 + SLEEP},
    ],
)
def test_what_says_nothing_names_nobody(facts: dict[str, object]) -> None:
    assert proposed(match(**facts)) == []  # type: ignore[arg-type]


def test_references_speak_of_other_works() -> None:
    found = match(page=f"10.1000/coffee\nReferences\n1. {SLEEP} 10.1000/sleep.1")

    assert found.record == 3


@pytest.mark.parametrize(
    ("name", "of"),
    [("17.pdf", TARGETS[6]), ("report 17.pdf", TARGETS[6]), ("1999_Okafor_2012.pdf", TARGETS[7])],
)
def test_a_number_that_may_be_another_counts_where_the_title_is_there(
    name: str, of: Target
) -> None:
    assert match(name=name, page=of.title).record == of.number


def test_likeness_looks_at_reports_alone() -> None:
    others = Matcher([Target(RecordNumber(1), SLEEP, is_report=False)])

    assert others.match(FileFacts("x", SLEEP.replace("shift", "shlft"))).candidates == []


def test_a_doi_is_read_with_and_without_what_the_next_line_begins_with() -> None:
    assert dois_of("see 10.1000/ab\ncd, and 10.2000/x") == [
        ["10.1000/ab", "10.1000/abcd"],
        ["10.2000/x"],
    ]
