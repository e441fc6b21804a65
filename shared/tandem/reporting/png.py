"""A flow diagram as PNG, from the same layout as the SVG."""

import io
from typing import TYPE_CHECKING

from tandem.drawing import style
from tandem.reporting.layout import FONT, LINE, MARGIN, PADDING, WIDTH, Drawn, Layout

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DPI, _SCALE = 96, 2
_POINTS = 72 / _DPI
"""Of a pixel of the layout."""


def png(layout: Layout) -> bytes:
    """Draw a layout with two pixels for each of its units; equal layouts give equal bytes."""
    from matplotlib.figure import Figure

    with style():
        figure = Figure(figsize=(layout.width / _DPI, layout.height / _DPI), dpi=_DPI * _SCALE)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(0, layout.width)
        axes.set_ylim(layout.height, 0)
        axes.set_axis_off()
        for points in layout.arrows:
            _arrow(axes, [*points])
        for place, line in enumerate(layout.notice):
            _text(axes, line, MARGIN, MARGIN + place * LINE, is_bold=True)
        for box in layout.boxes:
            _box(axes, box)
        file = io.BytesIO()
        figure.savefig(file, format="png", metadata={"Software": None, "Title": layout.title})
        return file.getvalue()


def _box(axes: "Axes", box: Drawn) -> None:
    from matplotlib.patches import Rectangle

    content = box.content
    axes.add_patch(
        Rectangle(
            (box.x, box.y),
            WIDTH,
            box.height,
            facecolor="#ffc125" if content.is_heading else "#ffffff",
            edgecolor="#333333",
            linewidth=0.75,
            linestyle=(0, (5, 4)) if content.is_dashed else "-",
            zorder=2,
        )
    )
    y = box.y + PADDING
    for written in box.texts:
        for line in written.lines:
            _text(axes, line, box.x + PADDING, y, is_bold=content.is_heading)
            y += LINE


def _text(axes: "Axes", text: str, x: float, y: float, *, is_bold: bool = False) -> None:
    axes.text(
        x,
        y + LINE / 2,
        text,
        fontsize=FONT * _POINTS,
        fontweight="bold" if is_bold else "normal",
        va="center",
        parse_math=False,  # a dollar sign in a reason is a dollar sign
        zorder=3,
    )


def _arrow(axes: "Axes", points: list[tuple[float, float]]) -> None:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    axes.plot(xs, ys, color="#333333", linewidth=0.75, zorder=1)
    axes.annotate(
        "",
        xy=points[-1],
        xytext=points[-2],
        arrowprops={"arrowstyle": "-|>", "color": "#333333", "linewidth": 0.75, "shrinkB": 0},
        zorder=1,
    )
