"""How pictures are drawn: the colours, the style, and SVG that can be read aloud.

The only place, with those who draw, that knows matplotlib; it is loaded when something is drawn.
"""

import io
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
"""Okabe and Ito 2008: distinct with any kind of colour vision."""

DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
"""A second sign beside colour, for print in black; one more or less than the colours, so that
their pairs repeat late."""

_STYLE: dict[Any, Any] = {  # its keys are a type of matplotlib's own
    "svg.hashsalt": "tandem",  # ids are random otherwise, and the same picture another file
    "svg.fonttype": "none",  # text stays text: it can be searched, read aloud and translated
    "font.family": "sans-serif",
    "font.size": 10,
}

_one_at_a_time = threading.RLock()
"""The style belongs to the whole process, and so do matplotlib's fonts."""

_ROOT = re.compile(r"<svg\b")


@contextmanager
def style() -> Iterator[None]:
    """Let the block draw in our style, and nobody else meanwhile."""
    import matplotlib as mpl

    with _one_at_a_time, mpl.rc_context(_STYLE):
        yield


def as_svg(figure: "Figure", *, title: str = "", description: str = "") -> str:
    """Return a figure as SVG; equal figures give equal text. Called within `style`.

    Args:
        figure: What was drawn.
        title: A short name, which programs that read aloud say first.
        description: What is to be seen, in words and numbers, for those who do not see it.
    """
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    svg = file.getvalue()
    if not title:
        return svg
    begin = _ROOT.search(svg)
    assert begin is not None  # noqa: S101  # it is SVG
    end = svg.index(">", begin.end())
    named = ' role="img" aria-labelledby="title description"'
    words = (
        f'\n <title id="title">{escape(title)}</title>'
        f'\n <desc id="description">{escape(description)}</desc>'
    )
    return f"{svg[:end]}{named}>{words}{svg[end + 1 :]}"
