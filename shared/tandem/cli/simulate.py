"""`tandem simulate`: how the ranking would have served on a review that is finished."""

import json
import os
import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tandem.errors import TandemError
from tandem.ranking import recipes
from tandem.ranking.recipes import DEFAULT_MODEL, Recipe, UnknownModel

if TYPE_CHECKING:
    from tandem.ranking.simulate import Simulation
    from tandem.ranking.simulate_screening import Team
    from tandem.ranking.simulate_stops import Stops

# What computes and what draws is imported where it is used: `tandem --help` must not wait for it.

_LARGEST_SEED = 2**32 - 1
_MOST_SEEDS = 10_000


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
        list[str],
        typer.Option(
            metavar="S|S-T",
            default_factory=lambda: ["1"],
            show_default="1",
            help="Draws the records known at the start; repeat it, or give a range such as 1-5.",
        ),
    ],
    prior: Annotated[
        str, typer.Option(metavar="R+I", help="Relevant + irrelevant records known at the start.")
    ] = "1+1",
    batch: Annotated[
        int, typer.Option(min=1, help="Train again after this many labels or decisions.")
    ] = 1,
    reviewers: Annotated[
        int,
        typer.Option(min=1, max=2, help="2: two independent reviewers who err, and their queue."),
    ] = 1,
    sensitivity: Annotated[
        float | None,
        typer.Option(
            help="Of two reviewers: share of relevant records that each includes, in (0, 1].",
            show_default="1",
        ),
    ] = None,
    specificity: Annotated[
        float | None,
        typer.Option(
            help="Of two reviewers: share of irrelevant records that each excludes, in (0, 1].",
            show_default="1",
        ),
    ] = None,
    learns_from: Annotated[
        str | None,
        typer.Option(
            metavar="settled|all",
            help="With two reviewers: which records teach the ranking, as in the review's policy.",
            show_default="the policy's default",
        ),
    ] = None,
    stop: Annotated[
        str | None,
        typer.Option(
            metavar="RULE[,RULE...]",
            help="Also print where rules would have stopped: certificate, run-N (N records in a "
            "row without an include), share-P (P % of all in a row), knee, hypergeometric.",
            show_default=False,
        ),
    ] = None,
    target: Annotated[
        str, typer.Option(metavar="T[,T...]", help="Recalls that the rules aim at, in (0, 1).")
    ] = "0.9",
    confidence: Annotated[
        str, typer.Option(metavar="C", help="Confidence that they aim at, in (0, 1).")
    ] = "0.95",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per file and seed.")
    ] = False,
    plot: Annotated[
        Path | None, typer.Option(help="Write the recall curves to this SVG file.")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Replays at once.", show_default="number of processors"),
    ] = None,
) -> None:
    """Replay finished reviews through the ranking, until the last relevant record is found.

    With two reviewers: until they have found all that reading everything twice finds.
    """
    recipe, priors, seeds = _recipe(model), _priors(prior), _seeds(seed)
    team = _team(reviewers, sensitivity, specificity, learns_from)
    stops = None if stop is None else _stops(stop, target, confidence)
    if plot is not None and (plot.is_dir() or not plot.absolute().parent.is_dir()):
        raise typer.BadParameter(f"{plot} is no place for a file.", param_hint="--plot")
    from tandem.cli.simulate_output import bar_over_all, encode_ahead, print_stops, print_table
    from tandem.ranking.simulate import uses_sentences
    from tandem.ranking.simulate_files import read_labelled
    from tandem.ranking.simulate_many import run_all, to_find
    from tandem.ranking.simulate_workers import How, Task

    how = How(recipe, priors, batch, team=team, stops=stops)
    # All files first: a wrong name should not wait for the replay of the others.
    labelled = [read_labelled(file) for file in files]
    tasks = [Task(data, one) for data in labelled for one in seeds]
    n_to_find = [to_find(task, how) for task in tasks]
    if uses_sentences(recipe):
        encode_ahead(labelled)
    done = []
    with bar_over_all(n_to_find, of="records" if team is None else "decisions") as bar:
        results = run_all(tasks, how, jobs=jobs or _n_processors(), on_progress=bar.update)
        # Closed at once, whatever happens here: that ends the processes.
        with closing(results):
            for result in results:
                done.append(result)
                if as_json:
                    with bar.aside():
                        typer.echo(json.dumps(result.to_json(), allow_nan=False))
    if not as_json:
        print_table(done)
        if stops is not None:
            print_stops(done)
    if plot is not None:
        _write_plot(done, plot)


def _recipe(name: str) -> Recipe:
    try:
        return recipes.recipe(name)
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


def _seeds(given: Sequence[str]) -> list[int]:
    ranges = [_seed_range(text) for text in given]
    if sum(map(len, ranges)) > _MOST_SEEDS:
        raise typer.BadParameter(f"No more than {_MOST_SEEDS} seeds.", param_hint="--seed")
    return [seed for one in ranges for seed in one]


def _seed_range(text: str) -> range:
    ends = re.fullmatch(r"([0-9]{1,10})(?:-([0-9]{1,10}))?", text)
    seeds = range(int(ends[1]), int(ends[2] or ends[1]) + 1) if ends else range(0)
    if not seeds or seeds[-1] > _LARGEST_SEED:
        raise typer.BadParameter(
            f"{text!r} should be a whole number from 0 to {_LARGEST_SEED}, or a range such as 1-5.",
            param_hint="--seed",
        )
    return seeds


def _team(
    reviewers: int, sensitivity: float | None, specificity: float | None, learns_from: str | None
) -> "Team | None":
    """Return two reviewers and the rules they work by; None for a single reviewer."""
    if learns_from not in (None, "settled", "all"):
        raise typer.BadParameter(
            f"{learns_from!r} should be settled or all.", param_hint="--learns-from"
        )
    if reviewers == 1 and learns_from is not None:
        raise typer.BadParameter(
            "Each decision of a single reviewer settles a record; this needs --reviewers 2.",
            param_hint="--learns-from",
        )
    rates = _rates(reviewers, sensitivity, specificity)
    if rates is None:
        return None
    from tandem.ranking.simulate_screening import Team
    from tandem.reviews.policy import changed

    team = Team(*rates)
    if learns_from is None:
        return team
    return replace(team, policy=changed(team.policy, {"ranking_learns_from": learns_from}))


def _stops(names: str, targets: str, confidence: str) -> "Stops":
    """Return the rules to follow, each looked at before anything is read."""
    from tandem.ranking.simulate_stops import Stops
    from tandem.stopping.rules import UnknownRule, check_names

    aims = tuple(_share(text, "--target") for text in targets.split(","))
    sure = _share(confidence, "--confidence")
    rules = tuple(name.strip() for name in names.split(","))
    try:
        check_names(rules)
    except UnknownRule as error:
        raise typer.BadParameter(str(error), param_hint="--stop") from None
    return Stops(rules, aims, sure)


def _share(text: str, option: str) -> Fraction:
    from tandem.stopping.certificate import exact_target

    try:
        return exact_target(text.strip())
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} should be a number between 0 and 1, such as 0.9.", param_hint=option
        ) from None


def _rates(
    reviewers: int, sensitivity: float | None, specificity: float | None
) -> tuple[float, float] | None:
    """Return the sensitivity and specificity of two reviewers; None for a single one."""
    for name, rate in (("--sensitivity", sensitivity), ("--specificity", specificity)):
        if rate is None:
            continue
        if reviewers == 1:
            raise typer.BadParameter(
                "A single reviewer is replayed without errors; this needs --reviewers 2.",
                param_hint=name,
            )
        if not 0 < rate <= 1:
            raise typer.BadParameter(f"{rate} is not in (0, 1].", param_hint=name)
    if reviewers == 1:
        return None
    return 1.0 if sensitivity is None else sensitivity, 1.0 if specificity is None else specificity


def _n_processors() -> int:
    """Return how many processors this process may use; fewer than there are in a container."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _write_plot(simulations: "Sequence[Simulation]", path: Path) -> None:
    from tandem.ranking.plot import recall_curve

    try:
        path.write_text(recall_curve(simulations), encoding="utf-8")
    except OSError as error:
        raise UnwritableFile(f"{path} cannot be written: {error.strerror}.") from error
