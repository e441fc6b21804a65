"""How much an exclude looks like an include, for those who look at it a second time."""

import numpy as np
import pytest

from tandem.ranking.features import Features, build
from tandem.ranking.learning import Fitted, Labels, Rows
from tandem.ranking.presets import Preset
from tandem.ranking.recipes import PRESETS
from tandem.ranking.second_look_scores import likeness
from unit.ranking.small_review import U4, N, labels, texts

MODELS = [U4, PRESETS["tandem-3-words"]]
TOPICAL = build(texts(), PRESETS["tandem-3-words"].words)
MISTAKEN = (10, 60)
"""Of the topic, and excluded."""

DECIDED = {row: float(row % 10 == 0 and row not in MISTAKEN) for row in range(80)}


def scored(known: dict[int, float], how: Preset, features: Features = TOPICAL) -> dict[int, float]:
    rows, scores = likeness(features, labels=labels(known), recipe=how, seed=1)
    return dict(zip(rows.tolist(), scores.tolist(), strict=True))


@pytest.mark.parametrize("how", MODELS, ids=lambda how: how.name)
def test_mistaken_excludes_come_first(how: Preset) -> None:
    found = scored(DECIDED, how)
    assert sorted(found) == sorted(row for row, value in DECIDED.items() if value == 0)
    assert sorted(found, key=lambda row: -found[row])[:2] in ([10, 60], [60, 10])
    assert all(0 <= score <= 1 for score in found.values())


@pytest.mark.parametrize("how", MODELS, ids=lambda how: how.name)
def test_the_order_of_deciding_tells_nothing_of_which_are_scored(how: Preset) -> None:
    turned = dict(reversed(DECIDED.items()))
    assert [*scored(turned, how)] == [*scored(DECIDED, how)]


@pytest.mark.parametrize("known", [{}, {3: 0.0, 4: 0.0}, {3: 1.0, 4: 1.0}, {10: 1.0}])
def test_without_labels_of_both_kinds_nothing_is_scored(known: dict[int, float]) -> None:
    assert scored(known, U4) == {}


def test_the_same_seed_gives_the_same_scores() -> None:
    how = PRESETS["tandem-3-words"]
    assert scored(DECIDED, how) == scored(DECIDED, how)


def test_a_score_is_the_share_of_records_below() -> None:
    class ByNumber:
        """Puts each record above all with smaller numbers."""

        name, words = "by-number", U4.words

        def fit(self, features: Features, **_: object) -> object:
            return Fitted(np.arange(float(N)), None)

    known = Labels(rows(5, 0, N - 1), np.array([1.0, 0.0, 0.0]))
    found, scores = likeness(TOPICAL, labels=known, recipe=ByNumber(), seed=1)  # type: ignore[arg-type]  # all that is asked of it
    assert found.tolist() == [0, N - 1]
    assert scores.tolist() == [0.0, 1.0]


def rows(*some: int) -> Rows:
    return np.array(some, dtype=np.int64)
