"""Tables that a spreadsheet opens: nothing computed, nothing cut without a word."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path

import openpyxl
import pytest

from tandem.records.export import tables, xlsx
from tandem.records.export.decisions import HEADER, LedgerEntry
from tandem.records.export.record import ExportedRecord
from tandem.records.export.writing import write_decisions
from unit.records.export.exported import BARE, FULL, NOON, written

FORMULA = '=HYPERLINK("http://example.org","x")'


def csv_rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def xlsx_rows(data: bytes) -> list[dict[str, object]]:
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    assert sheet is not None
    header, *rows = sheet.iter_rows()
    assert all(cell.data_type in "sn" for row in rows for cell in row)
    names = [str(cell.value) for cell in header]
    return [dict(zip(names, (cell.value for cell in row), strict=True)) for row in rows]


def test_the_columns() -> None:
    (row,) = csv_rows(written("csv", FULL))

    assert row["authors"] == (
        "Lee, Ann; World Health Organization, Regional Importer; Smith and Jones Group"
    )
    assert row["keywords"] == "peer support; health, mental; 50%"
    assert row["sources"] == "Medline (21452057); Embase"
    assert row["screening_status"] == "excluded"
    assert row["included"] == "0"
    assert row["screening_decisions"] == (
        "Ann Lee: exclude; Ben Ray: include; Zoë (resolution): exclude"
    )
    assert row["screening_reasons"] == "wrong population; no data; none"
    assert row["screening_labels"] == "later"
    assert row["screening_notes"] == "Ann Lee: See\nfig. 2."


def test_each_column_that_is_no_field_of_a_record_is_in_the_documentation() -> None:
    page = (Path(__file__).parents[4] / "docs" / "export.md").read_text("utf-8")
    of_record = {field.name for field in fields(ExportedRecord)}

    missing = [name for name in tables.HEADER if f"`{name}`" not in page]
    assert [name for name in missing if name not in of_record] == []


def test_a_workbook_has_the_same_cells_as_csv() -> None:
    records = (FULL, BARE)
    for one, other in zip(
        csv_rows(written("csv", *records)), xlsx_rows(written("xlsx", *records)), strict=True
    ):
        assert other.pop("shortened") is None
        assert {name: "" if v is None else str(v) for name, v in other.items()} == one


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝", "＋", "－", "＠"])
def test_what_looks_like_a_formula_is_text(sign: str) -> None:
    text = f"{sign}1+1"
    evil = replace(BARE, title=text, authors=(text,), keywords=(text,), journal=text, pages=text)
    rows: list[Mapping[str, object]] = [
        *csv_rows(written("csv", evil)),
        *xlsx_rows(written("xlsx", evil)),
    ]
    assert len(rows) == 2
    for row in rows:
        for name in ("title", "authors", "keywords", "journal", "pages"):
            assert str(row[name]).startswith(f"'{text}")


def test_errors_and_links_of_a_workbook_are_text() -> None:
    (row,) = xlsx_rows(written("xlsx", replace(BARE, title="#N/A", abstract=f" {FORMULA}")))

    assert row["title"] == "#N/A"
    assert row["abstract"] == f"'{FORMULA}"


def test_what_excel_cannot_hold_is_cut_and_said() -> None:
    long = "x" * 20_000 + "😀" * 10_000
    (row,) = xlsx_rows(written("xlsx", replace(BARE, abstract=long, journal="J\x01\ufffe")))

    assert row["shortened"] == "abstract"
    assert row["abstract"] == "x" * 20_000 + "😀" * 6_383
    assert row["journal"] == "J"
    assert csv_rows(written("csv", replace(BARE, abstract=long)))[0]["abstract"] == long


def test_the_same_records_give_the_same_workbook() -> None:
    assert written("xlsx", FULL, BARE) == written("xlsx", FULL, BARE)


def test_a_workbook_that_fails_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def broken() -> Iterator[ExportedRecord]:
        yield FULL
        assert list(tmp_path.iterdir())
        raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError, match="went away"):
        list(xlsx.write(broken()))
    assert not list(tmp_path.iterdir())


def test_records_are_asked_for_as_the_file_is_read() -> None:
    asked = 0

    def counted() -> Iterator[ExportedRecord]:
        nonlocal asked
        while True:
            asked += 1
            yield FULL

    lines = tables.write(counted())
    assert [next(lines) for _ in range(3)]
    assert asked == 2


def test_the_ledger() -> None:
    entry = LedgerEntry(
        seq=7,
        at=NOON,
        entry="decision",
        record_id="17",
        stage="title_abstract",
        reviewer="=cmd|' /C calc'!A0",
        reviewer_id="8",
        verdict="exclude",
        reasons=("wrong population", "no data"),
        labels=("later",),
        note="-1 point",
        seconds=12.5,
        informed=False,
        rank=3,
        ranking_id="9",
        in_force=True,
        cause=None,
        carried_from=None,
        criteria_version=2,
    )
    lines = b"".join(write_decisions([entry])).decode().split("\r\n")

    assert lines == [
        ",".join(HEADER),
        "7,2027-01-02T12:00:00Z,decision,17,title_abstract,'=cmd|' /C calc'!A0,8,exclude,"
        "wrong population; no data,later,'-1 point,12.5,false,3,9,true,,,2,",
        "",
    ]
