"""Journals, volumes and pages: whether two records say that they stand in the same place.

Every comparison returns True, False, or None where it is unknown.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz

from tandem.records.duplicates.titles import plain_title

_NUMBER = re.compile(r"[0-9]{1,9}")
_PAGE = re.compile(r"([a-z]{0,5})[\s.]?0*([0-9]{1,9})([a-z]?)(?![0-9])")
_MOST_RANGES = 5
_DISCUSSION = re.compile(r"discussion|quiz|author reply|erratum", re.I)
_TO = re.compile(r"\s*(?:[-–—‐‑−]|to)+\s*")
_ASIDE = re.compile(r"[(\[][^()\[\]]{0,300}[)\]]")
_SUBTITLE = re.compile(r"\s*(?::|;|=|, |\.\s*conference\b|\bconference:).*", re.I | re.S)
_SMALL_WORDS = frozenset(
    [
        *("the", "of", "and", "for", "in", "on", "a", "an", "s", "de", "la", "le", "les", "des"),
        *("du", "et", "der", "die", "das", "fur", "und", "el", "los", "del", "y", "di", "e", "i"),
    ]
)
_SAME_JOURNAL = 85.0


@dataclass(frozen=True, slots=True)
class Pages:
    """First page and last, 0 if not given.

    `letters` stand before or after the first: S12, 12S, e12. `starts` has the first pages of
    all ranges, where an article is printed in several pieces or languages.
    """

    letters: str
    first: int
    last: int
    starts: frozenset[int]

    @property
    def are_exact(self) -> bool:
        """Whether no other article can have the same pages: it fills those between."""
        return not self.letters and self.last >= self.first + 2


def read_pages(text: str | None) -> Pages | None:
    text = _DISCUSSION.split((text or "").casefold(), maxsplit=1)[0]
    ranges: list[tuple[str, int, int]] = []
    at = 0
    while len(ranges) < _MOST_RANGES and (found := _PAGE.search(text, at)):
        to = _TO.match(text, found.end())
        end = _PAGE.match(text, to.end()) if to else None
        ranges.append(_range(found, end[2] if end else ""))
        at = (end or found).end()
    if not ranges:
        return None
    letters, first, last = ranges[0]
    return Pages(letters, first, last, frozenset(start for _, start, _ in ranges))


def _range(found: re.Match[str], last: str) -> tuple[str, int, int]:
    first = found[2]
    if last and len(last) < len(first):  # 1034-42
        last = first[: len(first) - len(last)] + last
    return (found[1] + found[3])[-1:], int(first), int(last or 0)


def same_pages(a: Pages | None, b: Pages | None) -> bool | None:
    """Whether both begin on one page. An article's number and its pages cannot be compared."""
    if a is None or b is None:
        return None
    if a.first == b.first:
        if a.letters and b.letters and a.letters != b.letters:
            return None
        # Articles that appear online only begin on page 1, every one of them.
        return True if a.first > 1 or a.last == b.last else None
    if a.first in b.starts or b.first in a.starts:
        return True
    overlap = a.first <= b.last and b.first <= a.last
    alike = bool(a.letters) == bool(b.letters) and bool(a.last) == bool(b.last)
    return False if alike and not overlap and a.first > 1 and b.first > 1 else None


def read_numbers(text: str | None, *, year: int | None) -> tuple[int, ...]:
    """Return a volume's or issue's numbers, less the year, which some journals count by."""
    return tuple(n for n in map(int, _NUMBER.findall(text or "")) if n != year)


def same_numbers(a: Sequence[int], b: Sequence[int]) -> bool | None:
    """Whether two volumes, or issues, are one: `60` is in `60 (1 Supplement 1)`."""
    if not a or not b:
        return None
    return a[0] in b or b[0] in a


@dataclass(frozen=True, slots=True)
class Journal:
    """The words of a journal's name that tell, without places, subtitles and conferences."""

    words: tuple[str, ...]
    key: str
    initials: str
    aside: str
    """The key of another name that stands in brackets behind it."""


@lru_cache(maxsize=20_000)
def read_journal(text: str | None) -> Journal | None:
    if not text:
        return None
    main = _SUBTITLE.sub("", _ASIDE.sub(" ", text)) or text
    every = plain_title(main).split()
    words = _telling(every)
    aside = _ASIDE.search(text)
    other = "".join(_telling(plain_title(aside[0]).split())) if aside else ""
    return Journal(words, "".join(words), "".join(w[0] for w in every), other) if words else None


def _telling(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for word in words if word not in _SMALL_WORDS) or tuple(words)


def same_journal(a: Journal | None, b: Journal | None) -> bool | None:
    """Whether two names are of one journal, abbreviated or whole."""
    if a is None or b is None or a.key.isascii() != b.key.isascii():
        return None
    if a.key == b.key or fuzz.ratio(a.key, b.key) >= _SAME_JOURNAL:
        return True
    if a.key == b.aside or b.key == a.aside:
        return True
    short, long = sorted((a, b), key=lambda journal: (len(journal.words), len(journal.key)))
    if len(short.words) == 1 and len(long.words) > 1:
        if _acronym(short.key, long) or _glued(short.key, long.words):
            return True
        return None if short.key in long.words or short.key[0] == long.key[0] else False
    matched = _abbreviates(short.words, long.words)
    if matched == len(short.words) and (matched == len(long.words) or matched > 2):
        return True
    return None if 2 * matched >= len(short.words) else False


def _abbreviates(short: Sequence[str], long: Sequence[str]) -> int:
    """Return how many words of one name stand, whole or cut short, in the other, in its order."""
    place = matched = 0
    for word in short:
        for at in range(place, len(long)):
            if _shortens(word, long[at]) or _shortens(long[at], word):
                place, matched = at + 1, matched + 1
                break
    return matched


def _shortens(short: str, long: str) -> bool:
    if short[0] != long[0]:
        return False
    letters = iter(long)
    return all(letter in letters for letter in short)


def _acronym(short: str, long: Journal) -> bool:
    return len(short) > 1 and short in (long.initials, "".join(word[0] for word in long.words))


def _glued(short: str, long: Sequence[str]) -> bool:
    """Whether `short` is the beginnings of all words of `long`, written together."""
    places = {0}
    for word in long:
        places = {
            at + n
            for at in places
            for n in range(1, len(word) + 1)
            if short[at : at + n] == word[:n]
        }
    return len(short) in places
