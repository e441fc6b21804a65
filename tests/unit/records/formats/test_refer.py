import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.records.formats import reading
from tandem.records.formats.entry import Entry, Kind, Prior, Rejection
from tandem.records.formats.tagged.refer import REFER
from unit.records.formats.tagged_lines import any_line, any_text, only, read, titles

WHOLE = """%0 Journal Article
%A Okafor, Ada
%A Lind, Bo
%T Sleep and memory in older adults
%J Journal of Rest
%V 7
%N 2
%P 101-109
%D 2019
%8 2019/03/02
%R https://doi.org/10.1234/Rest.7
%M 31234567
%W PubMed
%U https://example.org/7
%K sleep
memory; ageing
%G English
%X Background: people sleep.
Methods: we asked them.
"""


def record(number: int) -> str:
    return f"%0 Journal Article\n%T Title {number}\n%A Lind, Bo\n%D 2001\n"


def test_record_is_read_whole() -> None:
    assert only(REFER, WHOLE) == Entry(
        title="Sleep and memory in older adults",
        abstract="Background: people sleep. Methods: we asked them.",
        authors=("Okafor, Ada", "Lind, Bo"),
        year=2019,
        journal="Journal of Rest",
        volume="7",
        issue="2",
        pages="101-109",
        doi="10.1234/rest.7",
        pmid="31234567",
        url="https://example.org/7",
        keywords=("sleep", "memory", "ageing"),
        language="English",
        ref="31234567",
        raw=WHOLE.strip(),
        kind=Kind.ARTICLE,
    )


def test_format_shows_in_the_content() -> None:
    assert reading.read(WHOLE.encode()).format == "enw"
    assert reading.read(b"%T Only a title\n%A Lind, Bo\n").format == "enw"


@pytest.mark.parametrize(
    "text",
    [
        "% Encoding: UTF-8\n@article{a, title = {T}}",
        "%!PS-Adobe-3.0\n%%Title: x",
        "TY  - JOUR\nTI  - %T\nER  - ",
        "% of people\n%-wise",
        "100%\n%0a",
    ],
)
def test_other_percent_signs_are_not_refer(text: str) -> None:
    assert REFER.begins(text) is None


@pytest.mark.parametrize("gap", ["", "\n", "\n\n\n", " \n\t\n", "\n2.\n"])
def test_records_part_at_their_type_whatever_stands_between(gap: str) -> None:
    assert titles(REFER, record(1) + gap + record(2) + gap + record(3)) == [
        "Title 1", "Title 2", "Title 3",
    ]  # fmt: skip


def test_records_without_a_type_part_at_blank_lines() -> None:
    text = "%A Lind, Bo\n%T One\n%D 2001\n\n%T Two\n%A Xu, Li\n\n%A Ray, Em\n%T Three\n"
    assert titles(REFER, text) == ["One", "Two", "Three"]


def test_the_type_may_follow_the_title() -> None:
    text = "%T One\n%0 Journal Article\n%D 2001\n\n\n%T Two\n%D 2002\n\n%T Three\n%0 Thesis\n"
    found = [item for item in read(REFER, text) if isinstance(item, Entry)]
    assert [(e.title, e.kind) for e in found] == [
        ("One", Kind.ARTICLE), ("Two", None), ("Three", Kind.THESIS),
    ]  # fmt: skip


def test_the_type_may_stand_in_the_middle() -> None:
    one = "%A Lind, Bo\n%D 2001\n%T Title 1\n%J Rest\n%0 Journal Article\n%R 10.1234/1\n%R 5-7\n"
    text = one + "\n\n" + one.replace("1\n", "2\n")
    assert titles(REFER, text) == ["Title 1", "Title 2"]
    assert only(REFER, one).doi == "10.1234/1"


def test_a_blank_line_within_a_record_parts_nothing() -> None:
    text = record(1) + "%X First.\n\nSecond.\n\n%U https://example.org/\n\n" + record(2)
    first, second = read(REFER, text)
    assert isinstance(first, Entry)
    assert isinstance(second, Entry)
    assert (first.abstract, first.url) == ("First. Second.", "https://example.org/")
    assert (second.title, second.url) == ("Title 2", None)


def test_a_record_without_title_is_rejected_alone() -> None:
    found = read(REFER, record(1) + "\n%0 Book\n%A Nobody\n\n" + record(2))
    assert [type(item) for item in found] == [Entry, Rejection, Entry]


@pytest.mark.parametrize(
    ("lines", "authors"),
    [
        ("%A Lind, Bo and Xu, Li", ("Lind, Bo", "Xu, Li")),
        ("%A Institute of Sleep and Rest,", ("Institute of Sleep and Rest",)),
        ("%A Lind, Bo; Xu, Li", ("Lind, Bo", "Xu, Li")),
        ("%E Ray, Em", ("Ray, Em",)),
    ],
)
def test_names(lines: str, authors: tuple[str, ...]) -> None:
    assert only(REFER, f"%0 Book\n%T T\n{lines}\n").authors == authors


def test_accession_number_is_a_pubmed_number_only_if_from_there() -> None:
    assert only(REFER, "%0 Journal Article\n%T T\n%M 31234567\n").pmid is None


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        ("%0 Conference Proceedings", Kind.CONFERENCE),
        ("%0 Book Section", Kind.CHAPTER),
        ("%0 Generic", None),
        ("%0 Journal Article\n%9 Retracted Publication", Kind.RETRACTION),
        ("%0 Journal Article\n%J medRxiv", Kind.PREPRINT),
        ("%0 Journal Article\n%9 Conference interpreting", Kind.ARTICLE),
        ("%0 Journal Article\n%J Proceedings XXXIV", Kind.ARTICLE),
    ],
)
def test_kind(lines: str, kind: Kind | None) -> None:
    assert only(REFER, f"{lines}\n%T T\n").kind is kind


def test_earlier_decisions_stand_in_the_notes() -> None:
    text = record(1) + '%Z RAYYAN-INCLUSION: {"Ann"=>"Maybe"}\n'
    assert only(REFER, text).priors == (Prior("maybe", "Ann"),)


tags = st.sampled_from([*"0TAXDJKUZQ9% é"])
lines = st.one_of(st.builds("%{} {}".format, tags, any_line), any_line, st.just(""))


@given(any_text)
def test_any_text(text: str) -> None:
    read(REFER, text)


@given(st.lists(lines, max_size=30))
def test_anything_after_a_beginning(found: list[str]) -> None:
    assert read(REFER, "\n".join(["%0 Journal Article", *found]))


@given(st.lists(any_line.filter(lambda line: "%" not in line), max_size=8))
def test_a_mangled_record_never_loses_its_neighbours(mangled: list[str]) -> None:
    found = read(REFER, record(1) + "\n%0 Book\n" + "\n".join(mangled) + "\n\n" + record(2))
    names = [item.title for item in found if isinstance(item, Entry)]
    assert (names[0], names[-1]) == ("Title 1", "Title 2")


def test_a_line_without_end_is_one_rejection() -> None:
    found = read(REFER, record(1) + "%X " + "word " * 300_000 + "\n" + record(2))
    assert [type(item) for item in found] == [Rejection, Entry]
