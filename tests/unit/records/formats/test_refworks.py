import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.records.formats import reading
from tandem.records.formats.entry import Entry, Kind, Prior, Rejection
from tandem.records.formats.tagged.refworks import REFWORKS
from unit.records.formats.tagged_lines import any_line, any_text, only, read, titles

PREAMBLE = """Refworks Export Tagged Format

Character Set=utf-8

Tag legend
*****
RT=Reference Type
T1=Primary Title

*****
BEGIN EXPORTED REFERENCES

"""
WHOLE = """RT Journal Article
SR Electronic(1)
ID 206
A1 Okafor,Ada
A1 Lind,Bo
T1 Sleep and memory in older adults
JF Journal of Rest
YR 2019
FD Mar
VO 7
IS 2
SP 101
OP 109
K1 sleep
K1 memory
AB People sleep.
IN GENERAL they do.
NO doi: 10.1234/Rest.7; PMID: 31234567
AN 2019-00282-017
LA English
LK https://example.org/7
OL English (30)
"""


def record(number: int) -> str:
    return f"RT Journal Article\nSR 1\nID {number}\nA1 Lind,Bo\nT1 Title {number}\nYR 2001\n"


def test_record_is_read_whole() -> None:
    assert only(REFWORKS, PREAMBLE + WHOLE) == Entry(
        title="Sleep and memory in older adults",
        abstract="People sleep. IN GENERAL they do.",
        authors=("Okafor, Ada", "Lind, Bo"),
        year=2019,
        journal="Journal of Rest",
        volume="7",
        issue="2",
        pages="101-109",
        doi="10.1234/rest.7",
        pmid="31234567",
        url="https://example.org/7",
        keywords=("sleep", "memory"),
        language="English",
        ref="2019-00282-017",
        raw=WHOLE.strip(),
        kind=Kind.ARTICLE,
    )


def test_format_shows_in_the_content() -> None:
    assert reading.read((PREAMBLE + WHOLE).encode()).format == "refworks"


@pytest.mark.parametrize(
    "text",
    [
        "RT  - JOUR\nT1  - T\nER  - ",
        "RT @someone: read this\nand that",
        "RT Journal Article\nand then prose",
        "TY  - JOUR\nT1  - T\nER  - ",
        PREAMBLE,
    ],
)
def test_other_text_is_not_refworks(text: str) -> None:
    assert REFWORKS.begins(text) is None


@pytest.mark.parametrize("gap", ["", "\n", "\n\n\n", "ER \n \n", "\n2.\n"])
def test_records_part_at_their_type_whatever_stands_between(gap: str) -> None:
    assert titles(REFWORKS, record(1) + gap + record(2) + gap + record(3)) == [
        "Title 1", "Title 2", "Title 3",
    ]  # fmt: skip


def test_a_missing_type_costs_no_record() -> None:
    text = record(1) + "\n" + record(2).partition("\n")[2] + "\n" + record(3)
    assert titles(REFWORKS, text) == ["Title 1", "Title 2", "Title 3"]


def test_a_blank_line_within_a_record_parts_nothing() -> None:
    entry = only(REFWORKS, record(1) + "AB First.\n\nSecond.\n\nLA English\n")
    assert (entry.abstract, entry.language) == ("First. Second.", "English")


def test_a_record_without_title_is_rejected_alone() -> None:
    found = read(REFWORKS, record(1) + "\nRT Journal Article\nA1 Nobody\n\n" + record(2))
    assert [type(item) for item in found] == [Entry, Rejection, Entry]


def test_pages_whole_in_one_tag() -> None:
    assert only(REFWORKS, record(1) + "OP 12-20\n").pages == "12-20"


@pytest.mark.parametrize(
    ("lines", "pmid"),
    [
        ("PMID 31234567", "31234567"),
        ("AN 31234567", None),
        ("AN 31234567\nDS PubMed", "31234567"),
        ("UL https://pubmed.ncbi.nlm.nih.gov/31234567/", "31234567"),
    ],
)
def test_pubmed_number_only_when_certain(lines: str, pmid: str | None) -> None:
    assert only(REFWORKS, f"{record(1)}{lines}\n").pmid == pmid


@pytest.mark.parametrize(
    ("type_", "kind"),
    [
        ("Book, Section", Kind.CHAPTER),
        ("Book, Whole", Kind.BOOK),
        ("Journal, Electronic", Kind.ARTICLE),
        ("Dissertation/Thesis", Kind.THESIS),
        ("Conference Proceedings", Kind.CONFERENCE),
        ("Unpublished Material", Kind.PREPRINT),
        ("Generic", None),
    ],
)
def test_kind(type_: str, kind: Kind | None) -> None:
    assert only(REFWORKS, f"RT {type_}\nT1 T\n").kind is kind


def test_earlier_decisions_stand_in_the_notes() -> None:
    assert only(REFWORKS, record(1) + "NO ASReview_irrelevant\n").priors == (Prior("exclude"),)


tags = st.sampled_from(["RT", "T1", "AB", "A1", "ID", "K1", "PMID", "U15", "ER", "ZZ", ""])
lines = st.one_of(st.builds("{} {}".format, tags, any_line), any_line, st.just(""))


@given(any_text)
def test_any_text(text: str) -> None:
    read(REFWORKS, text)


@given(st.lists(lines, max_size=30))
def test_anything_after_a_beginning(found: list[str]) -> None:
    assert read(REFWORKS, "\n".join(["RT Journal Article", "T1 T", *found]))


@given(st.lists(any_line.map(str.lower), max_size=8))
def test_a_mangled_record_never_loses_its_neighbours(mangled: list[str]) -> None:
    bad = "RT Journal Article\n" + "\n".join(mangled) + "\n"
    found = read(REFWORKS, record(1) + bad + record(2))
    names = [item.title for item in found if isinstance(item, Entry)]
    assert (names[0], names[-1]) == ("Title 1", "Title 2")


def test_a_line_without_end_is_one_rejection() -> None:
    found = read(REFWORKS, record(1) + "AB " + "word " * 300_000 + "\n" + record(2))
    assert [type(item) for item in found] == [Rejection, Entry]
