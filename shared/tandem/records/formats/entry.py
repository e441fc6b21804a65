"""What reading a file yields: records that can be screened, and what could not be read."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

LONGEST_EXCERPT = 200


class Kind(StrEnum):
    """What was published, as far as it matters to whether two records are one work."""

    ARTICLE = "article"
    CONFERENCE = "conference"
    PREPRINT = "preprint"
    CHAPTER = "chapter"
    BOOK = "book"
    THESIS = "thesis"
    REPORT = "report"
    TRIAL = "trial"
    ERRATUM = "erratum"
    RETRACTION = "retraction"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Prior:
    """A decision on the record that the file itself carries, from an earlier screening.

    Never taken by itself: the team is asked. `by` is who made it, where the file says so.
    """

    verdict: Literal["include", "exclude", "maybe"]
    by: str | None = None
    reasons: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One bibliographic record, normalised, with its text as it stood in the file.

    No field holds NUL, other control characters or lone surrogates; `raw` keeps line ends
    and tabs. `ref` is the source's own number for the record. `registry_ids` are the numbers of
    trial registries that it has or names, as `NCT01234567`: of a trial's record its own is the
    first. `breaks_off`: the file ends before the record does.
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
    kind: Kind | None = None
    priors: tuple[Prior, ...] = ()
    registry_ids: tuple[str, ...] = ()
    breaks_off: bool = False


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that could not be read, and why, in words for the person who sent the file.

    `position` counts from 1 over everything read, entries included. `excerpt` is how the
    record begins, at most 200 characters.
    """

    position: int
    reason: str
    excerpt: str
