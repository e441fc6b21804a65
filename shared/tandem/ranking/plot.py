"""Pictures of how well an order served."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tandem.drawing import COLOURS, DASHES, as_svg, style
from tandem.ranking.simulate import Simulation
from tandem.ranking.simulate_team import TeamSimulation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_THICK, _THIN, _FAINT = 1.8, 0.6, 0.45
"""Widths in points of the line of a file and of one of its seeds, and how opaque that is."""

_MOST_INSIDE, _MOST_NAMED = 8, 20
"""Files that a legend within the axes can name, and one beside them."""

_GRID = [step / 1000 for step in range(1001)]
"""Where the mean of several seeds is taken, as shares of the work."""


def recall_curve(simulations: Sequence[Simulation]) -> str:
    """Draw recall against the share of the work done, as SVG; equal input gives equal text.

    Work is records read; with two reviewers it is decisions, of those that reading everything
    twice takes, and recall is of what that finds. Each file has a colour; where it was replayed
    with several seeds, each seed has a thin line and their mean a thick one. Beside them stands
    what a random order would give and, for a single file, a perfect one.

    Args:
        simulations: At least one; all by as many reviewers.
    """
    from matplotlib.figure import Figure

    by_file: dict[str, list[Simulation]] = {}
    for simulation in simulations:
        by_file.setdefault(simulation.file, []).append(simulation)
    with style():
        is_long = len(by_file) > _MOST_INSIDE
        figure = Figure(figsize=(10 if is_long else 7, 4.5), layout="constrained")
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color="#777777", linewidth=1, linestyle=":", label="at random")
        if len(by_file) == 1:
            _draw_perfect(axes, simulations[0])
        for place, ((file, runs), colour, dashes) in enumerate(
            zip(by_file.items(), cycle(COLOURS), cycle(DASHES), strict=False)
        ):
            name = _name(file, runs) if place < _MOST_NAMED else "_"
            _draw_runs(axes, runs, colour, dashes, name)
        if len(by_file) > _MOST_NAMED:
            axes.plot([], [], " ", label=f"and {len(by_file) - _MOST_NAMED} more files")
        _label(axes, simulations[0], beside=is_long)
        return as_svg(figure)


def _name(file: str, runs: Sequence[Simulation]) -> str:
    name = Path(file).name.removesuffix(".gz").removesuffix(".csv")
    if len(runs) == 1:
        return f"{name}, seed {runs[0].seed}"
    return f"{name}, mean of {len(runs)} seeds"


def _draw_runs(
    axes: "Axes", runs: Sequence[Simulation], colour: str, dashes: Any, name: str
) -> None:
    curves = [_curve(run) for run in runs]
    only = len(curves) == 1
    for x, y in curves:
        axes.step(
            x,
            y,
            where="post",
            color=colour,
            linestyle=dashes if only else "-",
            linewidth=_THICK if only else _THIN,
            alpha=1 if only else _FAINT,
            label=name if only else "_",
        )
    if not only:
        axes.plot(
            _GRID, _mean(curves), color=colour, linestyle=dashes, linewidth=_THICK, label=name
        )


def _curve(simulation: Simulation) -> tuple[list[float], list[float]]:
    """Return where recall rises, and a last point at the end: shares of work and of finds."""
    places, whole = _work(simulation)
    x = [0.0, *(place / whole for place in places), 1.0]
    y = [0.0, *(found / len(places) for found in range(1, len(places) + 1)), 1.0]
    return x, y


def _work(simulation: Simulation) -> tuple[list[int], int]:
    """Return what had been spent at each find, and what all of it would take."""
    if isinstance(simulation, TeamSimulation):
        return simulation.decisions_at, simulation.decisions_double
    return simulation.found_at, simulation.n_ordered


def _mean(curves: Sequence[tuple[list[float], list[float]]]) -> list[float]:
    """Return the mean height of the curves at each point of `_GRID`."""
    heights = [[y[bisect_right(x, at) - 1] for at in _GRID] for x, y in curves]
    return [sum(column) / len(column) for column in zip(*heights, strict=True)]


def _draw_perfect(axes: "Axes", simulation: Simulation) -> None:
    perfect = len(simulation.found_at) / simulation.n_ordered
    axes.plot([0, perfect, 1], [0, 1, 1], color="#000000", linewidth=1, label="perfect order")


def _label(axes: "Axes", simulation: Simulation, *, beside: bool) -> None:
    from matplotlib.ticker import PercentFormatter

    if isinstance(simulation, TeamSimulation):
        axes.set_xlabel("decisions spent, of reading everything twice")
        axes.set_ylabel("included, of what that finds")
    else:
        axes.set_xlabel("records read")
        axes.set_ylabel("relevant records found")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    if beside:
        axes.figure.legend(loc="outside right upper", frameon=False, fontsize=8)
    else:
        axes.legend(loc="lower right", frameon=False)
