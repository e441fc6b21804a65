"""Several names or keywords in one cell of a table, taken apart."""

import re

_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_AND = re.compile(r"\s+(?:and|&)\s+")
_INITIALS = re.compile(r"(?:[^\W\d_]\.?[\s-]?){1,4}")
_TERM = re.compile(r"(?:[^,(]|\([^()]{0,200}\)|\()+")


def split_names(text: str) -> list[str]:
    """Return the names in `text`, each as it is written there.

    Semicolons part names wherever there are any. Commas do where every piece is a name of
    its own (`Lim SM, Sanders L`), not where they stand within one (`Lim, Sue`).
    """
    if (listed := _listed(text)) is not None:
        return listed
    for separator in (";", "|"):
        if separator in text:
            return text.split(separator)
    return [name for part in _AND.split(text) for name in _split_at_commas(part)]


def split_terms(text: str) -> list[str]:
    """Return the keywords in `text`; a comma within parentheses parts nothing."""
    if (listed := _listed(text)) is not None:
        return listed
    for separator in (";", "|", "\n"):
        if separator in text:
            return text.split(separator)
    return _TERM.findall(text)


def _listed(text: str) -> list[str] | None:
    """Return the items of `['a', 'b']`, as programs write a list into a cell."""
    text = text.strip()
    if not (text.startswith(("['", '["')) and text.endswith("]")):
        return None
    return [single or double for single, double in _QUOTED.findall(text)]


def _split_at_commas(text: str) -> list[str]:
    pieces = [piece.strip() for piece in text.split(",") if piece.strip()]
    if all(" " in piece for piece in pieces):
        if len(pieces) > 1 and not any(piece.endswith(".") for piece in pieces[:-1]):
            pieces[-1:] = [piece.rstrip(".") for piece in pieces[-1:]]  # PubMed ends its list so
        return pieces
    pairs = list(zip(pieces[::2], pieces[1::2], strict=False))
    if len(pieces) > 2 and len(pieces) % 2 == 0 and all(_INITIALS.fullmatch(p[1]) for p in pairs):
        return [", ".join(pair) for pair in pairs]
    return [", ".join(pieces)] if len(pieces) <= 2 else pieces
