"""What benchmarks of several sizes have found: a table and a picture, with exponents of N."""

import io
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from matplotlib import colormaps
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

_STYLES = {"postgresql": "--", "features alone": ":"}
"""Of lines, by engine."""


@dataclass
class Size:
    """What one size of review took: by step, seconds, processor seconds, MiB at the peak."""

    n_records: int
    engine: str
    steps: dict[str, dict[str, float]] = field(default_factory=dict)

    def to_json(self) -> str:
        return json.dumps({"records": self.n_records, "engine": self.engine, "steps": self.steps})


def show(sizes: list[Size]) -> None:
    """Print a table, with the exponent of N where there are several sizes of one engine."""
    title = "seconds (processor seconds; MiB of the largest process)"
    table = Table(title=title, title_justify="left")
    engines = dict.fromkeys(size.engine for size in sizes)
    grows = [f"grows as N to the, {engine}" for engine in engines]
    for name in ("", *(f"{size.n_records:,} {size.engine}" for size in sizes), *grows):
        table.add_column(name, justify="right" if name else "left")
    for step in dict.fromkeys(step for size in sizes for step in size.steps):
        cells = [_cell(size.steps.get(step, {})) for size in sizes]
        slopes = [
            _shown(exponent([size for size in sizes if size.engine == engine], step, cost))
            for engine in engines
        ]
        table.add_row(step, *cells, *slopes)
    Console(width=200).print(table)


def _cell(figures: dict[str, float]) -> str:
    if "database" in figures:
        return ", ".join(f"{name} {mib:.0f} MiB" for name, mib in figures.items())
    if not figures:
        return ""
    cpu, mib = processor(figures), memory(figures)
    beside = f" ({cpu:.0f}; {mib:.0f})" if cpu is not None and mib is not None else ""
    ranking = f", ranking {figures['ranking']:.1f}" if "ranking" in figures else ""
    seconds = figures.get("seconds")
    return f"{'' if seconds is None else f'{seconds:.3g}'}{ranking}{beside}"


Figure_ = Callable[[dict[str, float]], float | None]
"""A figure of a step; None where the step has none."""


def processor(figures: dict[str, float]) -> float | None:
    """Return the processor seconds of all processes."""
    found = [value for name, value in figures.items() if name.endswith("CPU")]
    return sum(found) if found else None


def memory(figures: dict[str, float]) -> float | None:
    """Return the MiB that the worker's largest process has had at the most."""
    return figures.get("worker MiB", figures.get("MiB"))


def request(figures: dict[str, float]) -> float | None:
    """Return the seconds of a request."""
    return figures.get("seconds") if processor(figures) is None else None


def cost(figures: dict[str, float]) -> float | None:
    """Return the processor seconds of a step, or the seconds of a request."""
    return request(figures) or processor(figures)


def exponent(sizes: list[Size], step: str, figure: Figure_) -> float | None:
    """Return the slope of the logarithms of a figure by those of N; None with less than two."""
    known = [
        (math.log(size.n_records), math.log(found))
        for size in sizes
        if (found := figure(size.steps.get(step, {})))
    ]
    if len({n for n, _ in known}) < 2:
        return None
    middle, level = (sum(one) / len(known) for one in zip(*known, strict=True))
    rise = sum((n - middle) * (y - level) for n, y in known)
    return float(rise / sum((n - middle) ** 2 for n, _ in known))


def _shown(slope: float | None) -> str:
    return "" if slope is None else f"{slope:.2f}"


def drawn(sizes: list[Size]) -> str:
    """Return a picture: processor time, memory, and seconds of requests by N, as SVG."""
    picture = Figure(figsize=(13, 7), layout="constrained")
    panels = {
        "processor seconds": processor,
        "MiB, largest process of the worker": memory,
        "seconds of a request": request,
    }
    for axes, (label, figure) in zip(picture.subplots(1, 3), panels.items(), strict=True):
        for engine in dict.fromkeys(size.engine for size in sizes):
            of = sorted(
                (size for size in sizes if size.engine == engine), key=lambda size: size.n_records
            )
            for step in dict.fromkeys(step for size in of for step in size.steps):
                _line(axes, of, step, figure)
        axes.set(xlabel="records", ylabel=label, xscale="log", yscale="log")
        axes.grid(color="#dddddd")
        axes.legend(
            loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2, frameon=False, fontsize=6
        )
    svg = io.StringIO()
    picture.savefig(svg, format="svg", metadata={"Date": None})
    return svg.getvalue()


def _line(axes: Any, sizes: list[Size], step: str, figure: Figure_) -> None:
    known = [
        (size.n_records, found) for size in sizes if (found := figure(size.steps.get(step, {})))
    ]
    if known:
        slope, engine = _shown(exponent(sizes, step, figure)), sizes[0].engine
        axes.plot(
            *zip(*known, strict=True),
            marker="o",
            markersize=3,
            linestyle=_STYLES.get(engine, "-"),
            color=colormaps["tab20"](len(axes.lines) % 20),
            label=f"{step}, {engine}" + (f": N^{slope}" if slope else ""),
        )
