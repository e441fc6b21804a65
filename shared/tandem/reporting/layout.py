"""Where the boxes of a flow diagram stand, and what is written in them: for every picture. Pure.

The diagram is a grid. Each cell is a stack of boxes; a row is as high as its highest stack.
Dashed boxes are not PRISMA's: what is not finished, and eligible reports that are not included.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tandem.reporting.flow import Flow, Template
from tandem.reporting.outline import Content, Entry, outline, title
from tandem.reporting.text_width import wrap

FONT = 12.0
LINE = 16.0
PADDING = 8.0
WIDTH = 250.0
"""Of a box."""
GAP_ACROSS, GAP_DOWN, GAP_IN_STACK = 40.0, 28.0, 10.0
MARGIN = 20.0
_MAIN = 0


@dataclass(frozen=True, slots=True)
class Written:
    """Lines that belong to one number. `key` names its box, `part` the part of that."""

    entry: Entry
    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A rectangle with its text; `y` grows downwards."""

    content: Content
    x: float
    y: float
    height: float
    texts: Sequence[Written]

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


class Point(NamedTuple):
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Layout:
    """A picture's size, its boxes, and its arrows, each a line with the head at its last point."""

    title: str
    description: str
    notice: Sequence[str]
    width: float
    height: float
    boxes: Sequence[Drawn] = field(default_factory=tuple)
    arrows: Sequence[Sequence[Point]] = field(default_factory=tuple)


def layout(flow: Flow, template: Template, *, heading: str | None = None) -> Layout:
    """Place a flow's boxes as one of PRISMA's four templates has them.

    Args:
        flow: The numbers.
        template: Which columns there are.
        heading: The review's title, written above.
    """
    drawn = outline(flow, template)
    columns = [place for place, column in enumerate(drawn.columns) if any(column)]
    shift = {column: place for place, column in enumerate(columns)}
    width = 2 * MARGIN + len(columns) * WIDTH + (len(columns) - 1) * GAP_ACROSS
    notice = [*wrap(title(flow, heading), FONT, width - 2 * MARGIN)]
    for sentence in drawn.notices:
        notice += wrap(sentence, FONT, width - 2 * MARGIN)
    top = MARGIN + len(notice) * LINE + GAP_IN_STACK
    boxes, rows = list[Drawn](), list[dict[int, list[Drawn]]]()
    for row in range(drawn.n_rows):
        placed = {
            column: _stack(drawn.columns[column][row], shift[column], top) for column in columns
        }
        rows.append(placed)
        found = [box for stack in placed.values() for box in stack]
        boxes += found
        if found:
            top = max(box.y + box.height for box in found) + GAP_DOWN
    arrows = [
        *(a for lane in drawn.lanes for a in _across(rows, lane)),
        *(a for lane in drawn.lanes for a in _down(rows, lane)),
    ]
    arrows += _into_last(rows, drawn.ends)
    height = top - GAP_DOWN + MARGIN
    return Layout(drawn.title, drawn.description, notice, width, height, boxes, arrows)


def _stack(contents: Sequence[Content], column: int, top: float) -> list[Drawn]:
    placed, x = list[Drawn](), MARGIN + column * (WIDTH + GAP_ACROSS)
    for content in contents:
        texts = [
            Written(entry, wrap(entry.text, FONT, WIDTH - 2 * PADDING)) for entry in content.entries
        ]
        height = 2 * PADDING + LINE * sum(len(text.lines) for text in texts)
        placed.append(Drawn(content, x, top, height, texts))
        top += height + GAP_IN_STACK
    return placed


Rows = Sequence[Mapping[int, Sequence[Drawn]]]


def _across(rows: Rows, lane: int) -> list[list[Point]]:
    """Return the arrows from the main box of each row to each box beside it."""
    arrows = list[list[Point]]()
    for row in rows[1:]:
        if not (mains := row.get(lane)):
            continue
        main = mains[_MAIN]
        for box in row.get(lane + 1, ()):
            y = max(box.y + LINE, min(box.middle, main.middle))
            right = main.x + WIDTH
            start = min(y, main.y + main.height - PADDING)
            bend = right + GAP_ACROSS / 2
            points = [Point(right, start), Point(bend, start), Point(bend, y), Point(box.x, y)]
            arrows.append(points if start != y else [points[0], points[-1]])
    return arrows


def _down(rows: Rows, lane: int) -> list[list[Point]]:
    """Return the arrows from each main box of a column to the next one below it."""
    mains = [row[lane][_MAIN] for row in rows[1:] if row.get(lane)]
    return [
        [Point(x := above.x + WIDTH / 2, above.y + above.height), Point(x, below.y)]
        for above, below in itertools.pairwise(mains)
        if below.content.follows
    ]


def _into_last(rows: Rows, ends: Sequence[tuple[int, int, int]]) -> list[list[Point]]:
    """Return the arrows from a column's last box to a box of another column, in `(from, to, row)`.

    They run between the rows and enter from above, or from the side where they are level.
    """
    arrows = list[list[Point]]()
    for column, into, row in ends:
        mains = [(at, line[column][_MAIN]) for at, line in enumerate(rows) if line.get(column)]
        if not rows[row].get(into) or len(mains) < 2:
            continue
        source, target = mains[-1][1], rows[row][into][_MAIN]
        x, y = source.x + WIDTH / 2, target.middle
        side = target.x + WIDTH if source.x > target.x else target.x
        arrows.append([Point(x, source.y + source.height), Point(x, y), Point(side, y)])
    return arrows
