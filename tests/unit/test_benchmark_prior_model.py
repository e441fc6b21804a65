"""A table is learnt from what reviews have in common, and never from the one it is measured on."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from prior_model import family, learn, unseen
from tandem.ranking.recipes import PRESETS
from tandem.ranking.simulate_files import Labelled

OURS = PRESETS["tandem-2"]


def review(topic: str, *, seed: int) -> Labelled:
    """Half are trials, and of these nearly all are included; each has words of the topic."""
    random = np.random.RandomState(seed)
    trials = random.random_sample(60) < 0.5
    texts = [
        (f"{topic} {random.randint(20)}", "randomized group" if trial else "role of such a system")
        for trial in trials
    ]
    labels = np.where(random.random_sample(60) < 0.05, ~trials, trials).astype(np.int8)
    return Labelled(f"{topic}.csv.gz", texts, labels)


REVIEWS = [review(topic, seed=seed) for seed, topic in enumerate(("statins", "yoga", "tea", "sun"))]


def test_words_that_tell_includes_everywhere_are_found() -> None:
    table = learn(REVIEWS)
    assert table["randomized"] > 0 > table["system"]


def test_words_of_one_review_are_not_in_it() -> None:
    assert not {"statins", "yoga", "tea", "sun"} & learn(REVIEWS).keys()


def test_what_is_said_of_a_review_does_not_depend_on_its_own_labels() -> None:
    other_labels = replace(REVIEWS[0], labels=1 - REVIEWS[0].labels)
    values = unseen(OURS, REVIEWS[0], REVIEWS).values
    again = unseen(OURS, other_labels, [other_labels, *REVIEWS[1:]]).values
    np.testing.assert_array_equal(values, again)
    assert values[REVIEWS[0].labels == 1].mean() > values[REVIEWS[0].labels == 0].mean()


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("Cohen_2006_ADHD", "Cohen_2006_Triptans", True),
        ("Kitchenham_2010", "Wahono_2015_upto2008", True),
        ("Oud_2018", "Sep_2021", False),
    ],
)
def test_reviews_of_the_same_making_are_left_out_together(
    one: str, other: str, together: bool
) -> None:
    files = [replace(REVIEWS[0], file=f"/somewhere/{name}.csv.gz") for name in (one, other)]
    assert (family(files[0]) == family(files[1])) == together


def test_the_recipe_of_a_benchmark_does_not_look_up_the_packaged_table() -> None:
    assert OURS.words.prior_model
    assert unseen(OURS, REVIEWS[0], REVIEWS).words.prior_model is None
