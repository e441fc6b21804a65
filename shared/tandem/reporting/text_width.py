"""How wide a text is at most, whatever sans-serif font draws it. Pure.

An SVG is drawn by fonts that we do not know. The widths are those of DejaVu Sans, which is wider
than Arial, Helvetica, Liberation and Noto; so a line that fits by them fits everywhere.
"""

import re

_NARROW, _SLIM, _ROUND, _LARGE, _FULL = 0.40, 0.53, 0.65, 0.80, 1.02
_WIDTHS = {
    **dict.fromkeys("ijl.,:;|!'’‘ \N{NO-BREAK SPACE}()[]/tfr-I", _NARROW),
    **dict.fromkeys('csvzxyk_“”"*?J', _SLIM + 0.07),
    **dict.fromkeys("abdeghnopqu0123456789L=+<>FETS", _ROUND),
    **dict.fromkeys("ABCDGHKNOPQRUVXYZ&$#w~", _LARGE),
}

_BREAKS = re.compile(r"[ \t\r\n]+")


def width(text: str, size: float) -> float:
    """Return an upper bound of the text's width, in the unit of the font's `size`."""
    return size * sum(_WIDTHS.get(char, _FULL) for char in text)


def wrap(text: str, size: float, room: float) -> list[str]:
    """Break a text into lines that are no wider than `room`, between words where that is possible.

    There is one line at least. White space is one space, so that equal words give equal lines.
    """
    lines, line = list[str](), ""
    for word in _BREAKS.split(text.strip()):
        for piece in _pieces(word, size, room):
            longer = f"{line} {piece}" if line else piece
            if line and width(longer, size) > room:
                lines.append(line)
                line = piece
            else:
                line = longer
    return [*lines, line] if line or not lines else lines


def _pieces(word: str, size: float, room: float) -> list[str]:
    pieces, piece = list[str](), ""
    for char in word:
        if piece and width(piece + char, size) > room:
            pieces.append(piece)
            piece = char
        else:
            piece += char
    return [*pieces, piece]
