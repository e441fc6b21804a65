"""A flow as the CSV that the R package PRISMA2020 (1.1.5) reads. Pure.

Its rows are found by regular expressions on the first column, so there are its own 34 and no
others. A list is `label, n; label, n`: labels lose commas and semicolons, for it cuts there.
"""

import csv
import io
import re
from collections.abc import Iterator

from tandem.reporting.boxes import BEYOND, LABELS
from tandem.reporting.flow import Flow

_COLUMNS = ("data", "node", "box", "description", "boxtext", "tooltips", "url", "n")
_NA = "NA"

_ROWS = """
NA node4 prevstud Previous studies
previous_studies node5 box1 Studies included in previous version of review
previous_reports NA box1 Reports of studies included in previous version of review
NA node6 newstud Identification of new studies via databases and registers
database_results node7 box2 Databases
database_specific_results NA box2 Specific Databases
register_results NA box2 Registers
register_specific_results NA box2 Specific Registers
NA node16 othstud Identification of new studies via other methods
website_results node17 box11 Websites
organisation_results NA box11 Organisations
citations_results NA box11 Citation searching
duplicates node8 box3 Duplicate records
excluded_automatic NA box3 Records marked as ineligible by automation tools
excluded_other NA box3 Records removed for other reasons
records_screened node9 box4 Records screened
records_excluded node10 box5 Records excluded
dbr_sought_reports node11 box6 Reports sought for retrieval
dbr_notretrieved_reports node12 box7 Reports not retrieved
other_sought_reports node18 box12 Reports sought for retrieval
other_notretrieved_reports node19 box13 Reports not retrieved
dbr_assessed node13 box8 Reports assessed for eligibility
dbr_excluded node14 box9 Reports excluded
other_assessed node20 box14 Reports assessed for eligibility
other_excluded node21 box15 Reports excluded
new_studies node15 box10 New studies included in review
new_reports NA box10 Reports of new included studies
total_studies node22 box16 Total studies included in review
total_reports NA box16 Reports of total included studies
identification node1 identification Identification
screening node2 screening Screening
included node3 included Included
total_studies_ma node23 box17 Total studies included in meta-analysis
total_reports_ma NA box17 Reports of total included studies in meta-analysis
"""
"""Its data, node, box and text."""

_LISTS = (
    "database_specific_results",
    "register_specific_results",
    "dbr_excluded",
    "other_excluded",
)
_MARKS = ("identification", "screening", "included")


def table(flow: Flow) -> str:
    """Return the CSV's text. What Tandem does not know (a meta-analysis) is `NA`."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for line in _ROWS.strip().splitlines():
        data, node, box, text = line.split(" ", 3)
        tooltip = _NA if node == _NA else text
        writer.writerow([data, node, box, text, text, tooltip, _NA, _value(flow, data)])
    return file.getvalue()


def _value(flow: Flow, data: str) -> str:
    if data in _LISTS:
        return "; ".join(_list(flow, data)) or "0"
    if data in LABELS:
        return str(flow.n(data))
    return "0" if data == _NA or data in _MARKS else _NA


def _list(flow: Flow, data: str) -> Iterator[str]:
    for part in flow.boxes[data].parts:
        yield f"{label(part.label)}, {part.n}"
    if not data.endswith("_excluded"):
        return
    column = data.removesuffix("_excluded")
    for name in BEYOND:
        if n := flow.n(f"{column}_{name}"):
            yield f"{label(LABELS[f'{column}_{name}'])} (not excluded), {n}"


def label(text: str) -> str:
    """Return a label that the package reads back whole: it cuts at commas and semicolons.

    One of digits alone it would take for a number, so that gets a word before it.
    """
    spaced = re.sub(r"(?<=\d),(?=\d)", "", text)
    plain = " / ".join(piece for piece in re.split(r"[;,\r\n]+\s*", spaced) if piece.strip())
    plain = " ".join(plain.split())
    return f"Reason {plain}" if not re.search(r"[^0-9,.\s]", plain) else plain
