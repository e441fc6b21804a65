"""Replay a labelled file: how soon this ranking would have found what was relevant."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from tandem.ranking import features as feature_making
from tandem.ranking import metrics
from tandem.ranking import sentences as sentence_vectors
from tandem.ranking.features import Features
from tandem.ranking.parameters import EnsembleMember, Words
from tandem.ranking.recipes import Recipe
from tandem.ranking.simulate_files import Labelled, UnusableLabels
from tandem.ranking.simulate_replay import Replay
from tandem.ranking.simulate_stops import Screened, Stop, Stops, stops

Progress = Callable[[int, int], None]
"""Called with the numbers of records read (by two reviewers: of decisions) and of relevant
records found, priors left out."""


@dataclass(frozen=True)
class Prepared:
    """What the ranking knows of a file's texts, and the seconds that it took to make it."""

    features: Features
    seconds: float


class Figures(TypedDict):
    """How well an order served; see `tandem.ranking.metrics` for each."""

    loss: float
    ndcg: float
    wss_95: float
    tnr_95: float
    recall_10: float
    recall_20: float
    last_relevant: int


@dataclass(frozen=True)
class Simulation:
    """One replay of one file, as `tandem simulate --json` prints it.

    Attributes:
        n: Records in the file, priors included, as is `n_relevant`.
        priors: Rows known at the start, relevant ones first.
        found_at: Place of each relevant record in the reading order, from 1, without priors.
        seconds: Wall time of vectorising, training and ranking together. What vectorising took
            is in every run of a file, though it is done once for several seeds.
        retrains: Number of models trained.
        stops: Where each rule that was asked for stopped. What that took is in neither of both.
    """

    file: str
    model: str
    seed: int
    n: int
    n_relevant: int
    priors: list[int]
    found_at: list[int]
    loss: float
    ndcg: float
    wss_95: float
    tnr_95: float
    recall_10: float
    recall_20: float
    last_relevant: int
    seconds: float
    retrains: int
    stops: list[Stop] = field(default_factory=list, kw_only=True)

    @property
    def n_ordered(self) -> int:
        """Return N of the metrics: records put in order, which priors are not."""
        return self.n - len(self.priors)

    def to_json(self) -> dict[str, Any]:
        found = asdict(self)
        del found["stops"]
        return found | ({"stops": [stop.to_json() for stop in self.stops]} if self.stops else {})


def simulate(
    data: Labelled,
    recipe: Recipe,
    *,
    seed: int,
    priors: tuple[int, int] = (1, 1),
    batch: int = 1,
    wanted_stops: Stops | None = None,
    on_progress: Progress | None = None,
) -> Simulation:
    """Read `data` in the order of the ranking until its last relevant record is found.

    Args:
        data: The records and what a team decided about them.
        recipe: The recipe.
        seed: In [0, 2**32): draws the priors and drives the solver.
        priors: How many relevant and irrelevant records are known at the start. With (0, 0)
            reading begins in the order that the ranking gives without labels.
        batch: Number of labels after which the model is trained again, ≥ 1.
        wanted_stops: Rules for stopping to follow, beyond the last relevant record where needed.
        on_progress: Called after every batch.

    Raises:
        UnusableLabels: There are fewer records of a kind than `priors` wants, or beside them
            no relevant or no irrelevant one is left, so that no order is better than another.
    """
    known = draw_priors(data, priors, seed)
    ready = prepared(data, recipe.words, recipe.sentences)
    started = time.perf_counter()
    replay = Replay(data.labels, ready.features, recipe, seed, batch)
    read = known
    n_to_find = int(np.sum(data.labels == 1) - np.sum(data.labels[known] == 1))
    found_at: list[int] = []
    while len(found_at) < n_to_find:
        now = replay.next_after(read)
        hits = np.flatnonzero(data.labels[now] == 1)
        found_at += (hits + 1 + read.size - known.size).tolist()
        read = np.concatenate([read, now])
        if on_progress:
            on_progress(read.size - known.size, len(found_at))
    seconds = ready.seconds + time.perf_counter() - started
    retrains = replay.retrains
    stopped = list[Stop]()
    if wanted_stops is not None:
        afresh = Replay(data.labels, ready.features, recipe, seed, batch)
        stopped = stops(
            wanted_stops,
            Screened(data.labels, known),
            seed,
            ranked=lambda rows: replay.going_on(read, rows),
            ranked_for_certificate=afresh.next_after,
        )
    return Simulation(
        file=data.file,
        model=recipe.name,
        seed=seed,
        n=len(data.texts),
        n_relevant=int(np.sum(data.labels == 1)),
        priors=known.tolist(),
        found_at=found_at,
        **figures(found_at, len(data.texts) - known.size),
        seconds=round(seconds, 3),
        retrains=retrains,
        stops=stopped,
    )


def uses_sentences(recipe: Recipe) -> bool:
    """Return whether replays with this recipe read sentence vectors here."""
    return recipe.sentences is not None and sentence_vectors.is_installed()


@lru_cache(maxsize=1)
def prepared(data: Labelled, words: Words, sentences: EnsembleMember | None) -> Prepared:
    """Return the features of a file; those of the last one asked for are kept.

    Sentence vectors are among them where the recipe uses them and the extra is installed. They
    come from the user's cache folder where the file was replayed before.
    """
    started = time.perf_counter()
    features = feature_making.build(data.texts, words)
    if sentences is not None and sentence_vectors.is_installed():
        features = replace(features, sentences=sentence_vectors.encode_once(data.texts))
    return Prepared(features, seconds=time.perf_counter() - started)


def figures(found_at: Sequence[int], n: int) -> Figures:
    """Return the metrics of an order of `n` records; see `tandem.ranking.metrics`."""
    return Figures(
        loss=metrics.loss(found_at, n),
        ndcg=metrics.ndcg(found_at),
        wss_95=metrics.wss(found_at, n, 0.95),
        tnr_95=metrics.tnr(found_at, n, 0.95),
        recall_10=metrics.recall_at(found_at, n, 0.1),
        recall_20=metrics.recall_at(found_at, n, 0.2),
        last_relevant=metrics.last_relevant(found_at),
    )


def draw_priors(data: Labelled, priors: tuple[int, int], seed: int) -> NDArray[np.int64]:
    """Draw known rows as `asreview simulate --prior-seed` does: a fresh generator per class.

    Raises:
        UnusableLabels: See `simulate`.
    """
    drawn = []
    for value, kind, wanted in zip((1, 0), ("relevant", "irrelevant"), priors, strict=True):
        rows = np.flatnonzero(data.labels == value)
        if rows.size <= wanted:
            there_are = f"{rows.size} {kind} record{'' if rows.size == 1 else 's'}"
            raise UnusableLabels(
                f"{data.file} has {there_are}: with {wanted} known at the start, at least "
                f"{wanted + 1} are needed."
            )
        drawn.append(np.random.RandomState(seed).choice(rows, wanted, replace=False))
    return np.concatenate(drawn)
