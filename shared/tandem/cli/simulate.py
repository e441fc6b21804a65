"""`tandem simulate`: how the ranking would have served on a review that is finished."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tandem.errors import TandemError
from tandem.ranking.presets import DEFAULT_MODEL, Preset, UnknownModel, preset

if TYPE_CHECKING:
    from rich.console import Console

    from tandem.ranking.simulate import Labelled, Simulation

# What computes and what draws is imported where it is used: `tandem --help` must not wait for it.

_LARGEST_SEED = 2**32 - 1

_FIGURES = ("seed", "R", "N", "loss", "NDCG", "WSS95", "TNR95", "@10%", "@20%", "last", "time")


class UnwritableFile(TandemError):
    """A result cannot be written where it was asked for."""

    code = "unwritable_file"


def simulate(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Screened records: CSV or CSV.GZ with title, abstract and label_included (0, 1).",
            show_default=False,
        ),
    ],
    *,
    model: Annotated[str, typer.Option(help="Recipe of the ranking.")] = DEFAULT_MODEL,
    seed: Annotated[
        list[int],
        typer.Option(
            min=0,
            max=_LARGEST_SEED,
            default_factory=lambda: [1],
            show_default="1",
            help="Draws the records known at the start; repeat it for several runs.",
        ),
    ],
    prior: Annotated[
        str, typer.Option(metavar="R+I", help="Relevant + irrelevant records known at the start.")
    ] = "1+1",
    batch: Annotated[int, typer.Option(min=1, help="Train again after this many labels.")] = 1,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per file and seed.")
    ] = False,
    plot: Annotated[
        Path | None, typer.Option(help="Write the recall curves to this SVG file.")
    ] = None,
) -> None:
    """Replay finished reviews through the ranking, until the last relevant record is found."""
    recipe, priors = _recipe(model), _priors(prior)
    if plot is not None and (plot.is_dir() or not plot.absolute().parent.is_dir()):
        raise typer.BadParameter(f"{plot} is no place for a file.", param_hint="--plot")
    from rich.console import Console

    from tandem.ranking.simulate import read_labelled

    # All files first: a wrong name should not wait for the replay of the others.
    labelled = [read_labelled(file) for file in files]
    done = []
    for data in labelled:
        for one_seed in seed:
            result = _run(data, recipe, one_seed, priors, batch, Console(stderr=True))
            done.append(result)
            if as_json:
                typer.echo(json.dumps(result.to_json(), allow_nan=False))
    if not as_json:
        _print_table(done, Console())
    if plot is not None:
        _write_plot(done, plot)


def _recipe(name: str) -> Preset:
    try:
        return preset(name)
    except UnknownModel as error:
        raise typer.BadParameter(str(error), param_hint="--model") from None


def _priors(text: str) -> tuple[int, int]:
    numbers = re.fullmatch(r"([0-9]{1,6})\+([0-9]{1,6})", text)
    if numbers is None:
        raise typer.BadParameter(
            f"{text!r} should be two numbers, RELEVANT+IRRELEVANT, such as 1+1 or 0+0.",
            param_hint="--prior",
        )
    return int(numbers[1]), int(numbers[2])


def _run(
    data: "Labelled",
    recipe: Preset,
    seed: int,
    priors: tuple[int, int],
    batch: int,
    console: "Console",
) -> "Simulation":
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from tandem.ranking.simulate import simulate as replay

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("relevant found in {task.fields[read]} read"),
        TimeElapsedColumn(),
    )
    to_find = int(data.labels.sum()) - priors[0]
    title = f"{Path(data.file).name}, seed {seed}"
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task(title, total=to_find, read=0)
        return replay(
            data,
            recipe,
            seed=seed,
            priors=priors,
            batch=batch,
            on_progress=lambda read, found: progress.update(task, completed=found, read=read),
        )


def _print_table(simulations: "Sequence[Simulation]", console: "Console") -> None:
    from rich import box
    from rich.table import Table

    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        show_edge=False,
        caption="R of N records are relevant; @10% is the share of them found in the first 10 % "
        "read; last is where the last one was found. Priors are in none of it but R and N.",
        caption_justify="left",
    )
    table.add_column("file", overflow="fold")
    for heading in _FIGURES:
        table.add_column(heading, justify="right", no_wrap=True)
    for done in simulations:
        table.add_row(
            Path(done.file).name.removesuffix(".gz").removesuffix(".csv"),
            *(str(count) for count in (done.seed, done.n_relevant, done.n)),
            *(f"{value:.3f}" for value in (done.loss, done.ndcg, done.wss_95, done.tnr_95)),
            *(f"{value:.0%}" for value in (done.recall_10, done.recall_20)),
            str(done.last_relevant),
            f"{done.seconds:.1f}s",
        )
    console.print(table)


def _write_plot(simulations: "Sequence[Simulation]", path: Path) -> None:
    from tandem.ranking.plot import recall_curve

    try:
        path.write_text(recall_curve(simulations), encoding="utf-8")
    except OSError as error:
        raise UnwritableFile(f"{path} cannot be written: {error.strerror}.") from error
