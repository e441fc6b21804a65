"""Files that databases and reference managers wrote, as people send them."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from tandem.records.formats import reading
from tandem.records.formats.entry import Entry, Rejection
from tandem.records.formats.reading import Format

EXPORTS = Path(__file__).parents[2].parent / "shared/data/exports"
INDEX = EXPORTS / "INDEX.csv"

CALLED: dict[str, Format] = {"tsv": "csv", "scopus_csv": "csv"}
"""Formats of the index that go by another name here; all others by their own."""

NOT_WHAT_IT_SAYS: dict[str, Format] = {"ris/rispy__example_wos.ris": "wos"}
"""Web of Science's own format, which only looks like RIS to its name."""

MISCOUNTED = {
    # The index took line ends for `\n`; this file's records part at `\n\n\r`.
    "ris/litstudy__example.ris": 25,
    # It has three records, only two of them end in a blank line.
    "enw/colrev__enl_data.enl": 3,
    # `<record>` and `</record>` were counted.
    **dict.fromkeys(
        (
            f"marcxml/jabref__MarcXmlParserTest{of}.xml"
            for of in ("Article", "BookSeries", "SummaryAndKeywords", "Thesis")
        ),
        1,
    ),
}

EMPTY_ON_PURPOSE = {
    "ris/asreview__baseline_reference_types.ris": 61,
    "enw/jabref__Endnote.entries.enw": 11,
    "enw/rayyan-formats-plu__example1.enw": 1,
    "marc/pymarc__bad_records.mrc": 3,
}
"""How many records, at most, have neither title nor abstract or are broken."""

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not INDEX.is_file(), reason="no shared/data/exports beside the checkout"),
]


@dataclass(frozen=True)
class Export:
    file: str
    format: Format
    records: int
    """0 or less: not counted."""

    def read(self) -> reading.Reading:
        return reading.read((EXPORTS / self.file).read_bytes(), None)


def exports() -> list[Export]:
    """Return every file of the index, whatever its format."""
    if not INDEX.is_file():
        return []
    with INDEX.open(encoding="utf-8", newline="") as rows:
        return [
            Export(
                row["file"],
                NOT_WHAT_IT_SAYS.get(row["file"])
                or CALLED.get(row["format"])
                or cast("Format", row["format"]),
                MISCOUNTED.get(row["file"], int(row["records"] or 0)),
            )
            for row in csv.DictReader(rows)
        ]


ALL = exports()


@pytest.mark.parametrize("export", ALL, ids=lambda export: export.file)
def test_every_record_of_a_real_export_is_read(export: Export) -> None:
    result = export.read()
    found = list(result.entries)
    rejected = [item for item in found if isinstance(item, Rejection)]

    assert result.format == export.format
    assert result.total == len(found)
    assert len(found) == export.records or export.records <= 0
    assert found
    assert len(rejected) <= EMPTY_ON_PURPOSE.get(export.file, 0), rejected


@pytest.mark.parametrize("export", ALL, ids=lambda export: export.file)
def test_the_format_is_found_whatever_it_is_said_to_be(export: Export) -> None:
    """Name what is in the file and read the same: nothing hangs on the guess."""
    assert list(reading.read((EXPORTS / export.file).read_bytes(), export.format).entries) == list(
        export.read().entries
    )


def test_real_exports_come_out_filled(capsys: pytest.CaptureFixture[str]) -> None:
    """Print what was found of each field, and require of all files what all kinds have."""
    fields: dict[str, Callable[[Entry], object]] = {
        "title": lambda entry: entry.title,
        "abstract": lambda entry: entry.abstract,
        "year": lambda entry: entry.year,
        "authors": lambda entry: entry.authors,
        "journal": lambda entry: entry.journal,
        "doi": lambda entry: entry.doi,
        "pmid": lambda entry: entry.pmid,
        "id": lambda entry: entry.doi or entry.pmid or entry.ref or entry.url,
        "kind": lambda entry: entry.kind,
    }
    lines = [
        f"{'file':55}{'format':12}{'expected':>9}{'read':>6}" + "".join(f"{f:>9}" for f in fields)
    ]
    totals = dict.fromkeys(fields, 0)
    records = 0
    for export in ALL:
        entries = [item for item in export.read().entries if isinstance(item, Entry)]
        filled = {name: sum(1 for entry in entries if of(entry)) for name, of in fields.items()}
        expected = str(export.records) if export.records > 0 else "?"
        lines.append(
            f"{export.file:55}{export.format:12}{expected:>9}{len(entries):>6}"
            + "".join(f"{n:>9}" for n in filled.values())
        )
        records += len(entries)
        totals = {name: totals[name] + filled[name] for name in fields}
    lines.append(f"{'all':76}{records:>6}" + "".join(f"{n:>9}" for n in totals.values()))
    with capsys.disabled():
        print("", *lines, sep="\n")  # noqa: T201  # the table is what this test is for
    shares = {name: n / records for name, n in totals.items()}
    assert shares["title"] > 0.99
    assert shares["id"] > 0.9
    assert shares["year"] > 0.9
    assert shares["authors"] > 0.85  # a tenth of these records are of corporate or no authors
