"""Authors in the form in which they are compared, and whether two lists begin with one person."""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz

from tandem.records.duplicates.titles import plain_title

_GLUED = re.compile(r"(?<=[^\W\d_]\.)(?=[^\W\d_]{2})")
_INITIALS = re.compile(r"(?:[^\W\d_]\.?[-\s]?){1,3}")
_SUFFIXES = frozenset(["jr", "sr", "ii", "iii", "iv", "2nd", "3rd", "md", "phd", "dr", "prof"])
_NOBODY = frozenset(
    [
        *("anonymous", "anon", "unknown", "author unknown", "et al", "na", "n a", "none"),
        *("no author", "no authors", "no authors listed", "no author name available"),
    ]
)
_SAME_NAME = 85.0
_MOST_COMPARED = 6


@dataclass(frozen=True, slots=True)
class Name:
    """A person: the family name without spaces, every word of the name, the given initial.

    `words` leaves out initials; `initial` is "" where the given name is not known.
    """

    family: str
    words: tuple[str, ...]
    initial: str


def read_names(authors: Sequence[str]) -> tuple[Name, ...]:
    """Return the names of the first 6 authors, whichever way their parts are arranged."""
    parts = (part for author in authors[:_MOST_COMPARED] for part in _GLUED.split(author[:2000]))
    names = (_read(part) for part in parts)
    return tuple(name for name in names if name is not None)[:_MOST_COMPARED]


def same_first(a: Sequence[Name], b: Sequence[Name]) -> bool | None:
    """Whether two lists have the same first author; None where that is unknown.

    The same family name with another initial says nothing, nor does another order: databases
    list editors or groups first, and one laboratory's abstracts have the same people in turn.
    """
    if not a or not b or a[0].family.isascii() != b[0].family.isascii():
        return None
    if _is_one(a[0], b[0]):
        fits = not a[0].initial or not b[0].initial or a[0].initial == b[0].initial
        return True if fits or _are_inverted(a[0], b[0]) else None
    return None if any(_is_one(one, other) for one in a for other in b) else False


def same_team(a: Sequence[Name], b: Sequence[Name]) -> int:
    """Return how many people two lists name, both the same ones in the same order; else 0."""
    pairs = zip(a, b, strict=False)
    same = len(a) == len(b) and all(x == y or same_first([x], [y]) for x, y in pairs)
    return len(a) if same else 0


@lru_cache(maxsize=50_000)
def _read(text: str) -> Name | None:
    before, comma, after = text.partition(",")
    family, given = plain_title(before).split(), plain_title(after).split()
    if " ".join(family + given) in _NOBODY:
        return None
    if comma and family:
        return _name(family, given)
    pieces = [piece for piece in text.split() if plain_title(piece) not in _SUFFIXES]
    initials = [piece for piece in pieces if _is_initials(piece)]
    named = [piece for piece in pieces if not _is_initials(piece)]
    if not named:  # "LI X": capitals alone do not tell which is which
        named = [max(initials, key=len)] if initials else []
        initials = [piece for piece in initials if piece not in named]
    elif not initials:  # "Sue Kim": most often the last is the family
        words = plain_title(" ".join(pieces)).split()
        return _name(words[-1:], words[:-1])
    return _name(plain_title(" ".join(named)).split(), plain_title(" ".join(initials)).split())


def _name(family: list[str], given: list[str]) -> Name | None:
    if not family:
        return None
    words = tuple(sys.intern(word) for word in family + given if len(word) > 1)
    return Name(sys.intern("".join(family)), words, given[0][0] if given else "")


def _are_inverted(a: Name, b: Name) -> bool:
    """Whether one source took the given name for the family's: "Wei Wang", "Wang, Wei"."""
    return a.family != b.family and (a.family in b.words or b.family in a.words)


def _is_initials(piece: str) -> bool:
    return bool(_INITIALS.fullmatch(piece)) and (piece.isupper() or piece.endswith("."))


def _is_one(a: Name, b: Name) -> bool:
    return (
        a.family == b.family
        or a.family in b.words
        or b.family in a.words
        or fuzz.ratio(a.family, b.family, score_cutoff=_SAME_NAME) > 0
    )
