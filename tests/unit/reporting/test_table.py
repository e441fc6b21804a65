"""The CSV, read by a port of the parser of the R package PRISMA2020 1.1.5."""

import csv
import io
import re

import pytest

from tandem.reporting.boxes import BEYOND, LABELS
from tandem.reporting.flow import flow
from tandem.reporting.table import label, table
from unit.reporting.flows import HARD_REASONS, full

GREPS = [
    *("previous_studies", "previous_reports", "register_results", "database_results"),
    *("website_results", "organisation_results", "citations_results", "duplicates"),
    *("excluded_automatic", "excluded_other", "records_screened", "records_excluded"),
    *("dbr_sought_reports", "dbr_notretrieved_reports", "other_sought_reports"),
    *("other_notretrieved_reports", "dbr_assessed", "other_assessed", "new_studies"),
    *("new_reports", "total_studies$", "total_reports$"),
]
LISTS = ["database_specific_results", "register_specific_results", "dbr_excluded", "other_excluded"]


def cell(text: str, pattern: str, column: str = "n") -> str:
    """Return what the package finds for one of its patterns: there is exactly one row."""
    rows = [*csv.DictReader(io.StringIO(text))]
    (row,) = [row for row in rows if row["data"] != "NA" and re.search(pattern, row["data"])]
    return row[column]


def format_number(text: str) -> float | None:
    digits = re.sub(r"[^0-9.]", "", text.replace(",", ""))
    return float(digits) if digits else None


def parse_reasons(text: str) -> list[tuple[str, float | None]]:
    """Do what PRISMA_parse_reasons_ does."""
    if not re.search(r"[^0-9,]", text):
        return [("", format_number(text))]
    pieces = re.split(r"; ?", text)
    numbers = [re.sub(r".*?,([ 0-9,]*)|.*()", r"\1", piece) for piece in pieces]
    reasons = [re.sub(r",.*$", "", piece) for piece in pieces]
    return [(r, format_number(n)) for r, n in zip(reasons, numbers, strict=True)]


def test_the_package_reads_every_number_back() -> None:
    made = full()
    text = table(made)

    assert len(text.splitlines()) == 35, "its head and 34 rows"
    for pattern in GREPS:
        assert format_number(cell(text, pattern)) == made.n(pattern.removesuffix("$")), pattern


@pytest.mark.parametrize("name", LISTS)
def test_the_package_reads_every_source_and_reason_back(name: str) -> None:
    made = full()
    column = name.removesuffix("_excluded")
    due = [(label(part.label), part.n) for part in made.boxes[name].parts]
    if name.endswith("_excluded"):
        beyond = [(made.n(f"{column}_{one}"), LABELS[f"{column}_{one}"]) for one in BEYOND]
        due += [(f"{text} (not excluded)", n) for n, text in beyond if n]

    read = parse_reasons(cell(table(made), name))

    assert read == (due or [("", 0)])


@pytest.mark.parametrize("reason", HARD_REASONS)
def test_a_label_keeps_its_words_and_loses_what_the_package_cuts_at(reason: str) -> None:
    made = label(reason)

    assert parse_reasons(f"{made}, 7") == [(made, 7)]
    assert re.sub(r"\W", "", reason) in re.sub(r"\W|Reason ", "", made)


def test_an_empty_list_is_zero_and_what_nobody_knows_is_missing() -> None:
    text = table(flow([]))

    assert cell(text, "dbr_excluded") == "0"
    assert parse_reasons(cell(text, "dbr_excluded")) == [("", 0)]
    assert cell(text, "total_studies_ma") == "NA"


def test_the_fixed_columns_are_those_of_the_sample() -> None:
    """Kept from a file that the package's parser takes: names, nodes, boxes, tooltips."""
    rows = [*csv.reader(io.StringIO(table(flow([]))))]

    assert rows[0] == ["data", "node", "box", "description", "boxtext", "tooltips", "url", "n"]
    assert rows[5][:4] == ["database_results", "node7", "box2", "Databases"]
    assert [row[1] for row in rows[1:]].count("NA") == 11
    assert cell(table(flow([])), "total_studies$", "box") == "box16"
