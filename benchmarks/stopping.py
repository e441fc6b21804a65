"""How often is the certificate wrong, and what does it cost? Drawn reviews, the product's own code.

    python benchmarks/stopping.py [--runs 1000] [--jobs 2] [--targets .8,.9,.95] [--confidence .95]

Each review has N records of which R are includes, in the order of a ranking of a given kind; one
record in 20 is a draw, and all are after a run without an include of 50 records or 2.5 % of N. The
certificate is looked at after every record. Fails where it stopped below its target more often
than 1 − confidence allows, by a binomial test at 1 % (one test for each line and target).
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress
from scipy.stats import binomtest

from tandem.ranking.simulate_stops import Screened, Stops, stops
from tandem.stopping.certificate import exact_target

Labels = NDArray[np.int8]
Drawn = Callable[[np.random.Generator, int, int], Labels]
"""Draws the labels of N records, R of them includes, in the order of the ranking."""

_SIGNIFICANT = 0.01
_ODDS, _ELUSIVE_ODDS, _HARD = 20.0, 0.3, 0.1


def ranked(dice: np.random.Generator, n: int, n_includes: int) -> Labels:
    """Includes have odds of 20 to come next."""
    return _by_odds(dice, n, np.full(n_includes, _ODDS))


def elusive(dice: np.random.Generator, n: int, n_includes: int) -> Labels:
    """One include in ten has odds of .3: the ranking puts it behind what is irrelevant."""
    odds = np.full(n_includes, _ODDS)
    odds[: round(_HARD * n_includes)] = _ELUSIVE_ODDS
    return _by_odds(dice, n, odds)


def hidden(dice: np.random.Generator, n: int, n_includes: int) -> Labels:
    """One include in ten, at least one, is at the very end."""
    last = max(1, round(_HARD * n_includes))
    before = ranked(dice, n - last, n_includes - last)
    return np.concatenate([before, np.ones(last, dtype=np.int8)])


def clustered(dice: np.random.Generator, n: int, n_includes: int) -> Labels:
    """Three topics: the ranking finds the first at once, the others only once it reaches them."""
    sizes = np.bincount(dice.integers(0, 3, n_includes), minlength=3)
    keys = dice.exponential(size=n)
    begins = np.concatenate([[0.0], dice.uniform(0, np.quantile(keys, 0.9), 2)])
    topics = np.repeat(begins, sizes)
    keys[:n_includes] = topics + dice.exponential(size=n_includes) / _ODDS
    return _ordered(keys, n_includes)


def in_random_order(dice: np.random.Generator, n: int, n_includes: int) -> Labels:
    """The ranking knows nothing."""
    return _by_odds(dice, n, np.ones(n_includes))


def rich_pool(dice: np.random.Generator, n: int, n_includes: int) -> Labels:
    """Five are found at once, all others lie anywhere."""
    labels = np.zeros(n, dtype=np.int8)
    labels[:5] = 1
    labels[5 + dice.choice(n - 5, n_includes - 5, replace=False)] = 1
    return labels


def edge(dice: np.random.Generator, n: int, n_includes: int) -> Labels:
    """Just so many are at the very end that the recall is too low without them."""
    del dice
    labels = np.zeros(n, dtype=np.int8)
    last = 7
    labels[: n_includes - last] = labels[n - last :] = 1
    return labels


def _by_odds(dice: np.random.Generator, n: int, odds: NDArray[np.float64]) -> Labels:
    # Sorted exponential waiting times are draws without replacement by odds (Plackett, Luce).
    keys = dice.exponential(size=n)
    keys[: odds.size] /= odds
    return _ordered(keys, odds.size)


def _ordered(keys: NDArray[np.float64], n_includes: int) -> Labels:
    return (np.argsort(keys) < n_includes).astype(np.int8)


@dataclass(frozen=True)
class Scenario:
    """What is drawn, how large, and how sensitive the team is."""

    drawn: Drawn
    n: int
    n_includes: int
    sensitivity: float = 1.0

    @property
    def name(self) -> str:
        name = self.drawn.__name__.replace("_", " ")
        return name if self.sensitivity == 1 else f"{name}, sensitivity {self.sensitivity:g}"


@dataclass(frozen=True)
class Line:
    """Of all runs of a scenario at one target: how many missed it, and the mean share read."""

    scenario: Scenario
    target: Fraction
    runs: int
    missed: int
    work: float


def scenarios() -> list[Scenario]:
    kinds = (ranked, elusive, hidden, clustered, in_random_order)
    sized = [(kind, r) for kind in kinds for r in (5, 20, 60, 200)]
    found = [Scenario(kind, 2000 if r == 200 else 1000, r) for kind, r in sized]
    found += [Scenario(kind, 1000, r, 0.85) for kind in (ranked, hidden) for r in (5, 20, 60)]
    return [*found, Scenario(rich_pool, 1900, 195), Scenario(edge, 1000, 60)]


def measure(
    scenario: Scenario, targets: Sequence[Fraction], confidence: Fraction, runs: int
) -> list[Line]:
    wanted = Stops(("certificate",), tuple(targets), confidence)
    nothing = np.array([], dtype=np.int64)
    missed, work = [0] * len(targets), [0.0] * len(targets)
    for run in range(runs):
        labels = _labels(scenario, run)
        rows = np.arange(labels.size)

        def following(read: NDArray[np.int64], rows: NDArray[np.int64] = rows) -> list[int]:
            found: list[int] = np.setdiff1d(rows, read, assume_unique=True).tolist()
            return found

        found = stops(
            wanted,
            Screened(labels, nothing),
            run,
            ranked=following,
            ranked_for_certificate=following,
        )
        for n, (target, stop) in enumerate(zip(targets, found, strict=True)):
            missed[n] += stop.found < target * int(labels.sum())
            work[n] += stop.read / labels.size
    return [
        Line(scenario, target, runs, missed[n], work[n] / runs) for n, target in enumerate(targets)
    ]


def _labels(scenario: Scenario, run: int) -> Labels:
    """Draw what the team includes: of the includes, each with its sensitivity, at least one."""
    dice = np.random.default_rng((run, scenario.n, scenario.n_includes))
    while True:
        labels = scenario.drawn(dice, scenario.n, scenario.n_includes)
        labels = labels * (dice.random(labels.size) < scenario.sensitivity)
        if labels.any():
            return labels.astype(np.int8)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--targets", default=".8,.9,.95")
    parser.add_argument("--confidence", default=".95")
    asked = parser.parse_args()
    targets = [exact_target(text) for text in asked.targets.split(",")]
    confidence = exact_target(asked.confidence)
    lines = []
    with (
        ProcessPoolExecutor(asked.jobs) as processes,
        Progress(console=Console(stderr=True), transient=True) as bar,
    ):
        task = bar.add_task("reviews drawn", total=len(scenarios()) * asked.runs)
        started = [
            processes.submit(measure, scenario, targets, confidence, asked.runs)
            for scenario in scenarios()
        ]
        for one in started:
            lines += one.result()
            bar.advance(task, asked.runs)
    return _print(lines, float(1 - confidence), targets)


def _print(lines: Sequence[Line], alpha: float, targets: Sequence[Fraction]) -> int:
    print(f"% of runs below the target / mean share of records read; at most {alpha:.0%} allowed")
    head = "".join(f"{f'target {float(target):g}':>18}" for target in targets)
    print(f"{'scenario':<32}{'N':>6}{'R':>5}{head}")
    wrong = []
    for scenario in dict.fromkeys(line.scenario for line in lines):
        row = f"{scenario.name:<32}{scenario.n:>6}{scenario.n_includes:>5}"
        for line in lines:
            if line.scenario != scenario:
                continue
            p = binomtest(line.missed, line.runs, alpha, alternative="greater").pvalue
            if p < _SIGNIFICANT:
                wrong.append((scenario.name, float(line.target), p))
            row += f"{f'{line.missed / line.runs:.1%} / {line.work:.0%}':>18}"
        print(row)
    for name, target, p in wrong:
        print(f"TOO OFTEN WRONG: {name} at {target:g} (p = {p:.2g})")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
