"""How alike two titles are, and whether what differs between them makes two works of them."""

import unicodedata
from collections.abc import Sequence
from enum import Enum, auto
from functools import cache

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from tandem.records.duplicates import vocabulary
from tandem.records.duplicates.titles import TELLING_WEIGHT, Title

SAME_TITLE = 90.0
"""Least similarity, of 100, of two titles of one work."""

_TELLING_WORDS = 4
"""Words a title must have, with `TELLING_WEIGHT`, for others that begin with it to be taken for
longer forms of it. Less is shared by chance: "Abstracts of the", "Letter to the"."""


class TitleRelation(Enum):
    """How two titles relate."""

    EQUAL = auto()
    MISSPELT = auto()
    """Every word that differs has its counterpart, a letter or two away."""
    ALIKE = auto()
    """One has words that the other lacks."""
    REWORDED = auto()
    """Alike, but for words in the place of others: mice for rats may be another work."""
    SHORTENED = auto()
    """One is the beginning or the end of the other, and the rest says nothing of another work."""
    OTHER_WORK = auto()
    """Alike, but for a word or number that makes it another: part 2, a reply, an erratum."""
    DIFFERENT = auto()
    UNKNOWN = auto()
    """One is missing, or they are in two scripts."""


def similarity(a: Title, b: Title) -> float:
    """Return how much of two titles is the same, 0 to 100, whichever way words are joined."""
    return max(fuzz.ratio(" ".join(a.words), " ".join(b.words)), fuzz.ratio(a.key, b.key))


def title_relation(a: Title, b: Title) -> TitleRelation:
    """Return how two titles relate; the order does not matter."""
    if not a.key or not b.key:
        return TitleRelation.UNKNOWN
    if a.key == b.key:
        return TitleRelation.EQUAL
    if similarity(a, b) >= SAME_TITLE:
        return _differing(a, b)
    short, long = sorted((a, b), key=lambda title: len(title.key))
    if (rest := _rest(short, long)) is not None:
        return TitleRelation.OTHER_WORK if _says_other(rest) else TitleRelation.SHORTENED
    if _script(a.key) != _script(b.key):
        return TitleRelation.UNKNOWN
    return TitleRelation.DIFFERENT


def _differing(a: Title, b: Title) -> TitleRelation:
    """Return what the differing words of two similar titles make of them."""
    if a.digits != b.digits:
        return TitleRelation.OTHER_WORK
    only_a = [word for word in a.words if word not in b.words]
    only_b = [word for word in b.words if word not in a.words]
    # "sub group" and "subgroup": the same letters, parted otherwise.
    if "".join(only_a) == "".join(only_b):
        return TitleRelation.MISSPELT
    left_a = [word for word in only_a if not any(_misspelt(word, other) for other in only_b)]
    left_b = [word for word in only_b if not any(_misspelt(word, other) for other in only_a)]
    if _other_work(left_a) or _other_work(left_b):
        return TitleRelation.OTHER_WORK
    if any(_opposite(word, other) for word in only_a for other in only_b):
        return TitleRelation.OTHER_WORK
    telling_a = [word for word in left_a if word not in vocabulary.SMALL]
    telling_b = [word for word in left_b if word not in vocabulary.SMALL]
    if telling_a and telling_b:
        return TitleRelation.REWORDED
    return TitleRelation.ALIKE if telling_a or telling_b else TitleRelation.MISSPELT


def _misspelt(a: str, b: str) -> bool:
    """Whether two words are one, but for a letter, or two in a long one."""
    length = min(len(a), len(b))
    allowed = 0 if length < 4 else 1 if length < 8 else 2
    return OSA.distance(a, b, score_cutoff=allowed) <= allowed and not _opposite(a, b)


def _opposite(a: str, b: str) -> bool:
    """Whether two words differ by what turns one into its counterpart: hypo-, hyper-."""
    for one, other in vocabulary.OPPOSITES:
        for x, y in ((one, other), (other, one)):
            if a.startswith(x) and b.startswith(y) and a[len(x) :] == b[len(y) :]:
                return True
    return False


def _rest(short: Title, long: Title) -> tuple[str, ...] | None:
    """Return the words that `long` has beyond `short`, if it begins or ends with it."""
    n = len(short.words)
    if short.weight < TELLING_WEIGHT or n < _TELLING_WORDS:
        return None
    if long.words[:n] == short.words:
        return long.words[n:]
    if long.words[-n:] == short.words:
        return long.words[:-n]
    return None


def _says_other(rest: tuple[str, ...]) -> bool:
    """Whether words beyond a title make it another's: a reply, or the next number in a series."""
    return rest[0][0].isdigit() or _other_work(rest)


def _other_work(words: Sequence[str]) -> bool:
    text = "".join(words)
    return any(word in vocabulary.OTHER_WORK for word in words) or (
        not text.isascii() and any(word in text for word in vocabulary.OTHER_WORK_WITHIN)
    )


def _script(key: str) -> str:
    """Return the script of most letters, by the first word of their Unicode names."""
    if key.isascii():
        return "LATIN"
    counts: dict[str, int] = {}
    for c in key:
        if not c.isdigit():
            name = _script_of(c)
            counts[name] = counts.get(name, 0) + 1
    return max(sorted(counts), key=lambda name: counts[name], default="")


@cache
def _script_of(c: str) -> str:
    return unicodedata.name(c, "?").split(" ", 1)[0]
