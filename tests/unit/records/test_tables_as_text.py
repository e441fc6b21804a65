"""Tables as text: any delimiter, notes above the header, rows that do not fit."""

import codecs

import pytest

from tandem.records.formats import reading
from tandem.records.formats.entry import Entry, Rejection
from tandem.records.formats.reading import UnknownFormat
from unit.records.read_whole import entries, everything, only


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_table_with_any_delimiter(delimiter: str) -> None:
    rows = [
        ["Record_ID", "Document Title", "AUTHORS", "Publication Year", "Page Start", "Page End"],
        ["7", '"One, two; three\tfour ""five""\nsix"', '"Lim SM; Xu L"', "2020.0", "3", "9"],
    ]
    entry = only("\n".join(delimiter.join(row) for row in rows))
    assert entry.title == 'One, two; three four "five" six'
    assert (entry.ref, entry.year, entry.pages) == ("7", 2020, "3-9")
    assert entry.authors == ("Lim SM", "Xu L")


def test_table_of_web_of_science() -> None:
    text = (
        "PT\tAU\tTI\tSO\tDE\tID\tAB\tPY\tVL\tBP\tEP\tDI\tUT\tPM\t\n"
        'J\tLim, S; Xu, L\t"Quoted" beginning\tSLEEP\ta; b\tPLUS\tText.\t2001\t3\t4\t5'
        "\t10.1234/X\tWOS:1\t12\t\n"
    )
    entry = only(codecs.BOM_UTF16_LE + text.encode("utf-16-le"))
    assert entry.title == '"Quoted" beginning'
    assert (entry.ref, entry.pmid, entry.doi) == ("WOS:1", "12", "10.1234/x")
    assert (entry.journal, entry.pages) == ("SLEEP", "4-5")


def test_table_with_notes_before_the_header() -> None:
    note, entry = everything('sep=;\n"About the data: exported, today"\n\nTitle;Abstract\nT;A\n')
    assert isinstance(note, Rejection)
    assert note.excerpt == '"About the data: exported, today"'
    assert isinstance(entry, Entry)
    assert entry.title == "T"


def test_a_note_that_there_is_no_abstract_is_none() -> None:
    assert only("title,abstract\nT,[No abstract available]\n").abstract == ""


def test_embase_keeps_everything_in_one_column() -> None:
    entry = only(
        "Title,Source\nT,Cancer (2004) 102:4 (253-258). Date of Publication: 25 Aug 2004\n"
    )
    assert (entry.journal, entry.year, entry.volume) == ("Cancer", 2004, "102")
    assert (entry.issue, entry.pages) == ("4", "253-258")


def test_rows_of_other_lengths_than_the_header() -> None:
    found = everything(
        "title,abstract,year\nShort\nA,B,2020,,\nA,B,2020,extra\n,,\n\n,,2020\nZ,,\n"
    )

    assert [item.title if isinstance(item, Entry) else item.reason for item in found] == [
        "Short",
        "A",
        "more fields than the header's 3 columns",
        "no title and no abstract",
        "Z",
    ]


def test_a_header_short_of_a_column_loses_only_what_it_misnames() -> None:
    row = "T{},2020,10.1234/{},mystery,English,X{}\n"
    found = entries("title,year,doi,language,id\n" + "".join(row.format(n, n, n) for n in range(9)))
    assert [e.title for e in found] == [f"T{n}" for n in range(9)]
    assert {(e.year, e.language, e.ref) for e in found} == {(2020, None, None)}

    misplaced = "Part one, part two,Abstract,2020\n" * 9  # the stray comma is in the title
    assert all(
        isinstance(item, Rejection) for item in everything("title,abstract,year\n" + misplaced)
    )


def test_a_quotation_mark_left_open_swallows_no_rows() -> None:
    rows = "".join(f'"T{n}","A{n}",{n}\n' for n in range(1, 4))
    found = everything(f'title,abstract,id\n{rows}"open,"B",4\n"open, and more,x,y,9\n{rows}')

    assert [item.title for item in found if isinstance(item, Entry)] == [
        *("T1", "T2", "T3", '"open', "T1", "T2", "T3"),
    ]
    assert [(r.position, r.reason) for r in found if isinstance(r, Rejection)] == [
        (5, "a quotation mark is opened that is not closed")
    ]


def test_a_table_without_a_title_column_is_not_ours() -> None:
    with pytest.raises(UnknownFormat, match="begins with 'name,abstract,year x,y,2020'"):
        reading.read(b"name,abstract,year\nx,y,2020\n", None)


def test_a_header_alone_is_a_table_of_no_records() -> None:
    result = reading.read(b"title,abstract\n", None)
    assert (result.format, result.total, list(result.entries)) == ("csv", 0, [])
