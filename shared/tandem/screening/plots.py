"""Pictures of how far a stage is: what was found so far, and what was decided day by day."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from tandem.drawing import COLOURS, as_svg, style
from tandem.screening.blinding.view import DONE
from tandem.screening.progress import Progress, ReviewerProgress
from tandem.screening.recall import Recall, RecallPoint
from tandem.screening.rules import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GREY, _GRID = "#777777", "#dddddd"

_MOST_LABELS = 10
"""Days that are named below the axis; of more every second, third, … is."""

_MOST_DAYS = 120
"""Of more days, weeks are drawn."""

_MOST_NAMED = 6
"""Reviewers with a colour of their own; the others are one."""

_HATCHES = ("", "///", "xxx", "\\\\\\", "+++", "---", "")
"""A second sign beside colour, the last for all others."""

_STATUSES: Mapping[str, tuple[str, str, str]] = {
    Status.INCLUDED: ("included", COLOURS[2], ""),
    Status.EXCLUDED: ("excluded", COLOURS[1], "///"),
    Status.CONFLICT: ("in conflict", COLOURS[3], "xxx"),
    Status.AWAITING: ("awaiting more decisions", COLOURS[5], "\\\\\\"),
    DONE: ("decided by you", COLOURS[0], ""),
    Status.UNSCREENED: ("not decided", "#eeeeee", ""),
}
"""Name, colour and hatch, in the order in which they are drawn."""

_MOST_SENTENCES = 12
"""Points that a description names; what it leaves out the JSON has."""


def recall_plot(found: Recall, n_records: int) -> str:
    """Draw what was found against what was screened, as SVG; equal input gives equal text.

    Beside it is a straight line: the same finds, had they come evenly. How many there are in all
    nobody knows, so nothing is drawn beyond what was screened.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    last = found.points[-1]
    title = _title(found, last, n_records)
    with style():
        canvas = Figure(figsize=(7, 4.5), layout="constrained")
        axes = canvas.add_subplot()
        if last.n_screened:
            _draw_recall(axes, found)
        else:
            _say(axes, "No record is screened yet.")
        own = found.of == "own"
        axes.set_xlabel("records decided, in your order" if own else _SCREENED)
        axes.set_ylabel("found so far")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_title(title, fontsize=11)
        return as_svg(canvas, title=title, description=_recall_in_words(found))


_SCREENED = "records screened, in the order of their first decision"


def _title(found: Recall, last: RecallPoint, n_records: int) -> str:
    who = "You have included" if found.of == "own" else "Included so far:"
    return f"{who} {last.n_included:,} of {last.n_screened:,} screened ({n_records:,} records)"


def _draw_recall(axes: "Axes", found: Recall) -> None:
    x = [point.n_screened for point in found.points]
    settled, possible = _names(found)
    last = found.points[-1]
    if last.n_possible is not None:
        y = [point.n_possible for point in found.points]
        named = f"{possible}: {last.n_possible:,}"
        axes.step(x, y, where="post", color=COLOURS[1], linestyle="--", linewidth=1.4, label=named)  # type: ignore[arg-type]  # all or none of them are None
    y = [point.n_included for point in found.points]
    named = f"{settled}: {last.n_included:,}"
    axes.step(x, y, where="post", color=COLOURS[0], linewidth=2, label=named)  # type: ignore[arg-type]  # numbers
    axes.plot(
        [0, last.n_screened],
        [0, last.n_included],
        color=_GREY,
        linewidth=1,
        linestyle=":",
        label="the same finds in random order",
    )
    axes.set_xlim(0, last.n_screened)
    axes.set_ylim(0, max(1, last.n_possible or last.n_included) * 1.04)
    axes.grid(color=_GRID, linewidth=0.6)
    axes.legend(loc="upper left", frameon=False, fontsize=9)


def _names(found: Recall) -> tuple[str, str]:
    if found.of == "own":
        return "your includes", "your includes and maybes"
    return "settled as included", "with those awaiting or in conflict that a vote keeps in"


def _recall_in_words(found: Recall) -> str:
    if not found.points[-1].n_screened:
        return "No record is screened yet."
    settled, possible = _names(found)
    sentences = []
    for point in _some(found.points[1:]):
        more = "" if point.n_possible is None else f", {possible}: {point.n_possible}"
        sentences.append(f"After {point.n_screened} records {settled}: {point.n_included}{more}.")
    return " ".join(sentences)


def _some(points: Sequence[RecallPoint]) -> list[RecallPoint]:
    """Return a few points, evenly, the last one among them."""
    step = -(-len(points) // _MOST_SENTENCES) or 1
    return list(points[::-1][::step])[::-1]


def progress_plot(found: Progress) -> str:
    """Draw decisions by day and reviewer, and how far the records are, as SVG.

    Equal input gives equal text. For a blinded reviewer it is their own.
    """
    from matplotlib.figure import Figure

    title = _heading(found)
    with style():
        canvas = Figure(figsize=(9, 5), layout="constrained")
        days, records = canvas.subplots(2, 1, height_ratios=(4, 1))
        _draw_days(days, found.reviewers)
        _draw_records(records, found)
        canvas.suptitle(title, fontsize=11)
        return as_svg(canvas, title=title, description=_progress_in_words(found))


def _heading(found: Progress) -> str:
    if DONE in found.counts:
        return f"You have decided {found.counts[DONE]:,} of {found.n_records:,} records"
    settled = found.counts[Status.INCLUDED] + found.counts[Status.EXCLUDED]
    remaining = found.n_records - settled
    return f"{remaining:,} of {found.n_records:,} records are not settled yet"


def _draw_days(axes: "Axes", people: Sequence[ReviewerProgress]) -> None:
    from matplotlib.ticker import MaxNLocator

    begins, size = _spans(people)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_ylabel("decisions")
    if not begins:
        _say(axes, "Nobody has decided a record yet.")
        return
    bottom = [0] * len(begins)
    for place, (name, counts) in enumerate(_by_span(people, begins[0], size, len(begins))):
        axes.bar(
            range(len(begins)),
            counts,
            bottom=bottom,
            width=0.85,
            color=_GREY if place == _MOST_NAMED else COLOURS[place],
            hatch=_HATCHES[place],
            edgecolor="white",
            linewidth=0.3,
            label=f"{name}: {sum(counts):,}",
        )
        bottom = [below + n for below, n in zip(bottom, counts, strict=True)]
    every = -(-len(begins) // _MOST_LABELS)
    named = range(0, len(begins), every)
    axes.set_xticks(named, [begins[at].isoformat() for at in named], rotation=30, ha="right")
    axes.set_xlim(-0.6, max(len(begins), 5) - 0.4)
    axes.set_xlabel("day (UTC)" if size == 1 else "week that begins on this day (UTC)")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y", color=_GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False, fontsize=9)


def _spans(people: Sequence[ReviewerProgress]) -> tuple[list[date], int]:
    """Return the first day of each day or week from the first to the last, and its length."""
    days = [day for person in people for day in person.by_day]
    if not days:
        return [], 1
    first, last = min(days), max(days)
    size = 1 if (last - first).days < _MOST_DAYS else 7
    n = (last - first).days // size + 1
    return [first + timedelta(days=size * place) for place in range(n)], size


def _by_span(
    people: Sequence[ReviewerProgress], first: date, size: int, n: int
) -> list[tuple[str, list[int]]]:
    """Return each reviewer's decisions by day or week; those of the less busy ones as one."""
    busiest = sorted(people, key=lambda one: (-sum(one.by_day.values()), one.name))
    named = busiest if len(busiest) <= _MOST_NAMED + 1 else busiest[:_MOST_NAMED]
    others = busiest[len(named) :]
    rows = [(person.name, _counted([person], first, size, n)) for person in named]
    if others:
        rows.append((f"{len(others)} others", _counted(others, first, size, n)))
    return rows


def _counted(people: Sequence[ReviewerProgress], first: date, size: int, n: int) -> list[int]:
    counts = [0] * n
    for person in people:
        for day, made in person.by_day.items():
            counts[(day - first).days // size] += made
    return counts


def _draw_records(axes: "Axes", found: Progress) -> None:
    left = 0
    for status, (name, colour, hatch) in _STATUSES.items():
        if n := found.counts.get(status, 0):
            axes.barh(
                0,
                n,
                left=left,
                color=colour,
                hatch=hatch,
                edgecolor=_GREY,
                linewidth=0.5,
                label=f"{name}: {n:,}",
            )
            left += n
    axes.set_yticks([])
    axes.set_ylim(-0.5, 0.5)
    axes.spines[["top", "right", "left"]].set_visible(False)
    if not left:
        _say(axes, "The review has no records yet.")
        return
    axes.set_xlim(0, left)
    axes.set_xlabel("records")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1.3), frameon=False, fontsize=9)


def _progress_in_words(found: Progress) -> str:
    counts = [
        f"{name} {found.counts[status]}"
        for status, (name, _, _) in _STATUSES.items()
        if status in found.counts
    ]
    sentences = [f"Records by status: {', '.join(counts)}."]
    for person in found.reviewers:
        made = sum(person.by_day.values())
        on = sorted(person.by_day)
        days = f" on {len(on)} days from {on[0]} to {on[-1]}" if on else ""
        sentences.append(f"{person.name}: {made} decisions{days}.")
    return " ".join(sentences)


def _say(axes: "Axes", what: str) -> None:
    """Write instead of drawing, where there is nothing yet."""
    axes.text(0.5, 0.5, what, ha="center", va="center", transform=axes.transAxes, color="#555555")
    axes.set_xticks([])
    axes.set_yticks([])
