"""The value of a BibTeX field: in braces, in quotation marks, a number, or several joined."""

import re
from collections.abc import Iterator
from itertools import islice

Strings = dict[str, str]
"""What names defined by `@string` stand for, by the name in lower case."""

_LONGEST = 1_000_000
_BRACES = re.compile(r"\\.|[{}]", re.S)
_SIGN = re.compile(r"\\.|[{}\"#]", re.S)
_AND = re.compile(r"\\.|[{}]|(?<=\s)and(?=\s)", re.S | re.I)
_COMMA = re.compile(r"\\.|[{},]", re.S)
_SEMICOLON = re.compile(r"\\.|[{};]", re.S)


class Malformed(Exception):
    """The text is not what BibTeX's grammar has there; the message says why, for people."""


def joined(value: str, strings: Strings) -> str:
    """Return the value without its outer delimiters, names replaced, parts joined by `#`.

    Raises:
        Malformed: A delimiter is missing, or something stands behind a closing one.
    """
    pieces = [_piece(piece.strip(), strings) for piece in _joints(value)]
    text = "".join(pieces)
    if len(text) > _LONGEST:
        raise Malformed("a value that grows without end")
    return text


def names(value: str) -> Iterator[str]:
    """Yield the names between `and`s outside braces, as they are written."""
    return _split(value, _AND)


def terms(value: str) -> list[str]:
    """Return the keywords between commas outside braces, as they are written.

    Where there are semicolons, commas part nothing: then the list is returned whole. So is what
    stands within one pair of braces: one keyword, or Web of Science's, with semicolons.
    """
    inner = _unwrapped(value)
    if inner != value.strip():
        return [inner]
    if any(True for _ in islice(_split(value, _SEMICOLON), 1, None)):
        return [value]
    return list(_split(value, _COMMA))


def is_braced(value: str) -> bool:
    """Whether all of `value` stands in one pair of braces."""
    return _unwrapped(value) != value.strip()


def _unwrapped(value: str) -> str:
    value = value.strip()
    whole = value.startswith("{") and _closed_at(value) == len(value)
    return value[1:-1] if whole else value


def _closed_at(value: str) -> int | None:
    """Return where the brace that `value` begins with is closed, None if it never is."""
    depth = 0
    for sign in _BRACES.finditer(value):
        depth += {"{": 1, "}": -1}.get(sign[0], 0)
        if depth == 0:
            return sign.end()
    return None


def _split(value: str, separator: re.Pattern[str]) -> Iterator[str]:
    depth = start = 0
    for sign in separator.finditer(value):
        if sign[0] == "{":
            depth += 1
        elif sign[0] == "}":
            depth = max(0, depth - 1)
        elif depth == 0 and not sign[0].startswith("\\"):
            yield value[start : sign.start()].strip()
            start = sign.end()
    yield value[start:].strip()


def _joints(value: str) -> Iterator[str]:
    depth = start = 0
    quoted = False
    for sign in _SIGN.finditer(value):
        match sign[0]:
            case "{":
                depth += 1
            case "}":
                depth -= 1
            case '"' if depth == 0:
                quoted = not quoted
            case "#" if depth == 0 and not quoted:
                yield value[start : sign.start()]
                start = sign.end()
    yield value[start:]


def _piece(piece: str, strings: Strings) -> str:
    if piece.startswith("{"):
        return _within_braces(piece)
    if piece.startswith('"'):
        if len(piece) < 2 or not piece.endswith('"'):
            raise Malformed("a quotation mark is opened that is not closed")
        return piece[1:-1]
    return strings.get(piece.lower(), piece)


def _within_braces(piece: str) -> str:
    end = _closed_at(piece)
    # BibTeX itself counts braces behind a backslash, too.
    if end is None and piece.count("{") == piece.count("}") and piece.endswith("}"):
        end = len(piece)
    if end is None:
        raise Malformed("a brace is opened that is not closed")
    if end < len(piece):
        raise Malformed("something stands between a closing brace and the next comma")
    return piece[1:-1]
