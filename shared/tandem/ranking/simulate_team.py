"""Replay a labelled file as two reviewers screen it who err: what it costs them, what they find."""

import math
import time
from dataclasses import dataclass
from itertools import cycle, islice

import numpy as np
from numpy.typing import NDArray

from tandem.ranking import metrics
from tandem.ranking.features import Features
from tandem.ranking.ranker import rank
from tandem.ranking.recipes import Recipe
from tandem.ranking.simulate import Progress, Simulation, draw_priors, figures, prepared
from tandem.ranking.simulate_files import Labelled, UnusableLabels
from tandem.ranking.simulate_replay import Replay
from tandem.ranking.simulate_screening import (
    REVIEWERS,
    DoubleReading,
    Mask,
    ReviewerQueue,
    Screening,
    Team,
    Truth,
    read_everything_twice,
    truth_of,
)
from tandem.ranking.simulate_stops import Screened, Stop, Stops, stops


@dataclass(frozen=True)
class TeamSimulation(Simulation):
    """One replay of one file with two reviewers, as `tandem simulate --json` prints it.

    The measure is what reading everything twice would find: the relevant records, priors left
    out, that the same verdicts and the adjudicator would include. The metrics count work in
    double readings, two decisions each: `found_at` is ⌈decisions / 2⌉ when each of these records
    came to be included. So N is the number of records as ever, and no order is better than 0.

    Attributes:
        decisions: Of both together until all of these records were included.
        decisions_at: How many were made when each was, aligned with `found_at`.
        decisions_95: How many were made when 95 % of these records were; 97 and 100 alike.
        decisions_double: What reading everything twice takes.
        conflicts: Until the end of the simulation; the adjudicator's decisions are these, and
            counted nowhere else.
        conflicts_double: If everything is read twice.
        included: Records that the team had included in the end, rightly or not.
        included_double: Records that it includes if everything is read twice.
        recall_team: Share of these that the team had included in the end.
        recall_truth: Share of the relevant records, priors left out, that it had.
        recall_truth_double: The share it has if everything is read twice.
    """

    reviewers: int
    sensitivity: float
    specificity: float
    decisions: int
    decisions_at: list[int]
    decisions_95: int
    decisions_97: int
    decisions_100: int
    decisions_double: int
    conflicts: int
    conflicts_double: int
    included: int
    included_double: int
    recall_team: float
    recall_truth: float
    recall_truth_double: float


@dataclass(frozen=True)
class Start:
    """A review before its screening begins.

    Attributes:
        priors: Rows known at the start, relevant ones first.
        truth: What the records are, and what each reviewer makes of them.
        double: What reading everything twice comes to.
    """

    priors: NDArray[np.int64]
    truth: Truth
    double: DoubleReading

    @property
    def wanted(self) -> Mask:
        """Return which records are to be found: the relevant ones that double reading finds."""
        return self.truth.to_find & self.double.included


def start_of(data: Labelled, team: Team, *, seed: int, priors: tuple[int, int] = (1, 1)) -> Start:
    """Draw priors and verdicts.

    Raises:
        UnusableLabels: As for `simulate`; or not even reading everything twice finds anything.
    """
    known = draw_priors(data, priors, seed)
    truth = truth_of(data.labels == 1, known, team, seed)
    start = Start(known, truth, read_everything_twice(truth, team.policy))
    if not np.any(start.wanted):
        raise UnusableLabels(
            f"{data.file}: with seed {seed} and a sensitivity of {team.sensitivity} both "
            "reviewers miss every relevant record."
        )
    return start


def simulate_team(
    data: Labelled,
    recipe: Recipe,
    team: Team,
    *,
    seed: int,
    priors: tuple[int, int] = (1, 1),
    batch: int = 1,
    wanted_stops: Stops | None = None,
    on_progress: Progress | None = None,
    start: Start | None = None,
) -> TeamSimulation:
    """Screen `data`, the reviewers by turns, until they have found what double reading finds.

    Rules for stopping are replayed in a reading of their own: both reviewers read each record,
    their conflicts are adjudicated at once, and the rules see what the team decided.

    Args:
        data: The records and the truth about them.
        recipe: The recipe.
        team: Who screens.
        seed: In [0, 2**32): draws the priors, the verdicts and the queue, and drives the solver.
        priors: How many relevant and irrelevant records are settled, rightly, at the start.
        batch: Number of decisions after which the model is trained again, ≥ 1.
        wanted_stops: Rules for stopping to follow.
        on_progress: Called after every batch.
        start: The records' truth and the reviewers' verdicts where they are known; drawn by
            `start_of` if left out.

    Raises:
        UnusableLabels: See `start_of`.
    """
    start = start or start_of(data, team, seed=seed, priors=priors)
    screening = Screening(start.truth, team)
    ready = prepared(data, recipe.words, recipe.sentences)
    started = time.perf_counter()
    decisions_at, retrains = _screen(
        screening, ready.features, recipe, start.wanted, seed, batch, on_progress
    )
    seconds = ready.seconds + time.perf_counter() - started
    double = start.double
    stopped = list[Stop]()
    if wanted_stops is not None:
        stopped = _stops(wanted_stops, start, ready.features, recipe, seed, batch)
    found_at = [math.ceil(made / len(REVIEWERS)) for made in decisions_at]
    return TeamSimulation(
        file=data.file,
        model=recipe.name,
        seed=seed,
        n=len(data.texts),
        n_relevant=int(np.sum(start.truth.relevant)),
        priors=start.priors.tolist(),
        found_at=found_at,
        **figures(found_at, len(data.texts) - start.priors.size),
        seconds=round(seconds, 3),
        retrains=retrains,
        reviewers=len(REVIEWERS),
        sensitivity=team.sensitivity,
        specificity=team.specificity,
        decisions=screening.decisions,
        decisions_at=decisions_at,
        decisions_95=metrics.read_until(decisions_at, 0.95),
        decisions_97=metrics.read_until(decisions_at, 0.97),
        decisions_100=metrics.read_until(decisions_at, 1),
        decisions_double=double.decisions,
        conflicts=screening.conflicts,
        conflicts_double=double.conflicts,
        included=int(np.sum(screening.included)),
        included_double=int(np.sum(double.included)),
        recall_team=_share(screening.included, double.included),
        recall_truth=_share(screening.included, start.truth.to_find),
        recall_truth_double=_share(double.included, start.truth.to_find),
        stops=stopped,
    )


def _stops(
    wanted: Stops, start: Start, features: Features, recipe: Recipe, seed: int, batch: int
) -> list[Stop]:
    truth = start.truth
    decided = np.where(truth.known, truth.relevant, start.double.included).astype(np.int8)
    ranked, beside_draws = (Replay(decided, features, recipe, seed, batch) for _ in range(2))
    return stops(
        wanted,
        Screened(decided, start.priors, truth.relevant),
        seed,
        ranked=ranked.next_after,
        ranked_for_certificate=beside_draws.next_after,
    )


def _screen(
    screening: Screening,
    features: Features,
    recipe: Recipe,
    wanted: Mask,
    seed: int,
    batch: int,
    on_progress: Progress | None,
) -> tuple[list[int], int]:
    """Return how many decisions each find took and the number of models trained."""
    turns = cycle(range(len(REVIEWERS)))
    n_wanted = int(np.sum(wanted))
    decisions_at: list[int] = []
    retrains = 0
    while len(decisions_at) < n_wanted:
        ranked = rank(
            features,
            labels=screening.labels(),
            pool=np.flatnonzero(screening.lacks_decisions()),
            recipe=recipe,
            seed=seed,
        )
        retrains += ranked.kind == "model"
        reviewer_queue = ReviewerQueue(screening, ranked.order, seed)
        for reviewer in islice(turns, batch):
            row = reviewer_queue.next_for(reviewer)
            if row is None:  # nothing is left to wait for
                screening.adjudicate(until=math.inf)
            else:
                screening.decide(reviewer, row)
            found = int(np.sum(screening.included & wanted))
            decisions_at += [screening.decisions] * (found - len(decisions_at))
            if found == n_wanted:
                break
        if on_progress:
            on_progress(screening.decisions, len(decisions_at))
    return decisions_at, retrains


def _share(part: Mask, whole: Mask) -> float:
    return float(np.sum(part & whole) / np.sum(whole))
