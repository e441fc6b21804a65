"""Of every file all is accounted for: as a record, as a rejection, or as known to be neither.

Files of each format are cut at random places, put together in another order and mixed with junk.
That no character is left out holds by the way files are cut. Here it is seen that what is taken for
filler holds no record's title: that is in a record or in a rejection.
"""

import io
import itertools
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymarc import Field, Indicators, Record, Subfield
from structlog.testing import capture_logs

from tandem.records.formats import reading
from tandem.records.formats.assembly import Parts
from tandem.records.formats.entry import Entry, Rejection
from tandem.records.formats.pieces import (
    FAULT,
    FILLER,
    RECORD,
    STRAY,
    Cut,
    Piece,
    Reader,
    gap,
    opened,
)
from tandem.records.formats.reading import Format, UnknownFormat
from tandem.records.formats.table.columns import find_header
from tandem.records.formats.tagged.fields import Fields
from tandem.records.formats.tagged.ris import RIS
from unit.records.formats.test_xlsx import workbook

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
    "ovid": each("<1. >\nVN  - Ovid Technologies\nAB  - Text.\nTI  - WORD of toys\n\n"),
    "refworks": each("RT Journal Article\nSR 1\nID 1\nT1 WORD of toys\nYR 2001\n\n"),
    "labelled": each("Record #1 of 3\nID: CN-1\nTI: WORD of toys\nYR: 2019\nAU: Birch A\n\n"),
    "labelled by Embase": each(
        "RECORD 1\nTITLE\nWORD of toys\nAUTHOR NAMES\nBirch A.\nPUI\nL6\n\n"
    ),
    "labelled by ProQuest": each(
        "Document 1 of 3\n\nTitle: WORD of toys\n\nAuthor: Birch, A\n\nPublication year: 2019\n\n"
    ),
    "ovid in words": each("<1>\nUnique Identifier\n  1\nTitle\n  WORD of toys\nYear\n  2019\n\n"),
    "bibtex": each("@article{key,\n  title = {WORD of toys},\n  year = {2019}\n}\n\n"),
    "csv": ["title,year\n", *each('"WORD of toys",2019\n')],
    "csv of one field a row": each('TITLE,"WORD of toys"\nAUTHOR NAMES,"Birch A."\nPUI,L6\n\n'),
    "csl_json": [
        "[",
        ",".join(each('{"id": "1", "title": "WORD of toys", "issued": {"raw": "2019"}}\n')),
        "]",
    ],
    "solr_json": [
        '{"response": {"docs": [',
        ",".join(each('{"id": "1", "title_full": "WORD of toys", "record_format": "marc"}\n')),
        "]}}",
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


def data_of(name: str, text: str) -> str | bytes:
    return text.encode("latin-1", "replace") if name == "marc" else text


def reader_of(name: str) -> Reader[Any]:
    return reading.READERS[name.partition(" ")[0]].of  # type: ignore[index]  # all are formats


def accounted(name: str, text: str) -> list[Entry | Rejection]:
    """Return what is read of `text`, having seen that every title is in it or in a rejection."""
    reader, data = reader_of(name), data_of(name, text)
    if reader.begins(data) is None:
        return []
    file = opened(reader, data)
    # The names of columns may be any: a line that is glued to the header is one of them.
    header = find_header(text) if name.startswith("csv") else None
    end = 0
    filler = []
    for start, following, kind in file.cut:
        assert start == end < following
        end = following
        if kind == FILLER and not (header and header.start <= start < header.end):
            filler.append(str(data[start:end]))
    assert end == len(data)
    left_out = "\n".join(filler)
    if header and list(header.names) != ["title", "year"]:
        left_out = left_out.replace(text[header.start : header.end], "")  # it may come again
    if name == "bibtex":  # by the language, words outside of an entry are a comment
        left_out = re.sub(r'(?m)^[^{}()="@]*$', "", left_out)
    for word in WORDS if name != "vufind" else ():  # above the fields stands a page that has it
        assert f"{word} of toys" not in left_out
    found = list(file.entries())
    assert not any(isinstance(item, Rejection) and item.reason == FAULT for item in found)
    return found


def test_there_is_a_file_of_each_format() -> None:
    """Workbooks and archives have tests of their own, below."""
    formats = {name.partition(" ")[0] for name in FILES} | {"xlsx", "zip"}
    assert formats == set(get_args(Format)) == {*reading.READERS, "zip"}


@pytest.mark.parametrize("format", FILES)
def test_a_whole_file_is_records_and_filler(format: str) -> None:
    found = accounted(format, "".join(FILES[format]))
    assert [item.title for item in found if isinstance(item, Entry)] == [
        f"{word} of toys" for word in WORDS
    ]
    assert len(found) == len(WORDS)


@pytest.mark.parametrize("format", FILES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_no_title_is_lost_however_a_file_is_cut_and_mixed(format: str, data: st.DataObject) -> None:
    text = "".join(FILES[format])
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
    edges = [0, *places, len(text)]
    pieces = [text[a:b] for a, b in itertools.pairwise(edges)]
    pieces = data.draw(st.permutations(pieces))
    mixed = "".join(piece + data.draw(junk) for piece in pieces)
    accounted(format, mixed)


NO_SUCH_LINES = {"csv", "bibtex", "vufind", "marc"}
"""Any line is a row; outside of entries all is a comment; further lines are values; bytes."""


@pytest.mark.parametrize("name", sorted(FILES.keys() - NO_SUCH_LINES))
def test_a_line_between_records_is_reported_and_in_none_of_them(name: str) -> None:
    text = "".join(FILES[name])
    file = opened(reader_of(name), text)
    (at,) = (
        start for start, end, kind in file.cut if kind == RECORD and "Bravo" in text[start:end]
    )
    found = accounted(name, f"{text[:at]}\nwritten by a person\n\n{text[at:]}")
    entries = [item for item in found if isinstance(item, Entry)]
    assert [entry.title for entry in entries] == [f"{word} of toys" for word in WORDS]
    assert not any("written" in str(entry) for entry in entries)
    (reported,) = (item for item in found if isinstance(item, Rejection))
    assert reported.excerpt == "written by a person"


@pytest.mark.parametrize(
    "above",
    [
        "Birch on toys",
        "Report of two toys",
        "Results of a toy",
        "Search for toys",
        "10 results that changed toys",
        "Searched and found: toys",
        "Exported toys: a history",
        '"Elm on toys",2019',
        "Elm on toys,",
    ],
)
def test_a_row_above_the_header_is_reported(above: str) -> None:
    rejected, entry = accounted("csv", f"{above}\ntitle,year\nAlpha of toys,2019\n")
    assert isinstance(rejected, Rejection)
    assert rejected.reason == "a row above the header row"
    assert isinstance(entry, Entry)


@pytest.mark.parametrize(
    "above",
    [
        "sep=,",
        "Search of 2020",
        "Search results from PubMed",
        "Records from 3 May 2020",
        "Export date: 1 May 2020",
        "1204 results for toys",
        "---",
    ],
)
def test_a_note_on_the_search_above_the_header_is_none(above: str) -> None:
    (entry,) = accounted("csv", f"{above}\ntitle,year\nAlpha of toys,2019\n")
    assert isinstance(entry, Entry)


cells = st.one_of(st.none(), st.sampled_from(["Alpha of toys", "Bravo", "title", "year", " ", "x"]))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.lists(cells, max_size=4), max_size=6), min_size=1, max_size=3))
def test_every_cell_of_a_workbook_is_accounted_for(sheets: list[list[list[str | None]]]) -> None:
    def numbered(cell: str | None, *place: int) -> str | None:
        return f"{cell} {place}" if cell and cell[0].isupper() else cell

    book = [
        [[numbered(cell, s, r, c) for c, cell in enumerate(row)] for r, row in enumerate(rows)]
        for s, rows in enumerate(sheets)
    ]
    try:
        found = list(reading.read(workbook(*book)).entries)
    except UnknownFormat:
        return  # in none of the sheets is there a title column
    reported = "\n".join(item.raw if isinstance(item, Entry) else item.excerpt for item in found)
    left_out = [item.reason for item in found if isinstance(item, Rejection)]
    for s, rows in enumerate(book):
        # Columns may have any names.
        for cell in (cell for row in rows if "title" not in row for cell in row):
            if cell and cell[0].isupper() and cell not in reported:
                assert f"the sheet 's{s}'" in "\n".join(left_out)


CONTENTS = [b"", b"TY  - JOUR\nTI  - T\nER  - \n", b"title,year\nT,2019\n", b"%PDF-1", b"x"]
NAMES = ["a.ris", "b.csv", "c.txt", "d.pdf", "e/f.bib", "e/", "__MACOSX/x", "../g"]


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(CONTENTS), max_size=6))
def test_every_file_of_an_archive_is_accounted_for(members: dict[str, bytes]) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    found = reading.read(packed.getvalue())
    items = list(found.entries)
    assert len(items) == found.total
    n_files = sum(not (name.endswith("/") or "MACOSX" in name) for name in members)
    assert len(items) == n_files  # each has one record, or one reason why it has none


def test_a_fault_of_a_reader_costs_one_record(monkeypatch: pytest.MonkeyPatch) -> None:
    def with_a_fault(fields: Fields) -> Parts:
        if fields.first("TI") == "Bravo of toys":
            raise ZeroDivisionError
        return parts(fields)

    parts, readers = RIS.parts, reading.READERS
    reader = replace(readers["ris"], of=replace(RIS, parts=with_a_fault))
    monkeypatch.setitem(readers, "ris", reader)
    with capture_logs() as logs:
        first, rejected, third = reading.read("".join(FILES["ris"]).encode()).entries
    assert isinstance(first, Entry)
    assert isinstance(third, Entry)
    assert isinstance(rejected, Rejection)
    assert (rejected.position, rejected.reason) == (2, FAULT)
    assert rejected.excerpt.startswith("TY - JOUR TI - Bravo of toys")
    assert [(line["position"], line["exc_info"]) for line in logs] == [(2, True)]


def test_a_fault_while_a_file_is_cut_costs_only_what_is_not_cut_yet() -> None:
    def pieces() -> Iterator[Piece]:
        yield 3, RECORD
        raise ZeroDivisionError

    with capture_logs() as logs:
        cut = Cut("abcdefg", pieces())
    assert [*cut] == [(0, 3, RECORD), (3, 7, FAULT)]
    assert [line["exc_info"] for line in logs] == [True]


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


def test_json_after_the_list_is_reported() -> None:
    text = json.dumps([{"title": "T"}]) + "\nand then some"
    found = list(reading.read(text.encode()).entries)
    assert [type(item) for item in found] == [Entry, Rejection]
