"""From what tables or a log say of a review's records to the facts of its flow. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from tandem.records.origin import (
    FoundBy,
    NotScreened,
    RemovalKind,
    StartsAt,
    Way,
    why_not_screened,
)
from tandem.reporting.facts import Occurrence, RecordFacts
from tandem.reports.rules import ReportFacts, Standing, reason, standing
from tandem.screening.rules import Status
from tandem.stopping.drawn import Frames


class Came(NamedTuple):
    """A record as it came, and the one that is shown in its place: itself if it is not linked."""

    occurrence: Occurrence
    shown: int


@dataclass(frozen=True, slots=True)
class Source:
    """What is known of a review's records, by number.

    Attributes:
        came: Every record that there is.
        statuses: At title and abstract, of those that anybody has decided.
        removals: Of those that were removed before screening.
        certified: The frames of certificates that hold: what nobody has decided of their records
            was left unread.
        reports: Of those that are at full text, or were.
        studies: Ids of the studies of those that are in one.
    """

    came: Iterable[Came]
    statuses: Mapping[int, Status] = field(default_factory=dict)
    removals: Mapping[int, RemovalKind] = field(default_factory=dict)
    certified: Frames = ()
    reports: Mapping[int, ReportFacts] = field(default_factory=dict)
    studies: Mapping[int, frozenset[str]] = field(default_factory=dict)


def assemble(source: Source) -> list[RecordFacts]:
    """Return the facts of each record that is not linked to another one."""
    groups = defaultdict[int, list[Occurrence]](list)
    for occurrence, shown in source.came:
        groups[shown].append(occurrence)
    return [_of_record(source, number, groups[number]) for number in sorted(groups)]


def _of_record(source: Source, number: int, occurrences: list[Occurrence]) -> RecordFacts:
    status = source.statuses.get(number, Status.UNSCREENED)
    removal = source.removals.get(number)
    report = source.reports.get(number)
    stands, why_excluded = _behind(report) if report is not None else _without_report(status)
    return RecordFacts(
        number=number,
        occurrences=occurrences,
        status=status,
        removal=removal,
        left_unread=any(number in frame for frame in source.certified),
        at_full_text=_starts_at_full_text(
            *{(one.found_by, one.starts_at) for one in occurrences}, is_removed=removal is not None
        ),
        standing=stands,
        reason=why_excluded,
        studies=source.studies.get(number, _NONE),
    )


_NONE = frozenset[str]()


def _behind(report: ReportFacts) -> tuple[Standing, str | None]:
    return standing(report) or Standing.NOT_SOUGHT, reason(report)


# Nearly all records are no reports, and came in one of a few ways: these are looked up.
@cache
def _without_report(status: Status) -> tuple[Standing, str | None]:
    return _behind(ReportFacts(title_abstract=status))


@cache
def _starts_at_full_text(*ways: tuple[FoundBy, StartsAt], is_removed: bool) -> bool:
    why = why_not_screened([Way(*way) for way in ways], is_removed=is_removed)
    return why is NotScreened.FULL_TEXT
