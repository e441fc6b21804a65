"""Searches in which people have marked the duplicates."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[4] / "benchmarks"))

from duplicates import precision, read_labelled, replay, sensitivity

SETS = Path(__file__).parents[4].parent / "shared/data/duplicates"
FILES = sorted(SETS.glob("*.csv.gz"))

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not FILES, reason="no shared/data/duplicates beside the checkout"),
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_duplicates_are_found_and_nothing_else(file: Path) -> None:
    outcome = replay(read_labelled(file))

    assert precision(outcome.linked, outcome.true) == 1
    # Equal titles are asked about whatever their pages say, so some questions are answered by no.
    assert precision(outcome.offered, outcome.true) >= 0.97
    assert sensitivity(outcome.offered, outcome.true) >= 0.98
