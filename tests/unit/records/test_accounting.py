"""Of every file all is accounted for: as a record, as a rejection, or as known to be neither.

Files of each format are cut at random places, put together in another order and mixed with junk.
That no character is left out holds by the way files are cut. Here it is seen that what is taken for
filler holds no record's title: that stands in a record or is told in a rejection.
"""

import itertools
import json
import re
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymarc import Field, Indicators, Record, Subfield

from tandem.records.formats import reading
from tandem.records.formats.entry import Entry, Rejection
from tandem.records.formats.pieces import FILLER, STRAY, gap, opened

WORDS = ("Alpha", "Bravo", "Charlie")


def each(template: str) -> list[str]:
    return [template.replace("WORD", word) for word in WORDS]


def marc(word: str) -> str:
    record = Record()
    subfields = [Subfield("a", f"{word} of toys")]
    record.fields.append(Field("245", indicators=Indicators("1", "0"), subfields=subfields))
    return str(record.as_marc(), "latin-1")


FILES: dict[str, list[str]] = {
    "ris": each("TY  - JOUR\nTI  - WORD of toys\nAB  - An abstract.\nPY  - 2019\nER  - \n\n"),
    "nbib": each("PMID- 1\nOWN - NLM\nTI  - WORD of toys\nAB  - An abstract.\n\n"),
    "enw": each("%0 Journal Article\n%T WORD of toys\n%A Birch, A\n\n"),
    "wos": each("PT J\nAU Birch, A\nTI WORD of toys\nSO Toys\nER\n\n"),
    "ovid": each("<1. >\nVN  - Ovid Technologies\nTI  - WORD of toys\nAB  - Text.\n\n"),
    "refworks": each("RT Journal Article\nSR 1\nID 1\nT1 WORD of toys\nYR 2001\n\n"),
    "labelled": each("Record #1 of 3\nID: CN-1\nTI: WORD of toys\nYR: 2019\nAU: Birch A\n\n"),
    "bibtex": each("@article{key,\n  title = {WORD of toys},\n  year = {2019}\n}\n\n"),
    "csv": ["title,year\n", *each('"WORD of toys",2019\n')],
    "csl_json": [
        "[",
        ",".join(each('{"id": "1", "title": "WORD of toys", "issued": {"raw": "2019"}}\n')),
        "]",
    ],
    "json": ["[", ",".join(each('{"title": "WORD of toys", "year": 2019}\n')), "]"],
    "pubmed_xml": each(
        "<PubmedArticle><MedlineCitation><Article><ArticleTitle>WORD of toys</ArticleTitle>"
        "</Article></MedlineCitation></PubmedArticle>\n"
    ),
    "endnote_xml": each(
        "<record><ref-type name='Book'>6</ref-type><titles><title>WORD of toys</title></titles>"
        "</record>\n"
    ),
    "ebsco_xml": each(
        "<rec><header/><controlInfo><artinfo><tig><atl>WORD of toys</atl></tig></artinfo>"
        "</controlInfo></rec>\n"
    ),
    "mods": each("<mods><titleInfo><title>WORD of toys</title></titleInfo></mods>\n"),
    "marcxml": each(
        "<record><leader>00000nam a2200000 a 4500</leader><datafield tag='245'>"
        "<subfield code='a'>WORD of toys</subfield></datafield></record>\n"
    ),
    "vufind": each(
        "author\tBirch\nformat\tBook\nid\t1\nrecord_format\tmarc\ntitle\tWORD of toys\n"
        "title_full\tWORD of toys\n"
    ),
    "noteexpress": each("{Reference Type}: Book\n{Title}: WORD of toys\n{Year}: 2019\n\n"),
    "pubmed_text": each("1. Toys. 2019 Jan;1(2):3-4.\n\nWORD of toys\n\nBirch A.\n\nPMID: 1\n\n\n"),
    "ictrp_xml": each(
        "<Trial><TrialID>NCT01234567</TrialID><Public_title>WORD of toys</Public_title></Trial>\n"
    ),
    "jats_xml": each(
        "<article><front><article-meta><title-group><article-title>WORD of toys</article-title>"
        "</title-group></article-meta></front></article>\n"
    ),
    "marc_json": [
        "[",
        ",".join(
            each('{"leader": "", "fields": [{"245": {"subfields": [{"a": "WORD of toys"}]}}]}\n')
        ),
        "]",
    ],
    "marc": [marc(word) for word in WORDS],
}

junk = st.sampled_from(
    [
        "",
        "\n",
        "\n\n",
        "written by a person\n",
        "TI  - ",
        "}",
        "]",
        "<a>",
        '"',
        ",",
        "\u00a0",
        "1.\n",
    ]
)


def n_cells(line: str) -> int:
    return sum(bool(cell.strip()) for cell in line.split(","))


def accounted(format: str, text: str) -> list[Entry | Rejection]:
    """Return what is read of `text`, having seen that every title is in it or is told."""
    reader = reading.READERS[format]  # type: ignore[index]  # the names are those of formats
    data = text.encode("latin-1", "replace") if format == "marc" else text
    if reader.of.begins(data) is None:
        return []
    file = opened(reader.of, data)
    end = 0
    filler = []
    for start, following, kind in file.cut:
        assert start == end < following
        end = following
        if kind == FILLER:
            filler.append(str(data[start:end]))
    assert end == len(data)
    if format == "csv":
        # Above the header one cell alone is a note, and the header may have any column's name.
        filler = [line for line in filler if "title" not in line and n_cells(line) > 1]
    left_out = "\n".join(filler)
    for word in WORDS if format != "vufind" else ():  # above the fields stands a page that has it
        assert f"{word} of toys" not in left_out
    return list(file.entries())


@pytest.mark.parametrize("format", FILES)
def test_a_whole_file_is_records_and_filler(format: str) -> None:
    found = accounted(format, "".join(FILES[format]))
    assert [item.title for item in found if isinstance(item, Entry)] == [
        f"{word} of toys" for word in WORDS
    ]
    assert len(found) == len(WORDS)


@pytest.mark.parametrize("format", FILES)
@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data())
def test_no_title_is_lost_however_a_file_is_cut_and_mixed(format: str, data: st.DataObject) -> None:
    text = "".join(FILES[format])
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
    edges = [0, *places, len(text)]
    pieces = [text[a:b] for a, b in itertools.pairwise(edges)]
    pieces = data.draw(st.permutations(pieces))
    mixed = "".join(piece + data.draw(junk) for piece in pieces)
    accounted(format, mixed)


def _strays(lines: Iterable[str]) -> list[str]:
    text = "\n".join(lines)
    found, start = [], 0
    for end, kind in gap(text, 0, len(text)):
        if kind == STRAY and end > start:
            found.append(text[start:end].strip())
        start = max(start, end)
    return found


def test_lines_between_records_that_are_known() -> None:
    known = ["", " ", "12.", "<3>", "Record #1 of 2", "Provider: JSTOR", "-----", "# note", "EF"]
    assert _strays(known) == []
    assert _strays([*known, "A line", "and another", "", "3.", "A third"]) == [
        "A line\nand another",
        "A third",
    ]


def test_a_rejection_says_on_which_line_it_stands() -> None:
    text = "TY  - JOUR\nTI  - One\nER  - \nwhat is this\nTY  - JOUR\nTI  - Two\nER  - \n"
    (_, rejection, _) = reading.read(text.encode()).entries
    assert isinstance(rejection, Rejection)
    assert re.search(r"belongs to no record \(line 4\)$", rejection.reason)
    assert rejection.excerpt == "what is this"


def test_json_after_the_list_is_told() -> None:
    text = json.dumps([{"title": "T"}]) + "\nand then some"
    found = list(reading.read(text.encode()).entries)
    assert [type(item) for item in found] == [Entry, Rejection]
