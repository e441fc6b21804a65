"""What docs/ has of the code: whole files and tables, made by `make openapi`."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "tools"))

import documents

MADE = documents.documents()


@pytest.mark.parametrize("file", MADE, ids=lambda file: file.name)
def test_it_is_what_the_code_says(file: Path) -> None:
    assert file.read_text("utf-8") == MADE[file], f"{file.name} is old: run `make openapi`"


def test_a_page_without_the_place_for_a_table_is_an_error() -> None:
    with pytest.raises(ValueError, match="lacks the two comments"):
        documents._with_table("# A page\n", "policy", "| a |\n")
