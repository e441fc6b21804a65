"""How much less is read with our ranking than with the strongest peer's, and how sure that is.

Usage: benchmarks/ranking.py DIR [--models elas-u4,tandem-3-words,tandem-4] [--seeds 1-5]
       [--batch 10] [--sets A,B] [--plot ranking.svg] [--asreview-python VENV/bin/python]

Every labelled file of DIR is replayed with each model and seed: the same known records at the
start, trained again after the same number of labels. The data set is the unit: figures are means
over seeds, ratios are geometric means over sets, always against the first model.

What reviews usually include is learnt again for each set, without it and those of its family: the
table that comes with the product has seen all of DIR.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from scipy.stats import wilcoxon

from prior_model import field, unseen
from tandem.ranking import sentences
from tandem.ranking.presets import Preset
from tandem.ranking.recipes import recipe
from tandem.ranking.simulate_files import Labelled, read_labelled
from tandem.ranking.simulate_many import run_all
from tandem.ranking.simulate_workers import How, Task

ASREVIEW = "asreview"
_SIMULATOR = Path("shared/tools/asreview_sim.py")
_RESAMPLES = 10_000


@dataclass(frozen=True)
class Run:
    """The figures of one replay that are compared."""

    loss: float
    tnr_95: float
    recall_10: float
    last: float
    seconds_per_retrain: float


@dataclass(frozen=True)
class Against:
    """A model against the first, over sets.

    Attributes:
        ratio: Geometric mean of the loss ratios; with `low` and `high` its 95 % interval, by
            resampling sets.
        wins: Share of sets with a smaller loss.
        worst: The largest loss ratio.
        p: Of the paired Wilcoxon signed-rank test of the logarithms of the losses.
    """

    ratio: float
    low: float
    high: float
    wins: float
    worst: float
    p: float


def main() -> int:
    asked = _arguments()
    console = Console(width=None if sys.stdout.isatty() else 130)
    files = [read_labelled(path) for path in labelled_files(asked.folder, asked.sets)]
    models = [*asked.models, *([ASREVIEW] if asked.asreview_python else [])]
    asks_for_sentences = any(recipe(model).sentences for model in asked.models)
    if asks_for_sentences and not sentences.is_installed():
        console.print("[yellow]Sentence vectors are left out here: all models go by words alone.")
    results = {
        model: _asreview(files, asked) if model == ASREVIEW else _ours(model, files, asked)
        for model in models
    }
    _print_sets(console, files, results)
    _print_fields(console, files, results)
    _print_summary(console, results, asked)
    if asked.plot:
        asked.plot.write_text(_picture([set_name(data) for data in files], results))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--models", type=lambda text: text.split(","), default="elas-u4,tandem-3-words,tandem-4"
    )
    parser.add_argument("--seeds", type=seed_range, default="1-5")
    parser.add_argument("--batch", type=int, default=10)
    parser.add_argument("--sets", type=lambda text: text.split(","), default=[])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--asreview-python", type=Path)
    return parser.parse_args()


def seed_range(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def labelled_files(folder: Path, sets: Sequence[str]) -> list[Path]:
    found = sorted([*folder.glob("*.csv.gz"), *folder.glob("*.csv")])
    wanted = [path for path in found if path.name != "INDEX.csv"]
    if sets:
        wanted = [path for path in wanted if path.name.split(".")[0] in sets]
    if not wanted:
        sys.exit(f"There is no labelled file in {folder}.")
    return wanted


def set_name(data: Labelled) -> str:
    return Path(data.file).name.split(".")[0]


def _ours(model: str, files: Sequence[Labelled], asked: argparse.Namespace) -> list[list[Run]]:
    if recipe(model).sentences and sentences.is_installed():
        for data in files:  # once, before the processes ask for it at the same time
            sentences.encode_once(data.texts)
    runs = []
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(model, total=len(files) * len(asked.seeds))
        for tasks, how in _replays(model, files, asked):
            for done in run_all(tasks, how, jobs=asked.jobs):
                n = done.n_ordered
                each = done.seconds / max(1, done.retrains)
                last = done.last_relevant / n
                runs.append(Run(done.loss, done.tnr_95, done.recall_10, last, each))
                progress.advance(bar)
    return _by_file(runs, len(asked.seeds))


def _replays(
    model: str, files: Sequence[Labelled], asked: argparse.Namespace
) -> Iterator[tuple[list[Task], How]]:
    """Yield what can be replayed together: all, or what has one table of other reviews."""
    preset = recipe(model)
    if not (isinstance(preset, Preset) and preset.prior_model):
        tasks = [Task(data, seed) for data in files for seed in asked.seeds]
        yield tasks, How(preset, batch=asked.batch)
        return
    everything = [read_labelled(path) for path in labelled_files(asked.folder, ())]
    for data in files:
        how = How(unseen(preset, data, everything), batch=asked.batch)
        yield [Task(data, seed) for seed in asked.seeds], how


def _asreview(files: Sequence[Labelled], asked: argparse.Namespace) -> list[list[Run]]:
    simulator = asked.folder.resolve().parents[1] / _SIMULATOR.relative_to("shared")
    runs = []
    for data in files:
        for seed in asked.seeds:
            command = [asked.asreview_python, simulator, data.file, "--seed", str(seed)]
            command += ["--n-query", str(asked.batch), "--quiet-ranks"]
            done = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
            n, wanted = done["n_scored"], done["n_relevant_scored"]
            needed = int(np.ceil(round(0.95 * wanted, 9)))
            runs.append(
                Run(
                    done["loss"],
                    1 - (done["n_read_95"] - needed) / (n - wanted),
                    done["recall@10%"],
                    done["n_read_100"] / n,
                    done["wall_s"] / max(1, done["cycles"]),
                )
            )
    return _by_file(runs, len(asked.seeds))


def _by_file(runs: list[Run], n_seeds: int) -> list[list[Run]]:
    return [runs[start : start + n_seeds] for start in range(0, len(runs), n_seeds)]


def _mean(results: list[list[Run]], figure: str) -> NDArray[np.float64]:
    return np.array([np.mean([getattr(run, figure) for run in runs]) for runs in results])


def against(losses: NDArray[np.float64], base: NDArray[np.float64]) -> Against:
    """Compare the mean losses of sets, pairwise."""
    logs = np.log(losses / base)
    draws = np.random.default_rng(1).choice(logs, (_RESAMPLES, logs.size)).mean(axis=1)
    low, high = np.exp(np.percentile(draws, [2.5, 97.5]))
    p = wilcoxon(logs).pvalue if logs.size > 1 and np.any(logs) else 1.0
    return Against(
        float(np.exp(logs.mean())),
        float(low),
        float(high),
        float(np.mean(logs < 0)),
        float(np.exp(logs.max())),
        float(p),
    )


def _print_sets(
    console: Console, files: Sequence[Labelled], results: dict[str, list[list[Run]]]
) -> None:
    table = Table(title="Mean loss of each set; in brackets against the first model")
    table.add_column("set")
    table.add_column("relevant", justify="right")
    for model in results:
        table.add_column(model, justify="right")
    base = _mean(next(iter(results.values())), "loss")
    for row, data in enumerate(files):
        losses = [float(_mean(runs, "loss")[row]) for runs in results.values()]
        table.add_row(
            set_name(data),
            f"{int(data.labels.sum())} of {len(data.texts)}",
            *(f"{loss:.4f} ({loss / base[row]:.2f})" for loss in losses),
        )
    console.print(table)


def _print_fields(
    console: Console, files: Sequence[Labelled], results: dict[str, list[list[Run]]]
) -> None:
    table = Table(title="By field of study: loss ratio, its worst, and what TNR@95 gains in points")
    table.add_column("field")
    table.add_column("sets", justify="right")
    models = [*results][1:]
    for model in models:
        table.add_column(model, justify="right")
    fields = np.array([field(data) for data in files])
    first = next(iter(results.values()))
    for name in dict.fromkeys(fields.tolist()):
        of = fields == name
        cells = []
        for model in models:
            found = against(_mean(results[model], "loss")[of], _mean(first, "loss")[of])
            gain = 100 * (_mean(results[model], "tnr_95") - _mean(first, "tnr_95"))[of].mean()
            cells.append(f"{found.ratio:.3f} ({found.worst:.2f}) {gain:+.1f}")
        table.add_row(name, str(int(of.sum())), *cells)
    console.print(table)


def _print_summary(
    console: Console, results: dict[str, list[list[Run]]], asked: argparse.Namespace
) -> None:
    seeds = f"seeds {asked.seeds.start} to {asked.seeds.stop - 1}"
    table = Table(title=f"{seeds}, trained again after {asked.batch} labels")
    for heading in ("model", "loss ratio (95 %)", "sets won", "worst", "p", "TNR@95", "@10 %",
                    "last relevant", "per retrain"):  # fmt: skip
        table.add_column(heading, justify="right" if heading != "model" else "left")
    for row in _summary(results):
        table.add_row(*row)
    console.print(table)


def _summary(results: dict[str, list[list[Run]]]) -> Iterator[list[str]]:
    first = next(iter(results.values()))
    for model, runs in results.items():
        figures = [_mean(runs, name).mean() for name in ("tnr_95", "recall_10", "last")]
        seconds = _mean(runs, "seconds_per_retrain").mean()
        shown = [f"{figure:.1%}" for figure in figures] + [f"{1000 * seconds:.0f} ms"]
        if runs is first:
            yield [model, "1", "", "", "", *shown]
            continue
        found = against(_mean(runs, "loss"), _mean(first, "loss"))
        yield [
            model,
            f"{found.ratio:.3f} ({found.low:.3f} to {found.high:.3f})",
            f"{found.wins:.0%}",
            f"{found.worst:.2f}",
            f"{found.p:.3f}",
            *shown,
        ]


def _picture(names: Sequence[str], results: dict[str, list[list[Run]]]) -> str:
    """Draw each set's loss ratio, as SVG: left of the line less was read."""
    import io

    from matplotlib.figure import Figure

    base = _mean(next(iter(results.values())), "loss")
    figure = Figure(figsize=(7, 1 + 0.3 * len(names)), layout="constrained")
    axes = figure.add_subplot()
    for (model, runs), marker in zip([*results.items()][1:], "os^D", strict=False):
        axes.scatter(_mean(runs, "loss") / base, range(len(names)), marker=marker, label=model)
    axes.axvline(1, color="#000000", linewidth=1)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel(f"loss, relative to {next(iter(results))} (smaller is better)")
    axes.grid(axis="x", color="#dddddd")
    axes.legend(frameon=False)
    svg = io.StringIO()
    figure.savefig(svg, format="svg", metadata={"Date": None})
    return svg.getvalue()


if __name__ == "__main__":
    sys.exit(main())
