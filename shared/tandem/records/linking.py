"""Which incoming records are ones that the review already has, by exact DOI or PMID.

Linking hides a record from screening, so a shared identifier alone is not enough where the
rest contradicts it: databases do give one DOI to a whole conference supplement.
"""

import re
import unicodedata
from dataclasses import dataclass

from rapidfuzz import fuzz

from tandem.ids import RecordNumber

SAME_TITLE = 90.0
"""Least similarity, of 100, of two titles under one DOI. Below it they are two works."""

_TELLING_WORDS = 4
"""Fewer words at the beginning are shared by chance: "Abstracts of the", "Letter to the"."""

_OTHER_WORK = frozenset(
    [
        "part",
        "ii",
        "iii",
        "iv",
        "erratum",
        "corrigendum",
        "correction",
        "retraction",
        "retracted",
        "reply",
        "response",
        "comment",
        "commentary",
        "protocol",
        "supplement",
        "appendix",
        "abstracts",
    ]
)

_WORD = re.compile(r"[^\W_]+")

_YEARS_APART = 1
"""Online first and print often carry neighbouring years."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a record is recognised by. `number` is that of the record it is shown as."""

    number: RecordNumber
    title: str
    year: int | None
    doi: str | None
    pmid: str | None


def is_same(new: Identity, known: Identity) -> bool:
    """Whether two records that share a DOI or a PMID are certainly one.

    The same PMID settles it, unless the DOIs differ. The same DOI does when the PMIDs do not
    differ and the titles are alike, or one is missing. Where one title is only the beginning of
    the other (databases drop subtitles), the years must be at most one apart as well.
    """
    if _differ(new.doi, known.doi) or _differ(new.pmid, known.pmid):
        return False
    if new.pmid and new.pmid == known.pmid:
        return True
    if not new.doi or new.doi != known.doi:
        return False
    a, b = plain_title(new.title), plain_title(known.title)
    if not a or not b:
        return True
    if _other_work(set(a.split()) ^ set(b.split())):
        return False
    if fuzz.ratio(a, b) >= SAME_TITLE:
        return True
    years_fit = not new.year or not known.year or abs(new.year - known.year) <= _YEARS_APART
    return years_fit and _shortened(a, b)


def _differ(a: str | None, b: str | None) -> bool:
    return bool(a and b and a != b)


def _shortened(a: str, b: str) -> bool:
    short, long = sorted((a.split(), b.split()), key=len)
    return len(short) >= _TELLING_WORDS and long[: len(short)] == short


def _other_work(differing: set[str]) -> bool:
    """Whether the words that only one title has say: another part, a reply, an erratum."""
    return any(word in _OTHER_WORK or any(c.isdigit() for c in word) for word in differing)


def plain_title(title: str) -> str:
    """Fold case, width and accents, keep letters and digits of every script."""
    folded = unicodedata.normalize("NFKD", title).casefold()
    if not folded.isascii():
        folded = "".join(c for c in folded if not unicodedata.combining(c))
    return " ".join(_WORD.findall(folded))
