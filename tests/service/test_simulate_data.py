"""The ranking on real reviews, against what ASReview 3.0.8 was measured to do with them."""

from pathlib import Path

import pytest

from tandem.ranking.recipes import recipe
from tandem.ranking.simulate import simulate
from tandem.ranking.simulate_files import read_labelled

LABELLED = Path(__file__).parents[2].parent / "shared/data/labelled"

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not LABELLED.is_dir(), reason=f"no labelled reviews in {LABELLED}"),
]

ASREVIEW_FOUND_AT = [
    # VENV/bin/python shared/tools/asreview_sim.py Sep_2021.csv.gz --seed 1
    # with asreview 3.0.8, scikit-learn 1.9.1, NumPy 2.4.6 and SciPy 1.17.1: "found_at_rank".
    *(2, 7, 15, 16, 17, 19, 20, 22, 24, 25, 28, 33, 36, 38, 40, 42, 43, 47, 48, 49),
    *(52, 55, 56, 57, 62, 66, 73, 78, 86, 89, 90, 91, 105, 106, 114, 126, 140, 211, 221),
]


def test_it_reads_in_the_order_of_asreview() -> None:
    result = simulate(read_labelled(LABELLED / "Sep_2021.csv.gz"), recipe("elas-u4"), seed=1)

    assert result.priors == [12, 93]
    assert result.found_at == ASREVIEW_FOUND_AT
    assert result.loss == pytest.approx(0.18606465997770347)
    assert result.ndcg == pytest.approx(0.6987836560912419)
    assert result.wss_95 == pytest.approx(0.1656133828996282)
    assert result.recall_10 == pytest.approx(0.2564102564102564)
    assert result.recall_20 == pytest.approx(0.5384615384615384)
    assert result.retrains == 221


@pytest.mark.parametrize(
    ("name", "worst"),
    [("Cohen_2006_ADHD", 0.1), ("Nelson_2002", 0.2), ("Cohen_2006_Triptans", 0.2)],
)
def test_real_reviews_are_ranked_well_with_few_trainings(name: str, worst: float) -> None:
    data = read_labelled(LABELLED / f"{name}.csv.gz")
    assert simulate(data, recipe("elas-u4"), seed=1, batch=10).loss < worst
