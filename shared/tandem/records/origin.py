"""By which way records came into a review, and why one left it before screening. Pure."""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple


class FoundBy(StrEnum):
    """How an import's records were found, in the words of PRISMA 2020.

    `previous`: they are the included reports of the review's previous version.
    """

    DATABASE = "database"
    REGISTER = "register"
    WEBSITE = "website"
    ORGANISATION = "organisation"
    CITATION = "citation"
    OTHER = "other"
    PREVIOUS = "previous"

    @property
    def is_searched(self) -> bool:
        """Whether it is the flow diagram's column of databases and registers."""
        return self in (FoundBy.DATABASE, FoundBy.REGISTER)

    @property
    def is_other_method(self) -> bool:
        """Whether it is the flow diagram's column of other methods."""
        return not self.is_searched and self is not FoundBy.PREVIOUS


class StartsAt(StrEnum):
    """Where the records of an import start: only those of other methods may skip the first."""

    TITLE_ABSTRACT = "title_abstract"
    FULL_TEXT = "full_text"


class NotScreened(StrEnum):
    """Why nobody screens a record's title and abstract, though it is shown."""

    REMOVED = "removed"
    PREVIOUS = "previous"
    FULL_TEXT = "full_text"


class Way(NamedTuple):
    """How one occurrence of a record came, and where such records start."""

    found_by: "FoundBy"
    starts_at: StartsAt = StartsAt.TITLE_ABSTRACT


def why_not_screened(ways: Iterable[Way], *, is_removed: bool) -> NotScreened | None:
    """Return why a record with these occurrences is not screened; None where it is.

    A record that any database or register has found is screened, whatever else has found it.
    """
    found = [*ways]
    if any(way.found_by is FoundBy.PREVIOUS for way in found):
        return NotScreened.PREVIOUS
    if is_removed:
        return NotScreened.REMOVED
    if any(way.found_by.is_searched for way in found):
        return None
    starts = any(way.starts_at is StartsAt.FULL_TEXT for way in found)
    return NotScreened.FULL_TEXT if starts else None


class RemovalKind(StrEnum):
    """Why a record was removed before screening: a tool marked it, or another reason."""

    AUTOMATION = "automation"
    OTHER = "other"
