"""A small review with a topic, ranked by a recipe."""

import numpy as np
from numpy.typing import NDArray

from tandem.ranking.features import Features
from tandem.ranking.learning import Fitted, Labels
from tandem.ranking.metrics import loss
from tandem.ranking.presets import Preset
from tandem.ranking.ranker import Ranked, rank
from tandem.ranking.recipes import PRESETS

U4 = PRESETS["elas-u4"]


OURS = PRESETS["tandem-1"]


N = 120
TOPIC = ["statin", "cholesterol", "cardiovascular", "lipid", "lowering", "atorvastatin", "placebo"]


OTHER = ["yoga", "massage", "back", "pain", "exercise", "posture", "therapy", "stretching"]


COMMON = [
    "trial",
    "patients",
    "results",
    "methods",
    "conclusion",
    "weeks",
    "group",
    "study",
    "outcome",
    "analysis",
]


def texts(n: int = N) -> list[tuple[str, str]]:
    """Ten topics by turns, the first with words of its own; two of the others share theirs."""
    random = np.random.RandomState(7)

    def one(row: int) -> tuple[str, str]:
        topic = row % 10
        words = TOPIC if topic == 0 else [f"{word}{topic // 2}" for word in OTHER]
        title = " ".join(random.choice(words, 2))
        return title, " ".join([*random.choice(words, 5), *random.choice(COMMON, 12), f"no{row}"])

    return [one(row) for row in range(n)]


def labels(pairs: dict[int, float]) -> Labels:
    return Labels(np.array([*pairs], dtype=np.int64), np.array([*pairs.values()]))


def ranked(features: Features, known: dict[int, float], how: Preset, *, seed: int = 1) -> Ranked:
    pool = np.array([row for row in range(len(features.similarity)) if row not in known])
    return rank(features, labels=labels(known), pool=pool, recipe=how, seed=seed, explained=5)


def loss_of(result: Ranked) -> float:
    places = [place for place, row in enumerate(result.order, start=1) if row % 10 == 0]
    return loss(places, result.order.size)


KNOWN: dict[int, float] = {0: 1, 10: 1, 3: 0, 14: 0, 27: 0}


def rows_of(*numbers: int) -> NDArray[np.int64]:
    return np.array(numbers, dtype=np.int64)


def fit(how: Preset, features: Features, draws: NDArray[np.float64] | None = None) -> Fitted:
    drawn, draws = np.random.RandomState(1), np.zeros(N) if draws is None else draws
    fitted = how.fit(features, labels=labels(KNOWN), draws=draws, random_state=drawn)
    assert fitted is not None
    return fitted
