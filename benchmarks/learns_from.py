"""What it costs that only settled records teach the ranking, in decisions of two reviewers.

Each set is replayed twice with the same records, verdicts and seeds: once each decision teaches
the ranking at once, once only records with both decisions do. Sets of `dual` have the reviewers'
own decisions; those of `labelled` have drawn ones (sensitivity .87, specificity .97: Gartlehner
2020 and the mean of `dual`).
"""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import numpy as np

from dual_data import BadData, counted, read_dual
from tandem.ranking.recipes import DEFAULT_MODEL, recipe
from tandem.ranking.simulate import draw_priors
from tandem.ranking.simulate_files import Labelled, read_labelled
from tandem.ranking.simulate_screening import Team, Truth, read_everything_twice
from tandem.ranking.simulate_team import Start, simulate_team
from tandem.reviews.policy import DEFAULT, Stage, changed

_AT_MOST = 1.03
"""The default is `settled` if it costs no more than this, as a mean over all sets."""

_WAYS = {
    way: changed(DEFAULT[Stage.TITLE_ABSTRACT], {"ranking_learns_from": way})
    for way in ("all", "settled")
}


@dataclass(frozen=True)
class Cost:
    """Decisions until 95 % of what double reading includes is included, each way."""

    name: str
    seed: int
    every: int
    settled: int

    @property
    def ratio(self) -> float:
        return self.settled / self.every


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the folder with `labelled` and `dual`")
    parser.add_argument("--seeds", type=int, default=3, help="how many for each set")
    parser.add_argument("--batch", type=int, default=10, help="decisions from training to training")
    parser.add_argument("--jobs", type=int, default=1)
    asked = parser.parse_args()
    folders = ("labelled", "dual")
    files = [file for name in folders for file in sorted((asked.data / name).glob("*.csv.gz"))]
    tasks = [(file, seed) for file in files for seed in range(1, asked.seeds + 1)]
    with ProcessPoolExecutor(asked.jobs) as processes:
        found = processes.map(_cost, *zip(*tasks, strict=True), repeat(asked.batch))
        costs = [cost for cost in found if cost is not None]
    return _print(costs)


def _cost(file: Path, seed: int, batch: int) -> Cost | None:
    try:
        made = [_decisions(file, seed, batch, way) for way in ("all", "settled")]
    except BadData as error:
        sys.stderr.write(f"{file.name} is left out: {error}\n")
        return None
    return Cost(file.name.removesuffix(".csv.gz"), seed, *made)


def _decisions(file: Path, seed: int, batch: int, way: str) -> int:
    how = recipe(DEFAULT_MODEL)
    if file.parent.name == "labelled":
        team = Team(0.87, 0.97, policy=_WAYS[way])
        return simulate_team(read_labelled(file), how, team, seed=seed, batch=batch).decisions_95
    data, includes = _own_decisions(file)
    team = Team(policy=_WAYS[way])
    known = draw_priors(data, (1, 1), seed)
    truth = Truth(data.labels == 1, np.isin(np.arange(len(data.texts)), known), includes)
    start = Start(known, truth, read_everything_twice(truth, team.policy))
    return simulate_team(data, how, team, seed=seed, batch=batch, start=start).decisions_95


def _own_decisions(file: Path) -> tuple[Labelled, np.ndarray[tuple[int, int], np.dtype[np.bool_]]]:
    dual = read_dual(file)
    if dual.n_reviewers < 2:
        raise BadData("it has no two reviewers who decided every record")
    data = Labelled(
        file=str(file),
        texts=[(row.texts["title"], row.texts.get("abstract", "")) for row in dual.rows],
        labels=np.array([row.final == "include" for row in dual.rows], dtype=np.int8),
    )
    includes = [[counted(row.verdicts[who]) == "include" for row in dual.rows] for who in (0, 1)]
    return data, np.array(includes, dtype=np.bool_)


def _print(costs: Sequence[Cost]) -> int:
    print("Decisions until 95 % of what double reading includes is included; mean of the seeds")
    print(f"{'set':<42} {'all':>7} {'settled':>8} {'ratio':>6}")
    ratios = []
    for name in dict.fromkeys(cost.name for cost in costs):
        of_set = [cost for cost in costs if cost.name == name]
        ratios.append(float(np.mean([cost.ratio for cost in of_set])))
        every = float(np.mean([cost.every for cost in of_set]))
        settled = float(np.mean([cost.settled for cost in of_set]))
        print(f"{name:<42} {every:>7.0f} {settled:>8.0f} {ratios[-1]:>6.3f}")
    mean = float(np.mean(ratios))
    print(f"{f'mean of {len(ratios)} sets':<42} {'':>7} {'':>8} {mean:>6.3f}")
    return 0 if mean <= _AT_MOST else 1


if __name__ == "__main__":
    sys.exit(main())
