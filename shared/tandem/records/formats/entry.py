"""What reading a file yields: records that can be screened, and what could not be read."""

from dataclasses import dataclass

LONGEST_EXCERPT = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """One bibliographic record, normalised, with its text as it stood in the file.

    No field holds NUL, other control characters or lone surrogates; `raw` keeps line ends
    and tabs. `ref` is the source's own number for the record.
    """

    title: str
    abstract: str
    authors: tuple[str, ...]
    year: int | None
    journal: str | None
    volume: str | None
    issue: str | None
    pages: str | None
    doi: str | None
    pmid: str | None
    url: str | None
    keywords: tuple[str, ...]
    language: str | None
    ref: str | None
    raw: str


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that could not be read, and why, in words for the person who sent the file.

    `position` counts from 1 over everything read, entries included. `excerpt` is how the
    record begins, at most 200 characters.
    """

    position: int
    reason: str
    excerpt: str
