"""Where rules for stopping end real reviews: how often they miss their target, and what is read.

    python benchmarks/stopping_sets.py DIR [--seeds 1-20] [--targets .8,.9,.95] [--plot stops.svg]
        [--model tandem-2-words] [--batch 25] [--confidence .95] [--reviewers 2] [--json runs.jsonl]
    python benchmarks/stopping_sets.py --kept runs.jsonl [more.jsonl] [--plot stops.svg]

Every labelled file of DIR whose excludes are the screeners' own decisions is replayed by the code
of `tandem simulate --stop`, with each seed: other records known at the start, another order of the
draws. Left out are files whose excludes somebody else added later (Hannousse). Fails where the
certificate missed its target more often than 1 − confidence allows, in any file, by a binomial test
at 1 % (one test for each file and target).

A long run may be made in parts, each kept with `--json`; `--kept` makes the tables of them.
The model knows nothing of other reviews: the prior model of `tandem-4` has seen all of DIR.
"""

import argparse
import io
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from rich.console import Console
from rich.progress import Progress
from scipy.stats import binomtest

from tandem.ranking.recipes import recipe
from tandem.ranking.simulate import Simulation
from tandem.ranking.simulate_files import read_labelled
from tandem.ranking.simulate_many import run_all
from tandem.ranking.simulate_screening import Team
from tandem.ranking.simulate_stops import Stops
from tandem.ranking.simulate_workers import How, Task
from tandem.stopping.certificate import exact_target

RULES = ("certificate", "run-50", "run-100", "run-200", "share-5", "knee", "hypergeometric")
_NOT_THE_SCREENERS = "Hannousse"
_SIGNIFICANT = 0.01
_COLOURS = ("#d55e00", "#0072b2", "#56b4e9", "#003f5c", "#009e73", "#cc79a7", "#e69f00")
_MARKERS = "o^sDvPX"


@dataclass(frozen=True)
class Ended:
    """Where one rule ended one replay. `work` is the share of all records that was read."""

    file: str
    rule: str
    target: float
    confidence: float
    recall: float
    work: float

    @property
    def missed(self) -> bool:
        return self.recall < self.target


def main() -> int:
    asked = _arguments()
    ended = _kept(asked.kept) if asked.kept else _run(asked)
    if asked.plot:
        asked.plot.write_text(picture(ended))
    return report(ended)


def _run(asked: argparse.Namespace) -> list[Ended]:
    files = [
        read_labelled(path)
        for path in sorted(asked.folder.glob("*.csv.gz"))
        if not path.name.startswith(_NOT_THE_SCREENERS)
    ]
    if asked.sets:
        files = [data for data in files if _name(data.file) in asked.sets]
    targets = tuple(exact_target(text) for text in asked.targets.split(","))
    wanted = Stops(tuple(asked.rules.split(",")), targets, exact_target(asked.confidence))
    team = Team(asked.sensitivity, asked.specificity) if asked.reviewers == 2 else None
    how = How(recipe(asked.model), batch=asked.batch, team=team, stops=wanted)
    tasks = [Task(data, seed) for data in files for seed in asked.seeds]
    ended: list[Ended] = []
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("replays", total=len(tasks))
        for done in run_all(tasks, how, jobs=asked.jobs):
            ended += _ended(done)
            if asked.json:
                with asked.json.open("a") as out:
                    out.write(json.dumps(done.to_json()) + "\n")
            progress.advance(bar)
    return ended


def _kept(paths: Sequence[Path]) -> list[Ended]:
    """Read replays that were kept; each of them once."""
    lines = [json.loads(line) for path in paths for line in path.read_text().splitlines()]
    replays = {(line["file"], line["seed"]): line for line in lines}
    return [
        Ended(
            _name(line["file"]),
            stop["rule"],
            stop["target"],
            stop["confidence"],
            stop["recall"],
            stop["read"] / line["n"],
        )
        for _, line in sorted(replays.items())
        for stop in line["stops"]
    ]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--kept", type=Path, nargs="+", default=[])
    parser.add_argument("--sets", type=lambda text: text.split(","), default=[])
    parser.add_argument("--seeds", type=_seeds, default="1-20")
    parser.add_argument("--rules", default=",".join(RULES))
    parser.add_argument("--targets", default=".8,.9,.95")
    parser.add_argument("--confidence", default=".95")
    parser.add_argument("--model", default="tandem-2-words")
    parser.add_argument("--batch", type=int, default=25)
    parser.add_argument("--reviewers", type=int, choices=(1, 2), default=1)
    parser.add_argument("--sensitivity", type=float, default=0.87)
    parser.add_argument("--specificity", type=float, default=0.97)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--json", type=Path, help="append each replay to this file")
    asked = parser.parse_args()
    if asked.folder is None and not asked.kept:
        parser.error("a folder of labelled files is needed, or --kept")
    return asked


def _seeds(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def _name(file: str) -> str:
    return Path(file).name.split(".")[0]


def _ended(done: Simulation) -> Iterator[Ended]:
    for stop in done.stops:
        name, work = _name(done.file), stop.read / done.n
        yield Ended(name, stop.rule, stop.target, stop.confidence, stop.recall, work)


def report(ended: Sequence[Ended]) -> int:
    """Print a table of all rules and one of the certificate by file; return the exit code."""
    targets = sorted({one.target for one in ended})
    files = list(dict.fromkeys(one.file for one in ended))
    n_seeds = len(ended) // len(files) // len(targets) // len({one.rule for one in ended})
    print(
        f"{len(files)} files × {n_seeds} seeds; % of replays below the target / mean share read\n"
    )
    heads = [f"{target:g}" for target in targets]
    print("| rule | " + " | ".join(heads) + " | files with a miss | lowest recall |")
    print("|---|" + "---|" * (len(heads) + 2))
    for rule in dict.fromkeys(one.rule for one in ended):
        mine = [one for one in ended if one.rule == rule]
        cells = [_cell([one for one in mine if one.target == target]) for target in targets]
        missing = len({one.file for one in mine if one.missed})
        lowest = min(one.recall for one in mine)
        print(f"| `{rule}` | " + " | ".join(cells) + f" | {missing} | {lowest:.0%} |")
    print("\n| file: the certificate | " + " | ".join(heads) + " |\n|---|" + "---|" * len(heads))
    too_often = []
    for file in files:
        cells = []
        for target in targets:
            mine = [
                one
                for one in ended
                if (one.rule, one.file, one.target) == ("certificate", file, target)
            ]
            cells.append(_cell(mine))
            p = _p_of(mine)
            if p < _SIGNIFICANT:
                too_often.append(f"{file} at {target:g}: p = {p:.2g}")
        print(f"| {file} | " + " | ".join(cells) + " |")
    for line in too_often:
        print(f"TOO OFTEN WRONG: {line}")
    return 1 if too_often else 0


def _cell(ended: Sequence[Ended]) -> str:
    missed = fmean(one.missed for one in ended)
    return f"{missed:.1%} / {fmean(one.work for one in ended):.0%}"


def _p_of(ended: Sequence[Ended]) -> float:
    """Return how probable so many misses are, if the confidence holds."""
    if not ended:
        return 1.0
    allowed = 1 - ended[0].confidence
    missed = sum(one.missed for one in ended)
    return float(binomtest(missed, len(ended), allowed, alternative="greater").pvalue)


def picture(ended: Sequence[Ended]) -> str:
    """Draw the recall at each stop against what was read by then, a panel for each target, as SVG.

    A small dot is the mean of a file, a large one that of all files; a stop below the line missed.
    """
    from matplotlib.figure import Figure

    targets = sorted({one.target for one in ended})
    rules = list(dict.fromkeys(one.rule for one in ended))
    figure = Figure(figsize=(3.6 * len(targets), 4.2), layout="constrained")
    axes = figure.subplots(1, len(targets), sharey=True, squeeze=False)[0]
    for target, panel in zip(targets, axes, strict=True):
        panel.axhline(target, color="#000000", linewidth=1)
        for rule, colour, marker in zip(rules, _COLOURS, _MARKERS, strict=False):
            by_file: dict[str, list[Ended]] = {}
            for one in ended:
                if (one.rule, one.target) == (rule, target):
                    by_file.setdefault(one.file, []).append(one)
            x = [fmean(one.work for one in mine) for mine in by_file.values()]
            y = [fmean(one.recall for one in mine) for mine in by_file.values()]
            panel.scatter(x, y, s=9, color=colour, marker=marker, alpha=0.45, linewidth=0)
            panel.scatter(
                fmean(x), fmean(y), s=60, color=colour, marker=marker, edgecolor="#ffffff"
            )
            panel.scatter([], [], s=40, color=colour, marker=marker, label=rule)
        panel.set_title(f"target {target:g}")
        panel.set_xlabel("records read, of all")
        panel.grid(color="#dddddd", linewidth=0.6)
        panel.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("recall where the rule stops")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(rules), frameon=False)
    svg = io.StringIO()
    figure.savefig(svg, format="svg", metadata={"Date": None})
    return svg.getvalue()


if __name__ == "__main__":
    sys.exit(main())
