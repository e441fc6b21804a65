"""Where a record belongs is asked by name: no module compares the columns that say it anew."""

import re
from pathlib import Path

import pytest

CODE = Path(__file__).parents[2]
FOLDERS = ("shared/tandem", "services/api/tandem_api", "services/worker/tandem_worker")

NAMED = {
    "Record.is_shown, Record.shown_as": (
        r"\bduplicate_of\s*(\.is_\(|\.is_not\(|(?:is|or|and)\b)|coalesce\([^()]*duplicate_of",
        {
            "shared/tandem/records/models.py": "it names them",
            "shared/tandem/records/export/tags.py": "of a row of a file, which has a text",
            "shared/tandem/screening/export.py": "that text",
            "services/api/tandem_api/schemas/records.py": "that text",
        },
    ),
    "Record.is_left_out, is_in_screening, is_previous, starts_at_full_text": (
        r"not_screened_because",
        {
            "shared/tandem/records/models.py": "it names them",
            "shared/tandem/records/screened_records.py": "it writes the column",
            "shared/tandem/screening/ledger/loading.py": "whoever decides is told why not",
            "shared/tandem/reports/facts.py": "a fact of a report: `rules.standing` asks it",
        },
    ),
    "population.has_reached": (
        r"\b(?i:ScreenedRecord|_?first)\.has_advanced",
        {
            "shared/tandem/screening/full_text/population.py": "it names it",
            "shared/tandem/reports/facts.py": "what the blinded may know of a report",
        },
    ),
    "population.is_retrieved": (
        r"\w+\.state (==|!=) RetrievalState|\w+\.state\.in_\(.*RetrievalState",
        {"shared/tandem/screening/full_text/population.py": "it names it"},
    ),
}


@pytest.mark.parametrize("name", NAMED)
def test_no_module_builds_it_anew(name: str) -> None:
    pattern, exempt = NAMED[name]
    found = {
        str(path.relative_to(CODE))
        for folder in FOLDERS
        for path in (CODE / folder).rglob("*.py")
        if re.search(pattern, path.read_text(encoding="utf-8"))
    }
    assert found == set(exempt), f"ask {name}"
