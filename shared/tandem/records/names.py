"""Whether two names may be one person's: a family name, and given names that do not contradict.

Authors are written in many ways: "Lee, Ann", "Ann Lee", "A. Lee", "Lee A", "Lee AB". Each name is
read in every way that makes sense; two names are alike if they are in any of them. A family name
alone is like no other: without an initial it is a crowd. Pure.

Not known are nicknames (Bob for Robert), a name in another script (Li Wei for 李伟), other
transliterations (Mohammed, Muhammad), and a family name of before, unless the present one holds it.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

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
_EAST_ASIAN = re.compile(r"[\u3005\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{2,8}")
_BESIDE_SPACES = re.compile(r"[\s,]+")
_PREFIXES = ("mc", "mac", "o")
"""Of a family name: Mc Carthy, Mac Donald, O Brien are one word as well."""
_OF_ONE_NAME = frozenset(
    ("abd", "abdel", "abdul", "abou", "abu", "ben", "bint", "saint", "san", "santa", "st")
)
"""With what follows, these are one family name and no double one."""
_VOWELS = re.compile(r"[aeiouy]+")
_BETWEEN_PEOPLE = re.compile(r",|&|\band\b")
_MOST_INITIALS = 4
_MOST_WORDS = 8


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a name. The words are folded; a single letter is an initial.

    `is_turned`: by an order that is only a guess, so an initial is not enough to go by. `parts`:
    of a family name that is plainly a double one, the two.
    """

    family: str
    given: tuple[str, ...]
    is_turned: bool = False
    parts: tuple[str, ...] = ()


class Name:
    """Somebody's name, to be looked for among many others."""

    def __init__(self, text: str) -> None:
        self._readings = [reading for reading in _readings(text, turned=True) if reading.given]
        self._unspaced = _without_spaces(text)
        lasts = {reading.family.split()[-1] for reading in self._readings}
        parts = {part for reading in self._readings for part in reading.parts}
        self._keys = sorted(map(_without_prefix, lasts | parts))

    @property
    def is_findable(self) -> bool:
        """Whether the name says enough to be looked for."""
        return bool(self._readings)

    def is_like(self, author: str) -> bool:
        """Whether the author may be this person, as far as the two names tell."""
        if self._unspaced and self._unspaced == _without_spaces(author):
            return True
        folded = _spellings(author)
        if not any(key in spelling for key in self._keys for spelling in folded):
            return False  # nearly always, and quick
        theirs = [
            reading
            for one in _people(author)
            for reading in _readings(one, turned=False)
            if reading.given
        ]
        return any(_agree(mine, other) for mine in self._readings for other in theirs)

    def first_like(self, authors: Sequence[str]) -> str | None:
        """Return the first of the authors who may be this person."""
        return next((author for author in authors if self.is_like(author)), None)


def _people(text: str) -> list[str]:
    """Take apart several authors in one text where it can be nothing else: Lee AB, Smith J."""
    if ";" in text:
        return text.split(";")
    some = [one.strip() for one in _BETWEEN_PEOPLE.split(text) if one.strip()]
    return some if len(some) > 1 and all(map(_ends_in_initials, some)) else [text]


def _ends_in_initials(text: str) -> bool:
    words = _words(text)
    return len(words) > 1 and _are_initials(words[-1]) and not _are_initials(words[0])


def _agree(mine: Reading, other: Reading) -> bool:
    if mine.family != other.family:
        is_part = mine.family in other.parts or other.family in mine.parts
        return is_part and not mine.is_turned and _are_given_in_full(mine.given, other.given)
    if "".join(mine.given) == "".join(other.given):  # Jian-Wei, Jianwei
        return len("".join(mine.given)) > 1 or not mine.is_turned
    if mine.is_turned and len(other.given[0]) == 1 and not 1 < len(mine.given) == len(other.given):
        return False
    return all(map(_may_be, mine.given, other.given))


def _are_given_in_full(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether the first given name is the same in full, and no other one speaks against it.

    A further name in full may be a family name as well, so both have it.
    """
    shorter = min(len(one), len(other))
    rest = one[shorter:] + other[shorter:]
    is_full = one[0] == other[0] and len(one[0]) > 1
    return is_full and all(len(name) == 1 for name in rest) and all(map(_may_be, one, other))


def _may_be(one: str, other: str) -> bool:
    if len(one) == 1 or len(other) == 1:
        return one[0] == other[0]
    return one == other


def _readings(text: str, *, turned: bool) -> Iterator[Reading]:
    for spelling in _spellings_in_case(text):
        parts = [words for words in map(_words, spelling.split(",")) if words]
        if len(parts) == 1:
            yield from _without_comma(parts[0], turned=turned)
        elif parts:
            yield from _of(parts[0], list(chain.from_iterable(parts[1:])), is_sure=True)


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


def _of(family: list[str], given: list[str], *, is_sure: bool = False) -> Iterator[Reading]:
    given = _without_particles(given)
    initials = tuple(part.casefold() for word in given for part in _given_names(word))
    names = tuple(part for word in given for part in word.casefold().split("-") if part)
    words = [part for word in family for part in word.casefold().split("-") if part]
    while len(words) > 1 and words[0] in _PARTICLES:
        words = words[1:]
    if len(words) > 1 and words[0] in _PREFIXES:
        words = [words[0] + words[1], *words[2:]]
    parts = _parts(words, is_sure=is_sure or _is_hyphenated(family))
    # In capitals throughout, ANN may be a name as well as three initials.
    for read in {initials, names} if _is_long_in_capitals(given) else {initials}:
        if words and read:
            yield Reading(" ".join(words), read, parts=parts)


def _parts(words: list[str], *, is_sure: bool) -> tuple[str, ...]:
    """Return the two parts of a double family name: García Márquez, Brown-Jones."""
    parts = tuple(word for word in words if word not in _PARTICLES)
    is_double = len(parts) == 2 and all(len(part) > 1 for part in parts)
    return parts if is_sure and is_double and parts[0] not in _OF_ONE_NAME else ()


def _is_hyphenated(family: list[str]) -> bool:
    """Whether a hyphen tells of two family names, and not of a given name such as Wei-Ming.

    Those of Chinese and Korean names are a syllable each.
    """
    hyphenated = [word for word in family if "-" in word]
    others = [word for word in family if word not in hyphenated]
    return (
        len(hyphenated) == 1
        and all(word.casefold() in _PARTICLES for word in others)
        and any(len(_VOWELS.findall(part)) > 1 for part in hyphenated[0].casefold().split("-"))
    )


def _without_spaces(text: str) -> str:
    """Return an East Asian name in its own script, which may be written with a space or without."""
    if text.isascii():
        return ""
    joined = _BESIDE_SPACES.sub("", unicodedata.normalize("NFKC", text))
    return joined if _EAST_ASIAN.fullmatch(joined) else ""


def _without_prefix(word: str) -> str:
    """Return what is in a name whether it is written Mac Donald or MacDonald."""
    bare = next((word.removeprefix(one) for one in _PREFIXES if word.startswith(one)), word)
    return bare if len(bare) > 1 else word


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
