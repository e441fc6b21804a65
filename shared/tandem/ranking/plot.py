"""Pictures of how well an order served. The only place that imports matplotlib, when asked."""

import io
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tandem.ranking.simulate import Simulation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
"""Okabe and Ito 2008: distinct with any kind of colour vision."""

_DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
"""A second sign beside colour, for print in black; one more or less than the colours, so that
their pairs repeat late."""

_STYLE: dict[Any, Any] = {  # its keys are a type of matplotlib's own
    "svg.hashsalt": "tandem",  # ids are random otherwise, and the same curve another file
    "svg.fonttype": "none",  # text stays text: it can be searched, read aloud and translated
    "font.family": "sans-serif",
    "font.size": 10,
}


def recall_curve(simulations: Sequence[Simulation]) -> str:
    """Draw recall against the share of records read, as SVG; equal input gives equal text.

    Beside the curves stand what reading at random would give, and the perfect order of the
    first simulation.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(7, 4.5), layout="constrained")
        axes = figure.add_subplot()
        _draw_references(axes, simulations[0])
        for simulation, colour, dashes in zip(
            simulations, cycle(_COLOURS), cycle(_DASHES), strict=False
        ):
            axes.step(
                *_corners(simulation.found_at, simulation.n_ordered),
                where="post",
                color=colour,
                linestyle=dashes,
                linewidth=1.8,
                label=f"{Path(simulation.file).name}, seed {simulation.seed}",
            )
        _label(axes)
        svg = io.StringIO()
        figure.savefig(svg, format="svg", metadata={"Date": None})
    return svg.getvalue()


def _corners(found_at: Sequence[int], n: int) -> tuple[list[float], list[float]]:
    """Return where recall rises, and a last point at the end: shares of records and of finds."""
    x = [0.0, *(place / n for place in found_at), 1.0]
    y = [0.0, *(found / len(found_at) for found in range(1, len(found_at) + 1)), 1.0]
    return x, y


def _draw_references(axes: "Axes", simulation: Simulation) -> None:
    axes.plot([0, 1], [0, 1], color="#777777", linewidth=1, linestyle=":", label="at random")
    perfect = len(simulation.found_at) / simulation.n_ordered
    name = f"perfect order, {Path(simulation.file).name}"
    axes.plot([0, perfect, 1], [0, 1, 1], color="#000000", linewidth=1, label=name)


def _label(axes: "Axes") -> None:
    from matplotlib.ticker import PercentFormatter

    axes.set_xlabel("records read")
    axes.set_ylabel("relevant records found")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower right", frameon=False)
