"""Titles, names and dates as library cataloguers write them, less the signs between them."""

import re

_SIGNS = " /:;=,"
_MEDIUM = re.compile(
    r"\s*\[(?:electronic resource|microform|sound recording|videorecording"
    r"|computer file|elektronische ressource|ressource électronique)[^\]]{0,60}\]",
    re.I,
)
_SPACED = re.compile(r"(?<=\S)\s+(?=[:;]\s)")
_NOT_SORTED = re.compile("[\x88\x89\x98\x9c]")
"""Before and after an article that catalogues sort by the word behind it."""

_LIFE = re.compile(
    r"[\s,(]+(?:(?:b|d|ca|fl|active|approximately|born|died|geb)\.?\s*)?"
    r"(?:1[0-9]{3}|20[0-9]{2})\??(?:\s*[-–]\s*(?:(?:ca\.?|approximately)\s*)?(?:[12][0-9]{3}\??)?"
    r"|-\.\.\.)?\)?\.?$"
)
_ROLE = re.compile(
    r"[\s,]+\(?(?:(?:joint )?author|editor|translator|verfasser|herausgeber|éditeur|auteur"
    r"|illustrator|compiler|contributor|creator)(?:in|\.)?\)?$"
    r"|[\s,]+\(?(?:eds?|hrsg|comps?|ill|trans)\.\)?$",
    re.I,
)
_ABBREVIATED = re.compile(r"(?:^|[\s.-])(?:[^\W\d_]|jr|sr|st|dr|etc|inc|ltd|co)\.$", re.I)
_LONGEST_NAME = 500
_LONGEST_TITLE = 10_000


def title(*parts: str) -> str:
    """Return a title of its parts (title, rest, number, name), as one reads it aloud.

    The signs that announce the next part stay only where one comes: `Anger : a history /`
    becomes `Anger: a history`.
    """
    text = ""
    for part in parts:
        if len(text) > _LONGEST_TITLE:
            break
        if piece := " ".join(_NOT_SORTED.sub("", part[:_LONGEST_TITLE]).split()):
            text = _MEDIUM.sub("", f"{text}{_between(text)}{piece}")
    return _SPACED.sub("", text.rstrip(_SIGNS).removesuffix(" .").rstrip(_SIGNS))


def _between(text: str) -> str:
    """Return what to put after `text`: a sign where it ends in none."""
    if not text:
        return ""
    return " " if text[-1] in ".,:;=/?!" else ": "


def name(text: str) -> str:
    """Return a person's or body's name, less years of life, a role and the sign after it."""
    text = " ".join(text[:_LONGEST_NAME].split())
    text = _LIFE.sub("", _ROLE.sub("", text.rstrip(" ,;:/")))
    return keyword(text)


def keyword(text: str) -> str:
    """Return a heading less the full stop that closes its field, not that of an initial."""
    text = text.strip(" ,;:/")
    return text if _ABBREVIATED.search(text[-10:]) else text.removesuffix(".")
