"""A picture of stopping: what was found above, the evidence of the audit below."""

import math
from typing import TYPE_CHECKING

from tandem.drawing import COLOURS, as_svg, style
from tandem.stopping import counting
from tandem.stopping.certificate import bad_total
from tandem.stopping.display import Display
from tandem.stopping.states import Shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GREY, _GRID = "#777777", "#dddddd"


def stopping_plot(found: Display, audit: Shown | None) -> str:
    """Draw includes against settled records and, of an audit, e against draws; as SVG.

    Equal input gives equal text.
    """
    from matplotlib.figure import Figure

    title = f"Included so far: {found.n_included:,} of {found.n_settled:,} settled"
    with style():
        if audit is None:
            canvas = Figure(figsize=(7, 3.8), layout="constrained")
            upper = canvas.subplots()
        else:
            canvas = Figure(figsize=(7, 6), layout="constrained")
            upper, lower = canvas.subplots(2, 1, height_ratios=(3, 2))
            _draw_evidence(lower, audit)
        _draw_found(upper, found)
        upper.set_title(title, fontsize=11)
        return as_svg(canvas, title=title, description=_in_words(found, audit))


def _draw_found(axes: "Axes", found: Display) -> None:
    x = [0, *found.reading.found_at, found.n_settled]
    y = [0, *range(1, found.n_included + 1), found.n_included]
    axes.step(x, y, where="post", color=COLOURS[0], linewidth=2)
    axes.set_xlim(0, max(1, found.n_records))
    axes.set_ylim(0, max(1, found.n_included) * 1.08)
    axes.set_xlabel("records settled, in the order in which they came to be")
    axes.set_ylabel("included")
    axes.grid(color=_GRID, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_evidence(axes: "Axes", audit: Shown) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("records drawn at random")
    axes.set_ylabel("evidence e")
    steps = counting.steps(audit.audit, audit.ledger, log_carried=audit.now.log_carried)
    values = [max(math.exp(audit.now.log_carried), 1e-6), *(max(step.e, 1e-6) for step in steps)]
    colour = _GREY if audit.now.is_provisional else COLOURS[2]
    axes.step(range(len(values)), values, where="post", color=colour, linewidth=2)
    hits = [place for place, step in enumerate(steps, start=1) if step.drawn.is_include]
    axes.scatter(
        hits, [values[place] for place in hits], facecolors="none", edgecolors=COLOURS[1], zorder=3
    )
    axes.plot(*_without_finds(audit, len(steps), values[-1]), color=_GREY, linestyle=":")
    axes.axhline(audit.now.needed, color=COLOURS[1], linewidth=1)
    axes.set_yscale("log")
    axes.grid(color=_GRID, linewidth=0.6)


def _without_finds(audit: Shown, n_draws: int, e: float) -> tuple[list[float], list[float]]:
    """Return how e goes on if no draw is an include."""
    now = audit.now
    k = bad_total(now.found, now.target) - now.found
    x, y = [float(n_draws)], [e]
    for drawn in range(now.draws_to_go):
        pool = now.pool - drawn
        if pool <= k:
            break
        x.append(x[-1] + 1)
        y.append(y[-1] * pool / (pool - k))
    return x, y


def _in_words(found: Display, audit: Shown | None) -> str:
    words = (
        f"{found.n_included} of {found.n_settled} settled records are included; "
        f"{found.reading.run_since_include} were settled since the last include."
    )
    if audit is None:
        return f"{words} No audit is registered."
    now = audit.now
    return (
        f"{words} {now.n_draws} records were drawn, {now.hits} of them included; the evidence is "
        f"{now.e:.3g} of {now.needed:g}."
    )
