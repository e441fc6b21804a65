import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.records.formats import reading
from tandem.records.formats.entry import Entry, Kind, Rejection
from tandem.records.formats.tagged.wos import WOS
from unit.records.formats.tagged_lines import any_line, any_text, only, read, titles

HEAD = "FN Clarivate Analytics Web of Science\nVR 1.0\n"
WHOLE = """PT J
AU Okafor, A
   Lind, B
AF Okafor, Ada
   Lind, Bo
TI Sleep and memory
   in older adults
SO JOURNAL OF REST
LA English
DT Article
DE sleep; older
   adults
ID RECALL
AB People sleep.
   We asked them.
CR XU L, 1997, J NOTHING, V39, P1219
   RAY E, 1998, J NOTHING, V1, P2
PD MAR
PY 2019
VL 7
IS 2
BP 101
EP 109
DI 10.1234/Rest.7
UT WOS:000123
PM 31234567
ER
"""


def record(number: int) -> str:
    return f"PT J\nAU Lind, B\nTI Title {number}\nSO REST\nER\n"


def test_record_is_read_whole() -> None:
    assert only(WOS, HEAD + WHOLE + "\nEF") == Entry(
        title="Sleep and memory in older adults",
        abstract="People sleep. We asked them.",
        authors=("Okafor, Ada", "Lind, Bo"),
        year=2019,
        journal="JOURNAL OF REST",
        volume="7",
        issue="2",
        pages="101-109",
        doi="10.1234/rest.7",
        pmid="31234567",
        url=None,
        keywords=("sleep", "older adults", "RECALL"),
        language="English",
        ref="WOS:000123",
        raw=WHOLE.removesuffix("ER\n").strip(),
        kind=Kind.ARTICLE,
    )


@pytest.mark.parametrize("head", [HEAD, "", "FN ISI Export Format\nVR 1.0\n", "\ufeff" + HEAD])
def test_format_shows_in_the_content(head: str) -> None:
    assert reading.read((head + WHOLE).encode()).format == "wos"


@pytest.mark.parametrize(
    "text",
    [
        "PMID- 1\nPT  - Journal Article\nTI  - T\n",
        "PT\tAU\tTI\nJ\tLind\tT\n",
        "PT  - Journal Article\nTI  - T\n",
        "RT Journal Article\nT1 T\n",
        "FN is a tag\nof something else",
    ],
)
def test_formats_with_the_same_tags_are_not_web_of_science(text: str) -> None:
    assert WOS.begins(text) is None


@pytest.mark.parametrize("gap", ["\n", "", "\n\n\n", "EF\n" + HEAD, "\n1.\n"])
def test_anything_may_stand_between_records(gap: str) -> None:
    assert titles(WOS, HEAD + record(1) + gap + record(2) + gap + record(3)) == [
        "Title 1", "Title 2", "Title 3",
    ]  # fmt: skip


def test_text_between_records_is_a_rejection_that_says_where() -> None:
    text = HEAD + record(1) + "\nwritten by a person\n" + record(2)
    _, rejection, _ = read(WOS, text)
    assert rejection == Rejection(
        2, "text that belongs to no record (line 9)", "written by a person"
    )


def test_a_missing_end_or_beginning_costs_no_record() -> None:
    text = (
        record(1).replace("ER\n", "\n")
        + record(2)
        + record(3).removeprefix("PT J\n")
        + record(4).removesuffix("ER\n")
    )
    assert titles(WOS, HEAD + text) == [f"Title {number}" for number in (1, 2, 3, 4)]


def test_a_record_without_title_is_rejected_alone() -> None:
    found = read(WOS, HEAD + record(1) + "PT J\nAU Nobody\nER\n" + record(2))
    assert [type(item) for item in found] == [Entry, Rejection, Entry]


def test_a_repeated_tag_adds_to_the_first() -> None:
    assert only(WOS, "PT J\nTI T\nAB One.\n   Two.\nAB Three.\nER\n").abstract == "One. Two. Three."


def test_names_in_full_only_if_they_are_all_there() -> None:
    text = "PT J\nTI T\nAU Lind, B\n   Xu, L\nAF Lind, Bo\nCA Sleep Grp\nER\n"
    assert only(WOS, text).authors == ("Lind, B", "Xu, L", "Sleep Grp")
    assert only(WOS, "PT J\nTI T\nAU Lind, Bo; Xu, Li\nER\n").authors == ("Lind, Bo", "Xu, Li")


def test_medline_and_inspec_at_web_of_science() -> None:
    medline = only(WOS, "PT J\nTI T\nPS 411-22\nUT MEDLINE:16735938\nER\n")
    assert (medline.pmid, medline.pages) == ("16735938", "411-22")
    inspec = only(WOS, "PT J\nTI T\nDE optics\nID [0003(2006)89],[10.1234/5.6]\nUT INSPEC:1\nER\n")
    assert (inspec.doi, inspec.keywords) == ("10.1234/5.6", ("optics",))


def test_an_article_number_stands_in_for_pages() -> None:
    assert only(WOS, "PT J\nTI T\nAR 041103\nEP 9\nER\n").pages == "041103"


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        ("PT J\nDT Article; Proceedings Paper", Kind.ARTICLE),
        ("PT C\nDT Proceedings Paper", Kind.CONFERENCE),
        ("PT J\nDT Meeting Abstract", Kind.CONFERENCE),
        ("PT S\nDT Article; Book Chapter", Kind.CHAPTER),
        ("PT J\nDT Article; Retracted Publication", Kind.RETRACTION),
        ("PT J\nDT Correction", Kind.ERRATUM),
        ("PT J", Kind.ARTICLE),
        ("PT B", Kind.BOOK),
        ("PT S", None),
        ("PT J\nSO bioRxiv", Kind.PREPRINT),
    ],
)
def test_kind(lines: str, kind: Kind | None) -> None:
    assert only(WOS, f"{lines}\nTI T\nER\n").kind is kind


tags = st.sampled_from(["PT", "TI", "AB", "AU", "ER", "EF", "FN", "UT", "ID", "DT", "ZZ", "  ", ""])
lines = st.one_of(st.builds("{} {}".format, tags, any_line), any_line)


@given(any_text)
def test_any_text(text: str) -> None:
    read(WOS, text)


@given(st.lists(lines, max_size=30))
def test_anything_after_a_beginning(found: list[str]) -> None:
    assert read(WOS, "\n".join(["PT J", "AU Lind, B", *found]))


@given(st.lists(any_line.map(str.lower), max_size=8), st.booleans())
def test_a_mangled_record_never_loses_its_neighbours(mangled: list[str], ended: bool) -> None:
    bad = "PT J\n" + "\n".join(mangled) + "\n" + "ER\n" * ended
    found = read(WOS, HEAD + record(1) + bad + record(2))
    names = [item.title for item in found if isinstance(item, Entry)]
    assert (names[0], names[-1]) == ("Title 1", "Title 2")


def test_a_line_without_end_is_one_rejection() -> None:
    endless = "PT J\nTI T\nAB " + "word " * 300_000 + "\nER\n"
    found = read(WOS, record(1) + endless + record(2))
    assert [type(item) for item in found] == [Entry, Rejection, Entry]
