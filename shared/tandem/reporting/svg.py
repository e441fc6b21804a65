"""A flow diagram as SVG, made by hand: small, the same bytes for the same numbers. Pure."""

from collections.abc import Callable, Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from tandem.reporting.layout import (
    FONT,
    LINE,
    MARGIN,
    PADDING,
    WIDTH,
    Drawn,
    Layout,
    Point,
    Written,
)

Href = Callable[[str, str | None], str]
"""Returns the address of the records behind a box, or behind one part of it."""

_HEADING_FILL = "#ffc125"
"""As in PRISMA's own template."""


def svg(layout: Layout, href: Href) -> str:
    """Draw a layout. Every number links to the records that it counts.

    Args:
        layout: What to draw.
        href: Gives the address behind a box.
    """
    parts = [*_begin(layout), *_notice(layout)]
    parts += [_arrow(points) for points in layout.arrows]
    for box in layout.boxes:
        parts += _box(box, href)
    return "".join([*parts, "</svg>\n"])


def _begin(layout: Layout) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(layout.width)} '
        f'{_n(layout.height)}" width="{_n(layout.width)}" height="{_n(layout.height)}" '
        f'font-family="Arial, Helvetica, sans-serif" font-size="{_n(FONT)}" '
        'role="group" aria-labelledby="title description">\n'
        f'<title id="title">{_text(layout.title)}</title>\n'
        f'<desc id="description">{_text(layout.description)}</desc>\n'
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" fill="#333"/></marker></defs>\n'
        f'<rect width="{_n(layout.width)}" height="{_n(layout.height)}" fill="#fff"/>\n'
    )


def _notice(layout: Layout) -> Iterator[str]:
    for place, line in enumerate(layout.notice):
        y = MARGIN + (place + 0.75) * LINE
        yield (f'<text x="{_n(MARGIN)}" y="{_n(y)}" font-weight="bold">{_text(line)}</text>\n')


def _box(box: Drawn, href: Href) -> Iterator[str]:
    content = box.content
    dashed = ' stroke-dasharray="5 4"' if content.is_dashed else ""
    fill = _HEADING_FILL if content.is_heading else "#fff"
    rect = (
        f'<rect x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(WIDTH)}" height="{_n(box.height)}" '
        f'fill="{fill}" stroke="#333"{dashed}/>'
    )
    name = "" if content.key is None else f' id="{content.key}"'
    yield f"<g{name}>"
    yield rect if content.key is None else _link(href(content.key, None), rect)
    y = box.y + PADDING
    for written in box.texts:
        yield _written(written, box.x + PADDING, y, href, is_bold=content.is_heading)
        y += LINE * len(written.lines)
    yield "</g>\n"


def _written(written: Written, x: float, y: float, href: Href, *, is_bold: bool) -> str:
    bold = ' font-weight="bold"' if is_bold else ""
    spans = "".join(
        f'<tspan x="{_n(x)}" y="{_n(y + (place + 0.78) * LINE)}">{_text(line)}</tspan>'
        for place, line in enumerate(written.lines)
    )
    text, entry = f"<text{bold}>{spans}</text>", written.entry
    return text if entry.key is None else _link(href(entry.key, entry.part), text)


def _link(address: str, inside: str) -> str:
    return f"<a href={quoteattr(address)}>{inside}</a>"


def _arrow(points: Sequence[Point]) -> str:
    way = "L".join(f"{_n(point.x)} {_n(point.y)}" for point in points)
    return f'<path d="M{way}" fill="none" stroke="#333" marker-end="url(#head)"/>\n'


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _text(text: str) -> str:
    """Return a text as XML takes it; what XML cannot hold becomes a question mark."""
    kept = (char if char >= " " or char in "\t\n" else "\N{REPLACEMENT CHARACTER}" for char in text)
    return escape("".join(kept))
