"""Searches in which people have marked the duplicates."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[4] / "benchmarks"))

from duplicates import precision, read_labelled, replay, sensitivity
from tandem.records.duplicates.title_relation import TitleRelation, title_relation
from tandem.records.duplicates.titles import read_title

SETS = Path(__file__).parents[4].parent / "shared/data/duplicates"
FILES = sorted(SETS.glob("*.csv.gz"))

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not FILES, reason="no shared/data/duplicates beside the checkout"),
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_duplicates_are_found_and_nothing_else(file: Path) -> None:
    data = read_labelled(file)
    outcome = replay(data)

    assert precision(outcome.linked, outcome.true) == 1
    assert sensitivity(outcome.offered, outcome.true) >= 0.98
    assert outcome.n_proposals <= 0.015 * len(data.identities)
    # Equal titles are asked about whatever their pages say, so some questions are answered by no:
    # no others are.
    titles = {int(record.number): read_title(record.title) for record in data.identities}
    needless = {
        (one, other)
        for one, other in outcome.offered - outcome.true
        if title_relation(titles[one], titles[other])
        not in (TitleRelation.EQUAL, TitleRelation.MISSPELT)
    }
    assert precision(outcome.true | needless, outcome.true) >= 0.999
    assert precision(outcome.offered, outcome.true) >= 0.97
