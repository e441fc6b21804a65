"""By which way records came into a review, and why one left it before screening. Pure."""

from enum import StrEnum


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


class RemovalKind(StrEnum):
    """Why a record was removed before screening: a tool marked it, or another reason."""

    AUTOMATION = "automation"
    OTHER = "other"
