"""How many decisions two erring reviewers make until they have 97 % of what double reading finds.

Usage: benchmarks/noisy_pair.py DIR [--models elas-u4,tandem-3,tandem-4] [--seeds 1]
       [--sensitivity .87] [--specificity .97] [--batch 10]

Every labelled file of DIR is replayed by two reviewers and an adjudicator, as by
`tandem simulate --reviewers 2`. The figures are shares of the decisions that reading everything
twice takes, means over seeds. Each file is printed when it is done, the smallest first. What
reviews usually include is learnt for each file without it and those of its family.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from prior_model import field, unseen
from ranking import labelled_files, seed_range, set_name
from tandem.ranking.presets import Preset
from tandem.ranking.recipes import recipe
from tandem.ranking.simulate_files import Labelled, read_labelled
from tandem.ranking.simulate_many import run_all
from tandem.ranking.simulate_screening import Team
from tandem.ranking.simulate_team import TeamSimulation
from tandem.ranking.simulate_workers import How, Task

Shares = dict[str, float]
"""By model: decisions to 97 %, of those of double reading."""


def main() -> int:
    asked = _arguments()
    everything = [read_labelled(path) for path in labelled_files(asked.folder, ())]
    wanted = [data for data in everything if not asked.sets or set_name(data) in asked.sets]
    print(f"{'set':40} {'field':22}" + "".join(f"{model:>12}" for model in asked.models))
    found = dict[str, tuple[str, Shares]]()
    for data in sorted(wanted, key=lambda data: len(data.texts)):
        shares = dict(_shares(data, everything, asked))
        found[set_name(data)] = field(data), shares
        _print_row(set_name(data), field(data), shares)
    for name in dict.fromkeys(kind for kind, _ in found.values()):
        _print_mean(name, [shares for kind, shares in found.values() if kind == name])
    _print_mean("all", [shares for _, shares in found.values()])
    return 0


def _shares(
    data: Labelled, everything: Sequence[Labelled], asked: argparse.Namespace
) -> Iterator[tuple[str, float]]:
    team = Team(sensitivity=asked.sensitivity, specificity=asked.specificity)
    tasks = [Task(data, seed) for seed in asked.seeds]
    for model in asked.models:
        own = recipe(model)
        if isinstance(own, Preset) and own.prior_model:
            own = unseen(own, data, everything)
        each = list[float]()
        for done in run_all(tasks, How(own, batch=asked.batch, team=team), jobs=asked.jobs):
            if not isinstance(done, TeamSimulation):
                raise AssertionError("two reviewers were asked for")
            each.append(done.decisions_97 / done.decisions_double)
        yield model, float(np.mean(each))


def _print_row(name: str, kind: str, shares: Shares) -> None:
    cells = "".join(f"{share:>12.1%}" for share in shares.values())
    print(f"{name:40} {kind:22}{cells}", flush=True)


def _print_mean(name: str, of: Sequence[Shares]) -> None:
    means = {model: float(np.mean([one[model] for one in of])) for model in of[0]}
    _print_row(f"mean of {len(of)}", name, means)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--models", type=lambda text: text.split(","), default="elas-u4,tandem-3,tandem-4"
    )
    parser.add_argument("--seeds", type=seed_range, default="1")
    parser.add_argument("--batch", type=int, default=10)
    parser.add_argument("--sets", type=lambda text: text.split(","), default=[])
    parser.add_argument("--sensitivity", type=float, default=0.87)
    parser.add_argument("--specificity", type=float, default=0.97)
    parser.add_argument("--jobs", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
