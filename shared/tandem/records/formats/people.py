"""Several names or keywords in one cell of a table, taken apart."""

import re

_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_NOTHING_ELSE = re.compile(r"\[[\s,]*\]")
_AND = re.compile(r"\s+(?:and|&)\s+")
_INITIALS = re.compile(r"(?:[^\W\d_]\.?[\s-]?){1,4}")
_GLUED = re.compile(r"(?<=[a-zà-öø-ÿ)])(?=[A-ZÀ-ÖØ-Þ])|(?<=[A-Z]\.)(?=[A-ZÀ-Þ][a-zà-ÿ]{2})")
_PREFIX = re.compile(
    r"(?:Ma?c|D[aeiu]|Del|Des|Dell[ao]?|L[aeo]|Les|Van|Ven|Von|Fitz|Vander|Vanden|Ver|Ter|Ten|San"
    r"|Abd|Abu|Ibn|Al|El|Ap|Ó|O|Ni|Bar|Ben|Bou|Saint|St)",
)
_AFTER_INITIAL = re.compile(
    r"(?:(?<=[A-ZÀ-Þ]\.) ?|(?:(?<= [A-ZÀ-Þ])|(?<= [A-ZÀ-Þ]{2})|(?<= [A-ZÀ-Þ]{3})) )"
    r"(?=[A-ZÀ-Þ][a-zß-ÿ'’]|[a-z]{1,4} (?:[a-z]{1,4} )?[A-ZÀ-Þ])"
)
_FAMILY_FIRST = re.compile(
    r"(?:[^\W\d_]['’\w-]{1,40} ){1,6}(?:(?:[A-ZÀ-Þ]\.[ -]?){0,5}[A-ZÀ-Þ]\.|[A-ZÀ-Þ]{1,3})"
)
_LONGEST_GLUED = 20_000
_HONORIFIC = re.compile(
    r"^(?:(?:Prof|Dr|Ing|Asst|Assoc|Ph|Dipl|habil|med|rer|nat|Univ|Apl|Sir|Mr|Mrs|Ms)"
    r"(?:\.|\b)[\s-]{0,2}){1,6}(?=\S)"
)
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
    return [
        name for part in _AND.split(text) for name in _run_together(part) or _split_at_commas(part)
    ]


def split_glued(text: str) -> list[str]:
    """Return the names of `Anna SmithBen Jones`, as SpringerLink's tables have them.

    They part where a capital follows a small letter, unless what stands before it is a part of
    a name such as `Mc`, or one of the two would be left with a single word.
    """
    if len(text) > _LONGEST_GLUED:
        return [text]
    names: list[str] = []
    start = 0
    for seam in _GLUED.finditer(text):
        before = text[start : seam.start()]
        word = before.rpartition(" ")[2].rpartition("-")[2]
        following = _GLUED.split(text[seam.end() : seam.end() + 200], maxsplit=1)[0]
        if " " in before.strip() and " " in following.strip() and not _PREFIX.fullmatch(word):
            names.append(before)
            start = seam.end()
    names.append(text[start:])
    return [_HONORIFIC.sub("", name.strip()) for name in names]


def split_terms(text: str) -> list[str]:
    """Return the keywords in `text`; a comma within parentheses parts nothing."""
    if (listed := _listed(text)) is not None:
        return listed
    for separator in (";", "|", "\n"):
        if separator in text:
            return text.split(separator)
    return _TERM.findall(text)


def _run_together(text: str) -> list[str] | None:
    """Return the names of `Adeli K.Lewis G. F.`, if all are a family name and initials."""
    if "," in text or len(text) > _LONGEST_GLUED:
        return None
    names = _AFTER_INITIAL.split(text.strip())
    return names if len(names) > 1 and all(map(_FAMILY_FIRST.fullmatch, names)) else None


def _listed(text: str) -> list[str] | None:
    """Return the items of `['a', 'b']`, as programs write a list into a cell."""
    text = text.strip()
    # Else "['a']; ]", of two keywords, would be one.
    if not (text.startswith("['") or text.startswith('["')):
        return None
    if not _NOTHING_ELSE.fullmatch(_QUOTED.sub("", text)):
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
