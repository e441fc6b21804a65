"""Numbers of trial registries, such as NCT01234567, found in texts and brought to one form each.

A number that a record has for its own (its `ref`, its address, its author in Cochrane's register)
comes first; numbers that its fields or its abstract name follow.
"""

import re
from collections.abc import Iterable, Iterator

_EU_NUMBER = r"(20[0-9]{2}-[0-9]{6}-[0-9]{2})"
_SHAPES: tuple[tuple[str, str], ...] = (
    (r"NCT[ :#-]{0,2}0?([0-9]{8})", "NCT{}"),
    (r"ISRCTN[ :#-]{0,2}([0-9]{8})", "ISRCTN{}"),
    (r"ACTRN[ :#-]{0,2}([0-9]{14})p?", "ACTRN{}"),
    (rf"(?:EudraCT|EU[ -]?CTR?|CTIS)[^0-9\n]{{0,20}}{_EU_NUMBER}(?:-[A-Z0-9]{{2,3}})?", "EUCTR{}"),
    (r"ChiCTR[ -]{0,2}([0-9]{8,12})", "ChiCTR{}"),
    (r"ChiCTR-?([A-Z]{2,5})-?([0-9]{8,10})", "ChiCTR-{}-{}"),
    (r"DRKS[ :#-]{0,2}([0-9]{8})", "DRKS{}"),
    (r"UMIN(?:-?CTR)?[ :#-]{0,2}([0-9]{9})", "UMIN{}"),
    (r"jRCT(s?)[ -]?([0-9]{9,10})", "jRCT{}{}"),
    (r"JapicCTI[ -]?([0-9]{6})", "JapicCTI-{}"),
    (r"CTRI[/ -](20[0-9]{2})[/-]([0-9]{2,3})[/-]([0-9]{6})", "CTRI/{}/{}/{}"),
    (r"PACTR[ -]?([0-9]{14,16})", "PACTR{}"),
    (r"RBR-([0-9a-z]{5,8})", "RBR-{}"),
    (r"(?:NTR|Trial NL)[ -]?([0-9]{3,5})", "NTR{}"),
    (r"NL-OMON([0-9]{4,6})", "NL-OMON{}"),
    (r"IRCT[ -]?([0-9]{6,16})N([0-9]{1,3})", "IRCT{}N{}"),
    (r"TCTR[ -]?([0-9]{11})", "TCTR{}"),
    (r"KCT[ -]?([0-9]{7})", "KCT{}"),
    (r"SLCTR/(20[0-9]{2})/([0-9]{3})", "SLCTR/{}/{}"),
    (r"RPCEC[ -]?([0-9]{8})", "RPCEC{}"),
    (r"LBCTR[ -]?([0-9]{10})", "LBCTR{}"),
    (r"ITMCTR[ -]?([0-9]{10})", "ITMCTR{}"),
    (r"PER-([0-9]{3})-([0-9]{2})", "PER-{}-{}"),
)
_FORMS = tuple((re.compile(pattern, re.I), form) for pattern, form in _SHAPES)
_ANY = re.compile(
    rf"(?<![A-Za-z0-9])(?:(?:JPRN-)?(?:{'|'.join(f'(?:{shape})' for shape, _ in _SHAPES)}))"
    r"(?![A-Za-z0-9])",
    re.I,
)
_BARE_EU_NUMBER = re.compile(rf"{_EU_NUMBER}(?:-[A-Z0-9]{{2,3}})?")
_SIGNS = ("CT", "DRKS", "UMIN", "RBR-", "NTR", "OMON", "RPCEC", "PER-", "Trial NL")
"""One of these is in every number, in the case in which abstracts have them."""

_DIGITS = re.compile(r"[0-9]{3}|RBR-")

_LONGEST = 100_000
_MOST = 50
_MOST_IN_PROSE = 3
"""An abstract that names more is one of a review, and the trials are others' work."""


def own(text: str) -> str | None:
    """Return the registry number that all of `text` is, or that ends the address in it."""
    text = text.strip()
    if not _DIGITS.search(text):
        return None
    if found := _BARE_EU_NUMBER.fullmatch(text):
        return f"EUCTR{found[1]}"
    found = _ANY.search(text[:_LONGEST]) if len(text) < 300 else None
    if found is None:
        return None
    return _in_form(found[0]) if "://" in text or found[0] == text.rstrip(".") else None


def named(text: str) -> Iterator[str]:
    """Yield the registry numbers in `text`, those in capitals as registries write them."""
    if _names_a_register(text) and _DIGITS.search(text):
        for found in _ANY.finditer(text[:_LONGEST]):
            if number := _in_form(found[0]):
                yield number


def _names_a_register(text: str) -> bool:
    for sign in _SIGNS:  # noqa: SIM110  # a generator takes three times as long
        if sign in text:
            return True
    return False


def numbers(own_: Iterable[str], fields: Iterable[str], prose: Iterable[str]) -> tuple[str, ...]:
    """Return the numbers of a record, each once, its own first.

    Args:
        own_: Its accession number, addresses and authors: a number counts where it is all of it.
        fields: Fields for identifiers and notes: every number in them counts.
        prose: Title and abstract: numbers count unless there are more than three.
    """
    first = filter(None, map(own, own_))
    mentioned = list(dict.fromkeys(number for text in prose for number in named(text)))
    if len(mentioned) > _MOST_IN_PROSE:
        mentioned = []
    noted = (number for text in fields for number in named(text))
    return tuple(dict.fromkeys((*first, *noted, *mentioned)))[:_MOST]


def _in_form(written: str) -> str | None:
    """Return a number as its registry writes it, whatever signs stand between its parts."""
    bare = written[5:] if written[:5].upper() == "JPRN-" else written
    for shape, form in _FORMS:
        if found := shape.fullmatch(bare):
            groups = [part.lower() if form == "RBR-{}" else part.upper() for part in found.groups()]
            if form.startswith("jRCT"):
                groups[0] = groups[0].lower()
            return form.format(*groups)
    return None
