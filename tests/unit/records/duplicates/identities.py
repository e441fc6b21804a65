"""One article as several databases have it, for the tests of duplicates."""

from typing import Any, TypedDict

from tandem.ids import RecordNumber
from tandem.records.duplicates.matching import Identity
from tandem.records.formats.entry import Kind

TITLE = "Early walking after abdominal surgery: a randomised trial"
DOI, OTHER_DOI = "10.1234/walk.18", "10.1234/swim.18"
PMID, OTHER_PMID = "12345678", "87654321"


class Fields(TypedDict, total=False):
    title: str
    authors: tuple[str, ...]
    year: int | None
    journal: str | None
    volume: str | None
    issue: str | None
    pages: str | None
    doi: str | None
    pmid: str | None
    kind: Kind | None
    abstract: str


WHOLE = Fields(
    title=TITLE,
    authors=("Lim, Sue M.", "Sanders, Leo"),
    year=2018,
    journal="Journal of Surgical Nursing",
    volume="41",
    issue="3",
    pages="152-160",
    doi=None,
    pmid=None,
    kind=None,
)


def record(number: int = 1, **fields: Any) -> Identity:
    """Return the article with other `fields`."""
    return Identity(number=RecordNumber(number), **{**WHOLE, **fields})


def bare(number: int = 1, **fields: Any) -> Identity:
    """Return a record that says nothing but `fields`."""
    nothing = dict.fromkeys(WHOLE) | {"title": "", "authors": ()}
    return Identity(number=RecordNumber(number), **{**nothing, **fields})
