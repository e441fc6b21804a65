"""A flow with something in every box, for the tests of pictures and tables."""

from tandem.records.origin import FoundBy, RemovalKind
from tandem.reporting.facts import Occurrence, RecordFacts
from tandem.reporting.flow import Flow, flow
from tandem.reports.rules import Standing
from tandem.screening.rules import Status

HARD_REASONS = (
    "Not peer workers' own experience; or not about peers, at all\nnor near",
    "0",
    "1,234",
    "Costs $5 & <more> than “x”",
    "Pneumonoultramicroscopicsilicovolcanoconiosis_in_one_word_without_spaces",
    "研究デザインが違います" * 6,
)
"""With a semicolon, commas, a line break; numbers alone; signs of XML and TeX; no spaces."""


def full() -> Flow:
    """Return a flow of both columns with previous studies, unfinished, and hard reasons."""
    return flow([*_searched(), *_otherwise(), *_previous()], reasons=HARD_REASONS)


def _searched() -> list[RecordFacts]:
    sources = ("Medline", "CINAHL", "Scopus", "A very long name of a database, with a comma; yes")
    found, number = list[RecordFacts](), 0
    for place in range(1300):
        number += 1
        way = FoundBy.REGISTER if place % 11 == 0 else FoundBy.DATABASE
        occurrences = [Occurrence(number, way, sources[place % 4])]
        if place % 5 == 0:
            number += 1
            again = FoundBy.CITATION if place % 10 == 0 else FoundBy.DATABASE
            occurrences.append(Occurrence(number, again, "Embase"))
        found.append(_record(place, occurrences))
    return found


def _record(place: int, occurrences: list[Occurrence]) -> RecordFacts:
    number = occurrences[0].number
    if place % 50 == 1:
        return RecordFacts(number, occurrences, removal=[*RemovalKind][place % 100 // 50])
    if place % 50 == 2:
        return RecordFacts(number, occurrences, left_unread=place % 100 == 2)
    if place % 3:
        return RecordFacts(number, occurrences, Status.EXCLUDED)
    reports = [one for one in Standing if one not in (Standing.PREVIOUS, Standing.NOT_SOUGHT)]
    standing = reports[place // 3 % 8]
    reason = HARD_REASONS[place % len(HARD_REASONS)] if place % 7 else None
    return RecordFacts(number, occurrences, Status.INCLUDED, standing=standing, reason=reason)


def _otherwise() -> list[RecordFacts]:
    ways = [one for one in FoundBy if one.is_other_method]
    found = list[RecordFacts]()
    for number in range(5001, 5041):
        occurrences = [Occurrence(number, ways[number % 4])]
        if number % 2:
            facts = RecordFacts(number, occurrences, at_full_text=True, standing=Standing.INCLUDED)
        else:
            facts = RecordFacts(
                number,
                occurrences,
                [Status.EXCLUDED, Status.UNSCREENED, Status.INCLUDED][number % 3],
                standing=Standing.BEING_SOUGHT,
            )
        found.append(facts)
    return found


def _previous() -> list[RecordFacts]:
    return [
        RecordFacts(
            number,
            [Occurrence(number, FoundBy.PREVIOUS)],
            standing=Standing.PREVIOUS,
            studies=frozenset({f"study {number // 2}"}),
        )
        for number in range(6001, 6004)
    ]
