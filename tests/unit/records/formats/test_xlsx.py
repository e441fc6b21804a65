import datetime
import io
import zipfile
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from tandem.records.formats import reading
from tandem.records.formats.archive import UnreadableArchive
from tandem.records.formats.entry import Entry, Prior, Rejection
from tandem.records.formats.reading import UnknownFormat
from tandem.records.formats.table import workbook as xlsx
from tandem.records.formats.table.workbook import UnreadableWorkbook

HEADER = ["Title", "Authors", "Year", "Abstract", "DOI", "included"]


def workbook(*sheets: Sequence[Sequence[object]]) -> bytes:
    book = Workbook()
    del book["Sheet"]
    for number, rows in enumerate(sheets):
        sheet = book.create_sheet(f"s{number}")
        for row in rows:
            sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def entries(data: bytes) -> list[Entry]:
    result = reading.read(data)
    found = list(result.entries)
    assert result.format == "xlsx"
    assert result.total == len(found)
    assert all(isinstance(item, Entry) for item in found), found
    return [item for item in found if isinstance(item, Entry)]


def test_a_sheet_is_read_as_any_table() -> None:
    row: list[object] = [
        "T, with comma",
        "Okafor, A; Lind, B",
        2019.0,
        "One.\nTwo.",
        "10.1234/X",
        1,
    ]
    (entry,) = entries(workbook([HEADER, row, [None, " "]]))
    assert (entry.title, entry.abstract) == ("T, with comma", "One. Two.")
    assert (entry.authors, entry.year) == (("Okafor, A", "Lind, B"), 2019)
    assert (entry.doi, entry.priors) == ("10.1234/x", (Prior("include"),))


def test_all_sheets_with_titles_are_read() -> None:
    other: list[list[object]] = [["Year", "Title"], [2019, "A third"]]
    found = entries(workbook([["Search of 2020"], [], HEADER, ["T"]], [HEADER, ["Other"]], other))
    assert [entry.title for entry in found] == ["T", "Other", "A third"]
    assert found[2].year == 2019


def test_a_sheet_without_titles_is_said_not_to_be_read() -> None:
    notes: list[list[object]] = [["About this file"], [], ["Made by nobody"]]
    reading_ = reading.read(workbook(notes, [HEADER, ["T"]], [], [["x", "y"], [1, 2]]))
    entry, *rejected = reading_.entries
    assert isinstance(entry, Entry)
    assert rejected == [
        Rejection(
            2,
            "the sheet 's0' has no column called title: none of its 2 rows is read",
            "About this file Made by nobody",
        ),
        Rejection(
            3, "the sheet 's3' has no column called title: none of its 2 rows is read", "x,y 1,2"
        ),
    ]
    assert reading_.total == 3


def test_a_column_far_to_the_right_is_read() -> None:
    wide: list[list[object]] = [["Title", *["x"] * 300, "Year"], ["T", *[None] * 300, 2019]]
    assert [entry.year for entry in entries(workbook(wide))] == [2019]


@pytest.mark.parametrize(
    ("value", "year"),
    [
        (2019, 2019),
        (2019.0, 2019),
        ("2019", 2019),
        (datetime.date(2019, 3, 1), 2019),
        (datetime.datetime(2019, 3, 1, 12, 30), 2019),  # noqa: DTZ001  # as Excel has them
        (None, None),
        (True, None),
    ],
)
def test_values_of_other_types(value: object, year: int | None) -> None:
    assert [entry.year for entry in entries(workbook([HEADER, ["T", "A", value]]))] == [year]


def test_line_ends_that_excel_escapes() -> None:
    (entry,) = entries(workbook([HEADER, ["a_x000D_\nb _x005F_x0041_", None]]))
    assert entry.title == "a b _x0041_"


def test_a_workbook_without_titles_is_said_to_be_one() -> None:
    with pytest.raises(UnknownFormat, match="looks like an Excel workbook without titles"):
        reading.read(workbook([["a", "b"], [1, 2]]))


def test_a_header_alone_has_no_records() -> None:
    assert entries(workbook([HEADER])) == []


def test_a_wrong_size_in_the_sheet_costs_nothing() -> None:
    data = _changed(workbook([HEADER, ["T", "A", 2019]]), b'ref="A1:F2"', b'ref="A1"')
    assert [entry.year for entry in entries(data)] == [2019]


def test_damage_is_said() -> None:
    data = _changed(workbook([HEADER, ["T"]]), b"</sheetData>", b"</broken>")
    with pytest.raises(UnreadableWorkbook, match=r"cannot be read.*save it again"):
        reading.read(data)


def test_of_what_is_damaged_not_everything_is_said() -> None:
    # It becomes a part of an event.
    data = _changed(
        workbook([["title", "year"], ["T", 1]]), b"<v>1</v>", b"<v>%s</v>" % (b"E" * 9999)
    )

    said = r"could not convert.*EEE.*save it again"
    with pytest.raises(UnreadableWorkbook, match=said) as caught:
        xlsx.tables(data)
    assert len(str(caught.value)) < 400


def test_a_workbook_that_unpacks_to_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    data = workbook([HEADER, ["T" * 1000] * 6])
    monkeypatch.setattr(xlsx, "LARGEST", 2000)
    with pytest.raises(UnreadableWorkbook, match="at most 2,000 are read"):
        reading.read(data)


def test_a_row_of_cells_without_end() -> None:
    cells = b"<c/>" * 250_000
    data = _changed(workbook([HEADER, ["T"]]), b"</row>", cells + b"</row>")
    with pytest.raises(UnreadableWorkbook, match="a row with too many cells"):
        reading.read(data)


def test_entities_are_not_expanded() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    data = _changed(workbook([HEADER, ["T"]]), b"<worksheet", bomb + b"<worksheet")
    with pytest.raises(UnreadableWorkbook):
        reading.read(data)


def test_rows_without_end_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "_MOST_ROWS", 1000)
    data = _changed(workbook([HEADER, ["T"], ["U"]]), b'<row r="3"', b'<row r="999999999"')
    assert [entry.title for entry in entries(data)] == ["T"]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 6000), st.binary(min_size=1, max_size=20))
def test_a_damaged_file_is_read_or_refused(at: int, junk: bytes) -> None:
    data = workbook([HEADER, ["T", "A", 2019]])
    try:
        list(reading.read(data[:at] + junk + data[at + len(junk) :]).entries)
    except (UnreadableWorkbook, UnreadableArchive, UnknownFormat):
        return


def _changed(data: bytes, old: bytes, new: bytes) -> bytes:
    """Return the workbook with its first sheet's text changed."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(file, "w") as after:
        for name in before.namelist():
            part = before.read(name)
            if name == "xl/worksheets/sheet1.xml":
                assert old in part
                part = part.replace(old, new, 1)
            after.writestr(name, part)
    return file.getvalue()


@pytest.mark.parametrize("cells", [b"<c/>", b"<c><is><t>x</t></is></c>"])
def test_more_work_than_half_a_minutes(cells: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "_MOST_WORK", 5_000)
    rows = (b"<row>" + cells * 50 + b"</row>") * 100
    data = _changed(workbook([HEADER, ["T"]]), b"</sheetData>", rows + b"</sheetData>")
    with pytest.raises(UnreadableWorkbook, match=r"too many cells\. Save it as CSV"):
        reading.read(data)
