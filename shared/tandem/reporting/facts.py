"""What a flow diagram is made of: one entry for each record that is not linked to another. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from tandem.records.origin import FoundBy, RemovalKind, StartsAt
from tandem.reports.rules import Standing
from tandem.screening.rules import Status

FIRST_WAVE = 1
"""The number of a review's first search."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A record as one import brought it; `number` is its own, also where it is linked."""

    number: int
    found_by: FoundBy = FoundBy.DATABASE
    source: str | None = None
    wave: int = FIRST_WAVE
    starts_at: StartsAt = StartsAt.TITLE_ABSTRACT


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """What is known of a record that is not linked to another one.

    Attributes:
        number: Its number, and its id outside.
        occurrences: Itself and the records that are linked to it.
        status: At title and abstract.
        removal: Why it was removed before screening, if it was.
        left_unread: A certificate holds that ended screening before anybody decided the record.
        at_full_text: It starts at full text: nobody screens its title and abstract.
        standing: What became of it behind title and abstract.
        reason: The final reason of an excluded report.
        studies: Ids of the studies that it is a report of; none: it is a study of its own.
    """

    number: int
    occurrences: Sequence[Occurrence]
    status: Status = Status.UNSCREENED
    removal: RemovalKind | None = None
    left_unread: bool = False
    at_full_text: bool = False
    standing: Standing = Standing.NOT_SOUGHT
    reason: str | None = None
    studies: frozenset[str] = frozenset()

    @property
    def is_previous(self) -> bool:
        return FoundBy.PREVIOUS in [one.found_by for one in self.occurrences]

    @property
    def first_wave(self) -> int:
        return min(one.wave for one in self.occurrences)
