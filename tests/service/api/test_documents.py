"""What docs/ has of the code: whole files and tables, made by `make openapi`."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "tools"))

import documents


def test_they_are_what_the_code_says() -> None:
    made = documents.documents()

    old = [file.name for file, text in made.items() if file.read_text("utf-8") != text]
    assert old == [], "run `make openapi`"


def test_a_page_without_the_place_for_a_table_is_an_error() -> None:
    with pytest.raises(ValueError, match="lacks the two comments"):
        documents._with_table("# A page\n", "policy", "| a |\n")
