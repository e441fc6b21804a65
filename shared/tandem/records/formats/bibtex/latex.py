"""LaTeX as it stands in bibliographies, brought to plain text."""

import re
import unicodedata
from collections.abc import Iterator

from pylatexenc.latexencode import (  # type: ignore[import-untyped]  # it ships no types
    get_builtin_uni2latex_dict,
)

_COMBINING = {
    **{"`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", "=": "\u0304"},
    **{"u": "\u0306", ".": "\u0307", '"': "\u0308", "r": "\u030a", "H": "\u030b"},
    **{"v": "\u030c", "c": "\u0327", "k": "\u0328", "d": "\u0323", "b": "\u0331"},
}
_DOTLESS = {"ı": "i", "ȷ": "j"}
_ALONE = {"\u0302": "^", "\u0303": "~"}
"""What an accent over nothing is: `\\~{}` is how a tilde is written."""

_SPACES = frozenset("\\ ,;:\n\t")
_DROPPED_SIGNS = frozenset("!/-()[]@>|<")
_SWITCH_NAMES = (
    "bf it em sc rm sf tt sl tiny small large Large normalsize footnotesize bfseries itshape"
    " mdseries upshape scshape ttfamily rmfamily sffamily left right displaystyle limits textit"
    " textbf textsc textrm textsf texttt textsl textup emph mathrm mathit mathbf noopsort protect"
    " relax nolinebreak allowbreak newblock boldmath"
)
_SWITCHES = frozenset(_SWITCH_NAMES.split())
_SPACE_MACROS = frozenset({"quad", "qquad", "newline", "space", "par", "linebreak", "hfill"})


def _symbols() -> dict[str, str]:
    """Return the signs that a macro without argument stands for, by its name."""
    sign = re.compile(r"\{?\\(?:ensuremath\{\\)?([A-Za-z]+)\}{0,2}")
    found: dict[str, str] = {}
    for code, latex in get_builtin_uni2latex_dict().items():
        if macro := sign.fullmatch(latex):
            found.setdefault(macro[1], chr(code))
    return found | _MORE_SYMBOLS


_MORE_SYMBOLS = {
    **{"textbraceleft": "{", "textbraceright": "}", "lbrace": "{", "rbrace": "}", "textbar": "|"},
    **{"textless": "<", "textgreater": ">", "lt": "<", "gt": ">", "le": "≤", "ge": "≥", "sim": "~"},
    **{"textquotedbl": '"', "textquotesingle": "'", "textasciigrave": "`", "textunderscore": "_"},
    **{"textdollar": "$", "j": "ȷ", "ldots": "…", "dots": "…", "degree": "°", "backslash": "\\"},
    **{"times": "×", "textpm": "±", "slash": "/", "and": " and ", "S": "§", "aa": "å", "AA": "Å"},
    **{"LaTeX": "LaTeX", "TeX": "TeX", "BibTeX": "BibTeX", "textsuperscript": ""},
    **{"textsubscript": ""},
}
"""Signs that pylatexenc does not have, or has others for."""

_SYMBOLS = _symbols()

_INNER = r"(?:[^$\\]|\\.){1,500}?"
# `$5 and $10` are dollars.
_MATH = rf"\$(?:(?P<math>(?![\s\d]){_INNER})(?<=\S)\$|(?P<number>(?=\d){_INNER})(?<=\S)\$(?!\d))"
_TOKEN = re.compile(
    rf"\\(?P<macro>[A-Za-z]+)\*?[ \t\n]*|\\(?P<sign>.)|(?P<brace>[{{}}])|{_MATH}"
    r"|(?P<text>[^\\{}$]+|.)",
    re.S,
)


def to_plain(text: str, *, ties: bool = True) -> str:
    r"""Return `text` with signs for macros and accents, without braces. Never raises.

    Dashes and quotation marks stay as they are typed; an unknown macro goes where it has an
    argument, and stays where it has none, being perhaps no macro at all (`C:\new`).

    Args:
        text: LaTeX, or what an author took for it.
        ties: Whether `~` is a space, as it is everywhere but in addresses.
    """
    if not any(sign in text for sign in "\\{}$~"):
        return text
    return "".join(_pieces(text, ties=ties, in_math=False))


def _pieces(text: str, *, ties: bool, in_math: bool) -> Iterator[str]:
    accents = ""
    for token in _TOKEN.finditer(text):
        if token["macro"]:
            piece, accent = _macro(text, token)
        elif token["sign"]:
            piece, accent = _sign(token["sign"])
        elif token["brace"]:
            if token["brace"] == "}" and accents:
                yield "".join(_ALONE.get(one, "") for one in accents)
                accents = ""
            continue
        elif formula := token["math"] or token["number"]:
            piece = "".join(_pieces(formula, ties=ties, in_math=True))
            accent = ""
        else:
            piece, accent = token["text"], ""
            if ties:
                piece = piece.replace("~", " ")
            if in_math:
                piece = piece.replace("^", "").replace("_", "")
        if accent:
            accents = (accents + accent)[:4]
        elif piece:
            yield _accented(piece, accents) if accents else piece
            accents = ""


def _macro(text: str, token: re.Match[str]) -> tuple[str, str]:
    """Return what a macro prints, and the accent that it puts over what follows."""
    name = token["macro"]
    if accent := _COMBINING.get(name):
        return "", accent
    if (sign := _SYMBOLS.get(name)) is not None:
        return sign, ""
    if name in _SPACE_MACROS:
        return " ", ""
    if name in _SWITCHES or text.startswith("{", token.end()):
        return "", ""
    return token[0], ""


def _sign(sign: str) -> tuple[str, str]:
    if accent := _COMBINING.get(sign):
        return "", accent
    if sign in _SPACES:
        return " ", ""
    return ("" if sign in _DROPPED_SIGNS else sign), ""


def _accented(piece: str, accents: str) -> str:
    stripped = piece.lstrip()
    first = _DOTLESS.get(stripped[:1], stripped[:1])
    return unicodedata.normalize("NFC", first + accents[::-1]) + stripped[1:]
