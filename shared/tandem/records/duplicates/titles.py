"""Titles in the form in which they are compared, in any script."""

import re
import sys
import unicodedata
from dataclasses import dataclass
from functools import cache

from tandem.records.duplicates import vocabulary

LONG_TITLE = 30
"""Least weight of a title that hardly two works have by chance."""

VERY_LONG_TITLE = 60
"""Least weight of a title that two works do not share by chance, give or take a few letters."""

_LONGEST = 600

TELLING_WEIGHT = 20
"""Least weight of words that titles hardly share by chance."""

_LANGUAGES = (
    "arabic|chinese|croatian|czech|danish|dutch|english|finnish|french|german|greek|hebrew"
    "|hungarian|italian|japanese|korean|norwegian|persian|polish|portuguese|romanian|russian"
    "|serbian|slovak|slovenian|spanish|swedish|turkish|ukrainian"
)
_ASIDE = re.compile(
    r"(?<=\S)\s*[\[(](?:(?:published )?(?:errat|corrigend|comment|retract|republish)\w* "
    r"(?:appears )?(?:in|on|by|from)\b|see comment|summary for patients in|corrected\b"
    r"|(?:meeting |conference )?abstract\b|proceedings\b|author'?s transl|article in "
    rf"|(?:in )?(?:{_LANGUAGES})(?=[\])]))"
    r"(?:[^\[\]()]|[\[(][^\[\]()]{0,200}[\])]){0,500}(?:[\])]\W{0,9})?$|<original>.*$",
    re.I | re.S,
)
"""What databases put behind a title that is not part of it, mostly in brackets."""

_CORRECTED = re.compile(r"\[(?:corrected|sic)\]", re.I)
"""What PubMed puts behind a word of a title that it has mended."""

_WORD = re.compile(r"[^\W_]+")
_IDEOGRAPHS = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_PARTS = re.compile(f"[{_IDEOGRAPHS}]|[^{_IDEOGRAPHS}]+")
"""An ideograph is a word: one other makes rats of mice."""
_DIGITS = re.compile(r"[^0-9]")
_LATIN_EXTRA = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i", "ħ": "h"}
)


@dataclass(frozen=True, slots=True)
class Title:
    """A title ready for comparison.

    Attributes:
        words: Folded words; roman numerals and number words as digits, Greek letters by name.
        key: The same without spaces: they and hyphens are set differently from source to source.
        digits: Those of the key, in their order.
        weight: Its length with spaces; an ideograph counts as two letters.
        is_generic: It names a kind of text ("Letter to the editor"), not what it is about.
        core: The key of the title that this one, of an erratum or a protocol, is about; else its
            own key.
        notice: "erratum", "retraction", "protocol", where it says to be one.
    """

    words: tuple[str, ...]
    key: str
    digits: str
    weight: int
    is_generic: bool
    core: str
    notice: str | None

    @property
    def is_telling(self) -> bool:
        """Whether hardly two works have it by chance."""
        return self.weight >= LONG_TITLE and not self.is_generic


def plain_title(title: str) -> str:
    """Fold case, width and accents, keep letters and digits of every script."""
    return " ".join(_fold(title))


def read_title(text: str) -> Title:
    """Return a title ready for comparison, by its first 600 characters."""
    text = _ASIDE.sub("", text[:_LONGEST], count=1)
    folded = _fold(_CORRECTED.sub("", text) if "[" in text else text)
    plain = " ".join(folded)
    words = _numbered(folded)
    key = "".join(words)
    core, notice = _core(words)
    return Title(
        words=words,
        key=key,
        digits=key if key.isdigit() and key.isascii() else _DIGITS.sub("", key),
        weight=len(plain) if plain.isascii() else len(plain) + sum(map(_is_ideograph, plain)),
        is_generic=all(w in vocabulary.GENERIC or w[0].isdigit() for w in words),
        core=key if core == words else "".join(core),
        notice=notice,
    )


def _core(words: tuple[str, ...]) -> tuple[tuple[str, ...], str | None]:
    """Return the title within a notice's title, and what notice it is."""
    for at, word in enumerate(words):
        notice = vocabulary.NOTICES.get(word)
        if notice is None:
            continue
        before, after = words[:at], words[at + 1 :]
        if all(word in vocabulary.BESIDE_NOTICES for word in before):
            if after[:1] != ("of",) or notice != "erratum":  # not "Correction of club foot"
                return _without_place(_trimmed(after)), notice
        elif sum(map(len, before)) >= TELLING_WEIGHT:
            return _trimmed(before, at_end=True), notice
    return words, None


def _trimmed(words: tuple[str, ...], *, at_end: bool = False) -> tuple[str, ...]:
    step = -1 if at_end else 0
    while words and words[step] in vocabulary.BESIDE_NOTICES:
        words = words[:-1] if at_end else words[1:]
    return words


def _without_place(words: tuple[str, ...]) -> tuple[str, ...]:
    """Drop `(vol 12, pg 3, 2004)`, which some databases put after the title in a notice."""
    for at in range(1, len(words) - 1):
        if words[at] == "vol" and words[at + 1][0].isdigit():
            return words[:at]
    return words


def _fold(text: str) -> list[str]:
    if text.isascii():
        return _WORD.findall(text.casefold())
    folded = unicodedata.normalize("NFKD", text).casefold().translate(_LATIN_EXTRA)
    kept = "".join(c for c in folded if not _is_accent(c))
    return "".join(c if _in_word(c) else " " for c in kept).split()


@cache
def _is_accent(c: str) -> bool:
    """Whether `c` is a mark that writers leave out; those that are vowels in Indic scripts stay."""
    return unicodedata.combining(c) >= 200 or 10 <= unicodedata.combining(c) < 84


@cache
def _in_word(c: str) -> bool:
    return c.isalnum() or unicodedata.category(c) in ("Mn", "Mc")


@cache
def _is_ideograph(c: str) -> bool:
    return unicodedata.east_asian_width(c) == "W"


def _numbered(words: list[str]) -> tuple[str, ...]:
    out = []
    if not all(map(str.isascii, words)):
        words = [part for word in words for part in _PARTS.findall(word)]
    for place, word in enumerate(words):
        if word in vocabulary.NUMBERS:
            word = vocabulary.NUMBERS[word]
        elif place and word in ("i", "v", "x") and words[place - 1] in vocabulary.COUNTED:
            word = {"i": "1", "v": "5", "x": "10"}[word]
        elif not word.isascii():
            word = vocabulary.GREEK.get(word, word)
        out.append(sys.intern(word))  # a hundred thousand titles have few words among them
    return tuple(out)
