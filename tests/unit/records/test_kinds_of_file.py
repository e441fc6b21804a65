"""What kind of file it is, and how its characters are written."""

import codecs
import re
from collections.abc import Iterator
from itertools import islice

import pytest

from tandem.records.formats import normalise, reading
from tandem.records.formats.entry import Entry, Rejection
from tandem.records.formats.reading import EmptyFile, Format, UnknownFormat
from unit.records.read_whole import NBIB, RIS, entries, only


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "mac_roman"],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r", "\r\r\n"])
def test_any_encoding_and_line_end(encoding: str, newline: str) -> None:
    sentence = "Étude de l'efficacité du traitement à l'hôpital chez les élèves âgés"
    text = RIS.replace("Sleep and memory in older adults", sentence).replace("\n", newline)
    assert only(text.encode(encoding)).title == sentence


def test_encodings_of_other_scripts() -> None:
    for encoding, title in (
        ("cp1251", "Исследование эффективности лечения больных"),
        ("gb18030", "糖尿病患者的系统评价与荟萃分析研究结果"),
    ):
        assert only(f"TY  - JOUR\nTI  - {title}\nER  - \n".encode(encoding)).title == title


def test_single_bytes_that_are_not_utf8_spoil_nothing_else() -> None:
    text = "TY  - JOUR\nTI  - Éé ąę 中文\nAB  - caf".encode() + b"\xe9\nER  - \n"
    entry = only(text)
    assert (entry.title, entry.abstract) == ("Éé ąę 中文", "café")


@pytest.mark.parametrize("first", ["utf-8", "cp1251"])
def test_a_file_in_two_encodings_is_read_in_both(first: str) -> None:
    title = "Исследование эффективности лечения больных"
    one = f"TY  - JOUR\nTI  - {title}\nER  - \n"
    second = "cp1251" if first == "utf-8" else "utf-8"
    found = entries(one.encode(first) * 3 + one.encode(second) * 3)
    assert [e.title for e in found] == [title] * 6


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF"),
        (b"PK\x03\x04\x14\x00 xl/workbook.xml", "an Excel workbook"),
        (b"PK\x03\x04\x14\x00 other", "a zip archive"),
        (b"\x89PNG\r\n\x1a\n", "an image"),
        (b"SQLite format 3\x00" + b"\x10\x00", "a database, such as a library of EndNote"),
        (b"PK\x03\x04\x14\x00 My.Data/sdb/sdb.eni", "a packed EndNote library"),
        (b"Dear colleague, here they are.", "text without field tags"),
        (b"name,year\nx,2020\n", "a table without titles"),
        (bytes(range(32)) * 20, "binary data"),
        (b"\x00" * 500, "binary data"),
        (b"<?xml version='1.0'?><records/>", "XML"),
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b'[{"name": "T"}]', "JSON"),
    ],
)
def test_other_kinds_of_file_are_named(data: bytes, kind: str) -> None:
    with pytest.raises(UnknownFormat, match=f"looks like {kind}") as caught:
        reading.read(data, None)
    assert caught.value.code == "unknown_format"
    # What it is, and what to do. All formats that are read would hide that.
    said = str(caught.value)
    assert re.fullmatch(r"This file looks like [^:]+: .+\.", said)
    assert len(said) < 250


@pytest.mark.parametrize("data", [b"", b" \r\n\t", codecs.BOM_UTF8, codecs.BOM_UTF16_LE])
@pytest.mark.parametrize("format", [None, "ris", "nbib", "csv"])
def test_an_empty_file_is_said_to_be_empty(data: bytes, format: Format | None) -> None:
    with pytest.raises(EmptyFile) as caught:
        reading.read(data, format)
    assert caught.value.code == "empty_file"


def test_the_format_shows_in_the_content() -> None:
    assert reading.read(RIS.encode()).format == "ris"
    assert reading.read(NBIB.encode()).format == "nbib"
    assert reading.read(b"title\nA\n").format == "csv"
    assert reading.read(b"TY  - JOUR\nKW  - title, abstract\nPMID- 5\nER  - ").format == "ris"
    assert reading.read(b"title,notes\nT,TY  - JOUR\n").format == "csv"


@pytest.mark.parametrize(
    ("text", "format"), [(RIS, "nbib"), (RIS, "csv"), (NBIB, "ris"), ("title\nT", "ris")]
)
def test_a_file_that_is_not_what_it_is_said_to_be(text: str, format: Format) -> None:
    with pytest.raises(UnknownFormat, match="Found no"):
        reading.read(text.encode(), format)


def test_records_are_parsed_as_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = 0
    original = normalise.clean_raw

    def counting(text: str) -> str:
        nonlocal parsed
        parsed += 1
        return original(text)

    monkeypatch.setattr(normalise, "clean_raw", counting)
    result = reading.read((RIS * 1000).encode(), "ris")
    found: Iterator[Entry | Rejection] = islice(result.entries, 3)

    assert len(list(found)) == 3
    assert (result.total, parsed) == (1000, 3)
