"""What every recipe has to do."""

import numpy as np
import pytest

from tandem.ranking.features import build
from tandem.ranking.learning import Case
from tandem.ranking.presets import Preset
from tandem.ranking.ranker import rank
from tandem.ranking.recipes import PRESETS
from unit.ranking.small_review import KNOWN, OURS, N, labels, loss_of, ranked, rows_of, texts


@pytest.mark.parametrize("how", PRESETS.values(), ids=lambda how: how.name)
class TestEveryPreset:
    def test_a_planted_copy_of_an_include_comes_first(self, how: Preset) -> None:
        planted = build([*texts(), texts()[10]], how.words)
        assert ranked(planted, KNOWN, how).order[0] == N

    def test_it_finds_the_topic(self, how: Preset) -> None:
        assert loss_of(ranked(build(texts(), how.words), KNOWN, how)) < 0.05

    def test_permuted_labels_are_no_better_than_chance(self, how: Preset) -> None:
        features, random = build(texts(), how.words), np.random.RandomState(3)
        half = [1.0] * 6 + [0.0] * 6
        losses = [
            loss_of(
                ranked(
                    features, dict(zip(random.permutation(N)[:12].tolist(), half, strict=True)), how
                )
            )
            for _ in range(60)
        ]
        assert 0.4 < np.mean(losses) < 0.6

    def test_fits_made_together_are_each_what_it_is_alone(self, how: Preset) -> None:
        features, draws = build(texts(), how.words), np.random.RandomState(2).random_sample(N)
        some = [labels({row: value for row, value in KNOWN.items() if row != out}) for out in KNOWN]
        too_few = labels({3: 0.0, 14: 0.0})
        learnt = [*some, too_few, labels({**KNOWN, 30: 0.5, 77: 0.0})]

        def cases() -> list[Case]:
            return [Case(one, draws, np.random.RandomState(n)) for n, one in enumerate(learnt)]

        together = [*how.fit_all(features, cases())]
        alone = [next(how.fit_all(features, [case])) for case in cases()]
        assert [fitted is None for fitted in together] == [one is too_few for one in learnt]
        for one, other in zip(together, alone, strict=True):
            if one is not None and other is not None:
                np.testing.assert_array_equal(one.scores, other.scores)
                np.testing.assert_array_equal(one.weights, other.weights)

    def test_equal_seeds_give_equal_orders(self, how: Preset) -> None:
        features = build(texts(), how.words)
        once, again = (ranked(features, KNOWN, how, seed=5) for _ in range(2))
        np.testing.assert_array_equal(once.order, again.order)
        np.testing.assert_array_equal(once.scores, again.scores)

    def test_a_doubtful_include_pulls_less_than_a_certain_one(self, how: Preset) -> None:
        copies = build([*texts(), *[texts()[51]] * 2], how.words)

        def place(certainty: float) -> int:
            order: list[int] = ranked(copies, {**KNOWN, N: certainty}, how).order.tolist()
            return order.index(N + 1)

        assert place(1.0) <= place(0.5) <= place(0.0)


class TestTheEnd:
    def test_scores_still_differ_when_hardly_anything_is_unread(self) -> None:
        features = build(texts(), OURS.words)
        known = labels({row: float(row % 10 == 0) for row in range(N)})
        result = rank(features, labels=known, pool=rows_of(30, 31, 32, 33), recipe=OURS, seed=1)
        assert len({*result.scores.tolist()}) == 4
        assert result.order[0] == 30
