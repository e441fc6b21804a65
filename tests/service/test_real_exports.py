"""Files that databases and reference managers wrote, as people send them."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tandem.records.formats import reading
from tandem.records.formats.entry import Entry
from tandem.records.formats.reading import Format, UnknownFormat

EXPORTS = Path(__file__).parents[2].parent / "shared/data/exports"
INDEX = EXPORTS / "INDEX.csv"
FORMATS: dict[str, Format] = {
    "ris": "ris", "nbib": "nbib", "csv": "csv", "tsv": "csv", "scopus_csv": "csv"
}  # fmt: skip

MISCOUNTED = {"ris/litstudy__example.ris": 25}
"""The index took line ends for `\\n`; this file's records part at `\\n\\n\\r`."""

NOT_WHAT_IT_SAYS = {"ris/rispy__example_wos.ris"}
"""Web of Science's own format, which only looks like RIS to its name."""

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not INDEX.is_file(), reason="no shared/data/exports beside the checkout"),
]


@dataclass(frozen=True)
class Export:
    file: str
    format: Format
    records: int

    def read(self) -> reading.Reading:
        return reading.read((EXPORTS / self.file).read_bytes(), None)


def exports() -> list[Export]:
    if not INDEX.is_file():
        return []
    with INDEX.open(encoding="utf-8", newline="") as rows:
        return [
            Export(row["file"], FORMATS[row["format"]], int(row["records"]))
            for row in csv.DictReader(rows)
            if row["format"] in FORMATS and (EXPORTS / row["file"]).is_file()
        ]


READABLE = [export for export in exports() if export.file not in NOT_WHAT_IT_SAYS]


@pytest.mark.parametrize("export", READABLE, ids=lambda export: export.file)
def test_every_record_of_a_real_export_is_read(export: Export) -> None:
    result = export.read()
    found = list(result.entries)

    assert result.format == export.format
    assert result.total == len(found)
    expected = MISCOUNTED.get(export.file, export.records)
    assert len(found) == expected or expected <= 0
    assert found


@pytest.mark.parametrize("file", sorted(NOT_WHAT_IT_SAYS))
def test_another_format_is_named(file: str) -> None:
    with pytest.raises(UnknownFormat, match="looks like a Web of Science file"):
        reading.read((EXPORTS / file).read_bytes(), None)


def test_real_exports_come_out_filled(capsys: pytest.CaptureFixture[str]) -> None:
    """Print what was found; only the share of records that could be read is asserted."""
    fields: dict[str, Callable[[Entry], object]] = {
        "title": lambda entry: entry.title,
        "abstract": lambda entry: entry.abstract,
        "year": lambda entry: entry.year,
        "authors": lambda entry: entry.authors,
        "doi": lambda entry: entry.doi,
    }
    lines = [f"{'file':45}{'records':>9}{'read':>6}" + "".join(f"{f:>9}" for f in fields)]
    records = readable = 0
    for export in READABLE:
        found = list(export.read().entries)
        entries = [item for item in found if isinstance(item, Entry)]
        filled = (sum(1 for entry in entries if of(entry)) for of in fields.values())
        lines.append(
            f"{export.file:45}{len(found):>9}{len(entries):>6}" + "".join(f"{n:>9}" for n in filled)
        )
        if entries:  # one file is nothing but empty records, on purpose
            records, readable = records + len(found), readable + len(entries)
    with capsys.disabled():
        print("", *lines, sep="\n")  # noqa: T201  # the table is what this test is for
    assert readable == records
