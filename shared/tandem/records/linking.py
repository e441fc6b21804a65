"""Which incoming records are ones that the review already has, by exact DOI or PMID.

Linking hides a record from screening, so a shared identifier alone is not enough where the
rest contradicts it: databases do give one DOI to a whole conference supplement.
"""

import unicodedata
from dataclasses import dataclass

from rapidfuzz import fuzz

from tandem.ids import RecordNumber

SAME_TITLE = 90.0
"""Least similarity, of 100, of two titles under one DOI. Below it they are two works."""

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
    differ, the titles are alike (or one is missing) and the years at most one apart.
    """
    if _differ(new.doi, known.doi) or _differ(new.pmid, known.pmid):
        return False
    if new.pmid and new.pmid == known.pmid:
        return True
    if not new.doi or new.doi != known.doi:
        return False
    years_fit = not new.year or not known.year or abs(new.year - known.year) <= _YEARS_APART
    return years_fit and _alike(new.title, known.title)


def _differ(a: str | None, b: str | None) -> bool:
    return bool(a and b and a != b)


def _alike(a: str, b: str) -> bool:
    a, b = _plain(a), _plain(b)
    return not a or not b or fuzz.ratio(a, b) >= SAME_TITLE


def _plain(title: str) -> str:
    """Fold case, width and accents, keep letters and digits of every script."""
    folded = unicodedata.normalize("NFKD", title).casefold()
    kept = "".join(c if c.isalnum() else " " for c in folded if not unicodedata.combining(c))
    return " ".join(kept.split())
