import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.records.formats import citation, normalise, reading
from tandem.records.formats.entry import Entry, Kind, Rejection
from tandem.records.formats.tagged.ovid import OVID
from unit.records.formats.tagged_lines import any_line, any_text, only, read, titles

TAGGED = """<1. >
VN  - Ovid Technologies
DB  - Ovid MEDLINE(R) ALL
UI  - 31234567
ST  - MEDLINE
TI  - Sleep and memory in older adults: a review. [Review]
SO  - Journal of Rest. 7(2):101-109, 2019 Mar.
AU  - Okafor A
AU  - Lind B
FA  - Okafor, Ada
FA  - Lind, Bo
MH  - *Sleep/ph [Physiology]
MH  - Aged
KW  - memory; recall
AB  - BACKGROUND: People sleep.
METHODS: We asked them.
DO  - https://dx.doi.org/10.1234/Rest.7
LG  - English
PT  - Journal Article
YR  - 2019
XL  - https://ovidsp.ovid.com/ovidweb.cgi?T=JS&AN=31234567
"""
NAMED = """<1>
Unique Identifier
  31234567
Status
  MEDLINE
Authors
  Okafor A.  Lind B.
Authors Full Name
  Okafor, Ada.  Lind, Bo.
Institution
  Okafor, Ada. Institute of Rest; Lund.
Title
  Sleep and memory in older adults: a review. [Review]
Source
  Journal of Rest. 7(2):101-109, 2019 Mar.
MeSH Subject Headings
  Aged
  *Sleep/ph [Physiology]
Keyword Heading
  memory
  recall
Abstract
  BACKGROUND: People sleep.
  METHODS: We asked them.
Digital Object Identifier
  https://dx.doi.org/10.1234/Rest.7
Publication Type
  Journal Article.  Research Support, Non-U.S. Gov't.
Language
  English.
Year of Publication
  2019
Link to the Ovid Full Text or citation:
 https://ovidsp.ovid.com/ovidweb.cgi?T=JS&AN=31234567
"""
SEARCH = "Database: Ovid MEDLINE(R)\nSearch Strategy:\n-----\n1  exp sleep/ (123)\n2  1 and <2\n\n"


def tagged(number: int) -> str:
    return f"<{number}. >\nVN  - Ovid Technologies\nTI  - Title {number}\nAB  - Text.\n\n"


def named(number: int) -> str:
    return f"<{number}>\nUnique Identifier\n  {number}\nTitle\n  Title {number}\n\n"


@pytest.mark.parametrize("text", [TAGGED, NAMED, SEARCH + TAGGED, SEARCH + NAMED])
def test_record_is_read_whole_in_either_style(text: str) -> None:
    entry = only(OVID, text)
    assert sorted(entry.keywords) == ["Aged", "Sleep/ph", "memory", "recall"]
    assert entry == Entry(
        title="Sleep and memory in older adults: a review.",
        abstract="BACKGROUND: People sleep. METHODS: We asked them.",
        authors=("Okafor, Ada", "Lind, Bo"),
        year=2019,
        journal="Journal of Rest",
        volume="7",
        issue="2",
        pages="101-109",
        doi="10.1234/rest.7",
        pmid="31234567",
        url="https://ovidsp.ovid.com/ovidweb.cgi?T=JS&AN=31234567",
        keywords=entry.keywords,
        language="English",
        ref="31234567",
        raw=text.removeprefix(SEARCH).strip(),
        kind=Kind.ARTICLE,
    )


@pytest.mark.parametrize("text", [TAGGED, NAMED, SEARCH + TAGGED, TAGGED.partition("\n")[2]])
def test_format_shows_in_the_content(text: str) -> None:
    assert reading.read(text.encode()).format == "ovid"


@pytest.mark.parametrize(
    "text",
    [
        "<1. >\nTY  - JOUR\nTI  - T\nER  - ",
        "1. \nTY  - JOUR\nTI  - T\nER  - ",
        "<1>\nand a line of prose, which goes on",
        "PMID- 1\nTI  - T\n",
        "<record><1></record>",
    ],
)
def test_other_text_is_not_ovid(text: str) -> None:
    assert OVID.begins(text) is None


@pytest.mark.parametrize("record", [tagged, named])
def test_records_part_at_their_numbers(record: object) -> None:
    assert callable(record)
    text = record(1) + record(7) + "\n\n" + record(2000)
    assert titles(OVID, text) == ["Title 1", "Title 7", "Title 2000"]


@pytest.mark.parametrize("record", [tagged, named])
def test_records_part_without_numbers_too(record: object) -> None:
    assert callable(record)
    text = "".join(record(number).partition("\n")[2] for number in (1, 2, 3))
    assert titles(OVID, text) == ["Title 1", "Title 2", "Title 3"]


def test_lines_may_be_indented_by_one() -> None:
    assert only(OVID, TAGGED.replace("\n", "\n ")).title == only(OVID, TAGGED).title


def test_references_with_blank_lines_are_no_records() -> None:
    cited = "RF  - Ray, E. (2001). On rest. http://example.org\n \n       Xu, L. (2002). More.\n"
    assert titles(OVID, tagged(1) + cited + "UP  - 2015\n" + tagged(2)) == ["Title 1", "Title 2"]


def test_a_record_without_title_is_rejected_alone() -> None:
    found = read(OVID, tagged(1) + "<2. >\nVN  - Ovid Technologies\nAU  - Nobody\n" + tagged(3))
    assert [type(item) for item in found] == [Entry, Rejection, Entry]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Ray, Em 1,2,+", "Ray, Em"),
        ("Ray, Em MD, PhD *", "Ray, Em"),
        ("Ray, Em B. [Inventor, Reprint Author; E-mail: em@example.org]", "Ray, Em B."),
        ("Ray E.", "Ray E."),
        ("RAY, Em D M", "RAY, Em D M"),
        ("Lee, MD", "Lee, MD"),
    ],
)
def test_names_without_marks_roles_and_degrees(line: str, name: str) -> None:
    assert only(OVID, f"<1. >\nTI  - T\nAU  - {line}\n").authors == (name,)


@pytest.mark.parametrize(
    ("lines", "pmid"),
    [
        ("DB  - Embase\nUI  - 31234567", None),
        ("DB  - Embase\nPM  - 31234567 [http://www.ncbi.nlm.nih.gov/pubmed/?term=1]", "31234567"),
        ("DB  - PsycINFO\nAN  - 31234567\nPM  - 24331028", "24331028"),
        ("ST  - In-Process\nUI  - 31234567", "31234567"),
    ],
)
def test_pubmed_number_only_when_certain(lines: str, pmid: str | None) -> None:
    assert only(OVID, f"<1. >\nTI  - T\n{lines}\n").pmid == pmid


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("PT  - Conference Abstract", Kind.CONFERENCE),
        ("DT  - Original Articles.", Kind.ARTICLE),
        ("PT  - Journal Article. Retracted Publication.", Kind.RETRACTION),
        ("PT  - Patent", Kind.OTHER),
        ("JN  - medRxiv", Kind.PREPRINT),
        ("LG  - English", None),
    ],
)
def test_kind(line: str, kind: Kind | None) -> None:
    assert only(OVID, f"<1. >\nTI  - T\n{line}\n").kind is kind


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Rest. 293(3):299-306, 2005 Jan 19.", ("Rest", "293", "3", "299-306", "2005")),
        ("Rest. 36 (15) (pp 12-40), 2018.", ("Rest", "36", "15", "12-40", "2018")),
        (
            "Sleep Proc. Conference: 2nd Meeting: Part 2. 12 (Supplement 3) (no pagination), 2018. "
            "Date of Publication: 2018.",
            ("Sleep Proc", "12", "Supplement 3", "", "2018"),
        ),
        (
            "Rest and Sleep. Vol.43(5), Sep 2015, pp. 6-34.",
            ("Rest and Sleep", "43", "5", "6-34", "2015"),
        ),
        ("Rest & Sleep January/February 2010;14(1):56", ("Rest & Sleep", "14", "1", "56", "2010")),
        ("Rest November/December 2010;6:611-613", ("Rest", "6", "", "611-613", "2010")),
        (
            "Sleep. Condensed Rest. 18(23):53-31, 2006",
            ("Sleep. Condensed Rest", "18", "23", "53-31", "2006"),
        ),
        ("Rest. 14(3):e0213, 2019.", ("Rest", "14", "3", "e0213", "2019")),
        ("Journal of Rest. ", ("Journal of Rest", "", "", "", "")),
        ("", ("", "", "", "", "")),
    ],
)
def test_a_citation_comes_apart(text: str, parts: tuple[str, ...]) -> None:
    found = citation.of(text)
    assert (found.journal, found.volume, found.issue, found.pages, found.year) == parts


@given(any_text)
def test_a_citation_of_any_text(text: str) -> None:
    assert citation.of(text).journal in normalise.clean(text)


tags = st.sampled_from(["VN", "TI", "AB", "AU", "SO", "UI", "PT", "TY", "ZZ", ""])
names = st.sampled_from(["Title", "Abstract", "Authors", "Source", "Unknown Field", "Title:"])
lines = st.one_of(
    st.builds("{}  - {}".format, tags, any_line),
    st.builds("{}\n  {}".format, names, any_line),
    any_line,
    st.sampled_from(["", "<2>", "<3. >", "VN  - Ovid Technologies", "Unique Identifier"]),
)


@given(any_text)
def test_any_text(text: str) -> None:
    read(OVID, text)


@given(st.lists(lines, max_size=30), st.sampled_from(["TI  - T", "Title\n  T"]))
def test_anything_after_a_beginning(found: list[str], first: str) -> None:
    assert read(OVID, "\n".join(["<1>", first, *found]))


@given(st.lists(any_line.map(str.lower), max_size=8), st.sampled_from([tagged, named]))
def test_a_mangled_record_never_loses_its_neighbours(mangled: list[str], record: object) -> None:
    assert callable(record)
    found = read(OVID, record(1) + "<2>\n" + "\n".join(mangled) + "\n" + record(3))
    titled = [item.title for item in found if isinstance(item, Entry)]
    assert (titled[0], titled[-1]) == ("Title 1", "Title 3")


def test_a_line_without_end_is_one_rejection() -> None:
    found = read(OVID, tagged(1) + "<2. >\nTI  - T\nAB  - " + "word " * 300_000 + "\n" + tagged(3))
    assert [type(item) for item in found] == [Entry, Rejection, Entry]


def test_records_that_lost_their_numbers_begin_at_their_score() -> None:
    one = "Score\n  *****\nAccession Number\n  0000{0}.\nAuthor\n  Lind, Bo RN; PhD; FAAN 1\n"
    one += "Title\n  Title {0}.[Article]\nStatus\n  Publish Ahead of Print, 30 November 2015\n\n"
    text = one.format(1) + one.format(2)
    found = read(OVID, text)
    assert titles(OVID, text) == ["Title 1.", "Title 2."]
    assert [(item.authors, item.year) for item in found if isinstance(item, Entry)] == [
        (("Lind, Bo",), 2015)
    ] * 2


def test_a_chapters_title_will_do() -> None:
    assert titles(OVID, "<1>\nAuthor\n  Lind B\nChapter Title\n  Sleep\n") == ["Sleep"]
