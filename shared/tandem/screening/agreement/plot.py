"""A picture of how far reviewers agree: month by month, and the table of all."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tandem.drawing import COLOURS, as_svg, style
from tandem.screening.agreement.service import Agreement, AgreementOn, Month
from tandem.screening.agreement.statistics import Figure, Figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SHOWN = (
    ("kappa", "kappa", "o"),
    ("ac1", "AC1", "s"),
    ("positive_agreement", "positive agreement", "^"),
)
"""Attribute, name and mark: a second sign beside colour."""

_APART = 0.16
"""Between the marks of one month, as a share of a month's width."""

_MOST_LABELS = 12
"""Months that are named below the axis; of more every second, third, … is."""

_ON = {
    AgreementOn.ALL: "all records",
    AgreementOn.RANDOM: "records of the random stream",
    AgreementOn.PILOT: "the pilot round",
}


def agreement_plot(found: Agreement) -> str:
    """Draw it as SVG, with title and description in words; equal input gives equal text."""
    from matplotlib.figure import Figure as Canvas

    with style():
        canvas = Canvas(figsize=(9, 4.2), layout="constrained")
        months, table = canvas.subplots(1, 2, width_ratios=(2.4, 1))
        _draw_months(months, found.by_month)
        _draw_table(table, found.overall.figures)
        canvas.suptitle(f"Agreement of first decisions, {_ON[found.on]}", fontsize=11)
        return as_svg(
            canvas,
            title=f"Agreement of first decisions, {_ON[found.on]}",
            description=_in_words(found),
        )


def _draw_months(axes: "Axes", by_month: Sequence[Month]) -> None:
    for place, (attribute, name, mark) in enumerate(_SHOWN):
        shift = (place - 1) * _APART
        colour = COLOURS[place]
        points = [
            (at + shift, getattr(month.compared.figures, attribute))
            for at, month in enumerate(by_month)
        ]
        known = [(x, figure.value) for x, figure in points if figure.value is not None]
        axes.plot(
            [x for x, _ in known],
            [value for _, value in known],
            marker=mark,
            markersize=5,
            linewidth=0.8,
            color=colour,
            label=name,
        )
        for x, figure in points:
            if figure.low is not None:
                axes.plot([x, x], [figure.low, figure.high], color=colour, linewidth=1.4)
    every = -(-len(by_month) // _MOST_LABELS) or 1
    named = range(0, len(by_month), every)
    axes.set_xticks(named, [_name(by_month[at]) for at in named], rotation=30, ha="right")
    axes.set_xlim(-0.5, max(len(by_month), 1) - 0.5)
    lows = [getattr(m.compared.figures, name).low for m in by_month for name, _, _ in _SHOWN]
    axes.set_ylim(min([0.0, *(low for low in lows if low is not None)]) - 0.02, 1.02)
    axes.set_ylabel("value, with its 95 % interval")
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower left", frameon=False, fontsize=8)


def _draw_table(axes: "Axes", figures: Figures) -> None:
    cells = ((0, 1, figures.a), (1, 1, figures.b), (0, 0, figures.c), (1, 0, figures.d))
    for column, row, count in cells:
        share = count / figures.n if figures.n else 0.0
        axes.fill_between(
            [column, column + 1], row, row + 1, color=COLOURS[0], alpha=0.6 * share, linewidth=0
        )
        axes.text(column + 0.5, row + 0.5, str(count), ha="center", va="center", fontsize=12)
    axes.hlines([0, 1, 2], 0, 2, color="#777777", linewidth=0.8)
    axes.vlines([0, 1, 2], 0, 2, color="#777777", linewidth=0.8)
    axes.set_xticks([0.5, 1.5], ["include", "exclude"])
    axes.set_yticks([0.5, 1.5], ["exclude", "include"], rotation=90, va="center")
    axes.tick_params(length=0)
    axes.xaxis.tick_top()
    axes.set_xlabel("second reviewer", fontsize=9)
    axes.xaxis.set_label_position("top")
    axes.set_ylabel("first reviewer", fontsize=9)
    axes.spines[:].set_visible(False)
    axes.set_aspect("equal")
    lines = [f"{name} {_with_interval(getattr(figures, key))}" for key, name, _ in _SHOWN]
    axes.text(0, -0.12, "\n".join([f"n {figures.n}", *lines]), va="top", fontsize=8)


def _in_words(found: Agreement) -> str:
    figures = found.overall.figures
    if not figures.n:
        return "No record has been read by two."
    sentences = [
        f"Of {figures.n} pairs of decisions {figures.a} are both include, {figures.b} include by "
        f"the first reviewer only, {figures.c} by the second only, {figures.d} both exclude.",
        f"Overall: {_all_of(figures)}.",
        *(
            f"{_name(m)}, n {m.compared.figures.n}: {_all_of(m.compared.figures)}."
            for m in found.by_month
        ),
    ]
    return " ".join(sentences)


def _all_of(figures: Figures) -> str:
    return "; ".join(f"{name} {_with_interval(getattr(figures, key))}" for key, name, _ in _SHOWN)


def _with_interval(figure: Figure) -> str:
    if figure.value is None:
        return "undefined"
    if figure.low is None or figure.high is None:
        return f"{figure.value:.2f} (no interval)"
    return f"{figure.value:.2f} ({figure.low:.2f} to {figure.high:.2f})"


def _name(month: Month) -> str:
    return f"{month.year}-{month.month:02}"
