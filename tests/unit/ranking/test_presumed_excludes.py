"""What is presumed of unread records, and how that fades."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tandem.ranking.features import build
from tandem.ranking.parameters import Presumed
from tandem.ranking.ranker import rank
from unit.ranking.small_review import (
    KNOWN,
    OURS,
    U4,
    N,
    fit,
    labels,
    loss_of,
    ranked,
    texts,
)


class TestPresumedExcludes:
    def test_known_includes_alone_are_enough(self) -> None:
        result = ranked(build(texts(), OURS.words), {0: 1, 10: 1}, OURS)
        assert result.kind == "model"
        assert loss_of(result) < 0.1

    def test_excludes_alone_are_not(self) -> None:
        features = build(texts(), OURS.words)
        assert ranked(features, {3: 0, 4: 0}, OURS).kind == "random"

    def test_where_all_are_known_includes_there_is_nothing_to_learn(self) -> None:
        features = build(texts(10), OURS.words)
        everything = labels(dict.fromkeys(range(10), 1.0))
        result = rank(features, labels=everything, pool=np.arange(10), recipe=OURS, seed=1)
        assert result.kind == "random"

    def test_without_them_includes_alone_are_not_enough(self) -> None:
        assert ranked(build(texts(), U4.words), {0: 1, 10: 1}, U4).kind == "random"

    def test_they_fade_and_are_gone_where_includes_are_common(self) -> None:
        features = build(texts(), U4.words)
        common = replace(U4, presumed=Presumed(50, 0.5, 1.0, until=2 / N, ratio=20.0))
        plain = ranked(features, KNOWN, U4)
        np.testing.assert_array_equal(ranked(features, KNOWN, common).scores, plain.scores)
        rare = replace(common, presumed=Presumed(50, 0.5, 1.0, until=0.5, ratio=20.0))
        assert not np.array_equal(ranked(features, KNOWN, rare).scores, plain.scores)

    def test_never_of_a_record_with_an_infinite_lot(self) -> None:
        features = build(texts(), OURS.words)
        draws = np.linspace(0, 0.5, N)

        def score(of: NDArray[np.float64]) -> float:
            return float(fit(OURS, features, of).scores[1])

        never = draws.copy()
        never[1] = np.inf
        assert score(never) > score(draws), "being presumed an exclude lowers a record's own score"
