"""Recipes of other packages."""

from collections.abc import Iterator
from importlib.metadata import EntryPoint

import numpy as np
import pytest
from numpy.typing import NDArray

from tandem.ranking import recipes
from tandem.ranking.features import Features, build
from tandem.ranking.learning import Fitted
from tandem.ranking.ranker import rank
from tandem.ranking.recipes import BrokenPlugin, UnknownModel, recipe
from unit.ranking.small_review import (
    U4,
    N,
    labels,
    texts,
)


class _Backwards:
    name, words, sentences = "backwards-1", U4.words, None

    def to_json(self) -> dict[str, object]:
        return {"name": self.name}

    def fit(self, features: Features, **_: object) -> Fitted:
        return Fitted(-np.arange(features.similarity.size, dtype=np.float64)[::-1], None)


BACKWARDS = _Backwards()


class TestPlugins:
    @pytest.fixture(autouse=True)
    def installed(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        points = {
            name: EntryPoint(name, value, recipes.GROUP)
            for name, value in {
                "backwards-1": f"{__name__}:BACKWARDS",
                "gone-1": "no_such_package:ranker",
                "wrong-1": f"{__name__}:N",
                "elas-u4": f"{__name__}:BACKWARDS",
            }.items()
        }
        monkeypatch.setattr(recipes, "_plugins", lambda: points)
        recipes._load_plugin.cache_clear()
        yield
        recipes._load_plugin.cache_clear()

    def test_one_is_found_by_name_and_ranks(self) -> None:
        features = build(texts(), U4.words)
        pool = np.arange(1, 9)
        result = rank(features, labels=labels({0: 1}), pool=pool, explained=3, seed=1,
                      recipe=recipe("backwards-1"))  # fmt: skip
        assert result.order.tolist() == [8, 7, 6, 5, 4, 3, 2, 1]
        assert not result.reasons

    def test_one_that_does_not_load_says_which(self) -> None:
        with pytest.raises(BrokenPlugin, match=r"gone-1.*no_such_package"):
            recipe("gone-1")

    def test_one_that_is_something_else_is_refused(self) -> None:
        with pytest.raises(BrokenPlugin, match="wrong-1"):
            recipe("wrong-1")

    def test_ours_cannot_be_replaced(self) -> None:
        assert recipe("elas-u4") is U4

    @pytest.mark.parametrize("scores", [np.full(N, np.nan), np.zeros(3)], ids=["nan", "few"])
    def test_scores_that_order_nothing_are_refused(
        self, scores: NDArray[np.float64], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_Backwards, "fit", lambda *_, **__: Fitted(scores, None))
        with pytest.raises(BrokenPlugin, match="backwards-1"):
            rank(build(texts(), U4.words), labels=labels({0: 1}), pool=np.arange(1, 9), seed=1,
                 recipe=recipe("backwards-1"))  # fmt: skip

    def test_for_an_unknown_name_the_error_lists_all(self) -> None:
        with pytest.raises(UnknownModel, match=r"backwards-1.*tandem-1"):
            recipe("elas-u5")
