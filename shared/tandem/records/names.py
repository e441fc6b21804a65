"""Whether two names may be one person's: a family name, and given names that do not contradict.

Authors are written in many ways: "Lee, Ann", "Ann Lee", "A. Lee", "Lee A", "Lee AB". Each name is
read in every way that makes sense; two names are alike if they are in any of them. A family name
alone is like no other: without an initial it is a crowd. Pure.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_PARTICLES = frozenset(
    (
        *("af", "al", "av", "bin", "da", "dal", "das", "de", "degli", "del", "della", "den", "der"),
        *("di", "do", "dos", "du", "el", "ibn", "la", "las", "le", "los", "ten", "ter", "van"),
        *("vom", "von", "y", "zu", "zum", "zur"),
    )
)
_TITLES = frozenset(("dr", "jr", "md", "mph", "msc", "phd", "prof", "professor", "sr", "ii", "iii"))


def _in_both_cases(letters: dict[str, str]) -> dict[int, str]:
    upper = {letter.upper(): instead.capitalize() for letter, instead in letters.items()}
    return str.maketrans(letters | upper)


_LETTERS = _in_both_cases(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
)
_TWO_LETTERS = _in_both_cases({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_APOSTROPHES = re.compile(r"['’`]")
_WORD_END = re.compile(r"[\s.]+")
_UNSPACED = re.compile(r"[\u3400-\u9fff\uac00-\ud7af]{2,6}")
_MOST_INITIALS = 4
_MOST_WORDS = 8


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a name. The words are folded; a single letter is an initial.

    `is_turned`: by an order that is only a guess, so an initial is not enough to go by.
    """

    family: str
    given: tuple[str, ...]
    is_turned: bool = False


class Name:
    """Somebody's name, to be looked for among many others."""

    def __init__(self, text: str) -> None:
        self._readings = [reading for reading in _readings(text, turned=True) if reading.given]
        self._keys = sorted({reading.family.split()[-1] for reading in self._readings})

    @property
    def is_findable(self) -> bool:
        """Whether the name says enough to be looked for."""
        return bool(self._readings)

    def is_like(self, author: str) -> bool:
        """Whether the author may be this person, as far as the two names tell."""
        folded = _spellings(author)
        if not any(key in spelling for key in self._keys for spelling in folded):
            return False  # nearly always, and quick
        theirs = [reading for reading in _readings(author, turned=False) if reading.given]
        return any(_agree(mine, other) for mine in self._readings for other in theirs)

    def first_like(self, authors: Sequence[str]) -> str | None:
        """Return the first of the authors who may be this person."""
        return next((author for author in authors if self.is_like(author)), None)


def _agree(mine: Reading, other: Reading) -> bool:
    if mine.family != other.family:
        return False
    if "".join(mine.given) == "".join(other.given):  # Jian-Wei, Jianwei
        return len("".join(mine.given)) > 1 or not mine.is_turned
    if mine.is_turned and len(other.given[0]) == 1:
        return False
    return all(map(_may_be, mine.given, other.given))


def _may_be(one: str, other: str) -> bool:
    if len(one) == 1 or len(other) == 1:
        return one[0] == other[0]
    return one == other


def _readings(text: str, *, turned: bool) -> Iterator[Reading]:
    for spelling in _spellings_in_case(text):
        family, comma, given = spelling.partition(",")
        words = _words(given)
        if comma and words:
            yield from _of(_words(family), words)
        else:
            yield from _without_comma(_words(family), turned=turned)


def _without_comma(words: list[str], *, turned: bool) -> Iterator[Reading]:
    if len(words) == 1 and _UNSPACED.fullmatch(words[0]):
        yield Reading(words[0][0], (words[0][1:],))
        return
    if len(words) > _MOST_WORDS:
        return  # a committee, or a sentence
    for at in range(1, len(words)):
        yield from _of(words[at:], words[:at])
    for at in range(1, len(words)):
        given = _without_particles(words[at:])
        if all(map(_are_initials, given)):  # Lee AB
            yield from _of(words[:at], given)
    if turned and len(words) > 1:  # Li Wei
        yield from (Reading(r.family, r.given, True) for r in _of(words[:1], words[1:]))


def _of(family: list[str], given: list[str]) -> Iterator[Reading]:
    given = _without_particles(given)
    initials = tuple(part.casefold() for word in given for part in _given_names(word))
    names = tuple(part for word in given for part in word.casefold().split("-") if part)
    words = [part for word in family for part in word.casefold().split("-") if part]
    while len(words) > 1 and words[0] in _PARTICLES:
        words = words[1:]
    # In capitals throughout, ANN may be a name as well as three initials.
    for read in {initials, names} if _is_long_in_capitals(given) else {initials}:
        if words and read:
            yield Reading(" ".join(words), read)


def _without_particles(given: list[str]) -> list[str]:
    """Drop what belongs to the family name: Berg, Anna van der."""
    while len(given) > 1 and given[-1] in _PARTICLES:
        given = given[:-1]
    return given


def _is_long_in_capitals(given: list[str]) -> bool:
    return any(len(word) > 2 and _are_initials(word) for word in given)


def _given_names(word: str) -> Iterator[str]:
    """Take apart what stands for several given names: AB, J-P, Jean-Paul."""
    for part in word.split("-"):
        if _are_initials(part):
            yield from part
        elif part:
            yield part


def _are_initials(word: str) -> bool:
    bare = word.replace("-", "")
    return len(bare) <= _MOST_INITIALS and bare.isupper() and bare.isalpha()


def _words(text: str) -> list[str]:
    words = (word.strip("-") for word in _WORD_END.split(text))
    return [word for word in words if word and word.casefold() not in _TITLES]


def _spellings(text: str) -> set[str]:
    return {spelling.casefold() for spelling in _spellings_in_case(text)}


def _spellings_in_case(text: str) -> set[str]:
    """Return the text without accents; where a letter has two ways to do without, in both."""
    text = _APOSTROPHES.sub("", text)
    if text.isascii():
        return {text}
    composed = unicodedata.normalize("NFC", text)
    both = (composed, composed.translate(_TWO_LETTERS))
    return {_without_marks(spelling.translate(_LETTERS)) for spelling in both}


def _without_marks(text: str) -> str:
    marked = unicodedata.normalize("NFKD", text)
    return unicodedata.normalize(
        "NFC", "".join(char for char in marked if not unicodedata.combining(char))
    )
