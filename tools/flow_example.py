"""The picture of docs/flow.md: a flow diagram of made-up numbers, drawn by the code that serves."""

from collections.abc import Iterator

from tandem.records.origin import FoundBy
from tandem.reporting.facts import Occurrence, RecordFacts
from tandem.reporting.flow import Template, flow
from tandem.reporting.layout import layout
from tandem.reporting.svg import svg
from tandem.reports.rules import Standing
from tandem.screening.rules import Status

_SOURCES = (("Medline", 800), ("Scopus", 760), ("CINAHL", 520))
_DUPLICATES, _EXCLUDED = 552, 1410
_NOT_RETRIEVED = 5
_REASONS = (
    ("Not peer workers' own experience", 38),
    ("Not a qualitative design", 23),
    ("No health setting", 12),
    ("Not a primary study", 5),
)
_ONGOING = 1


def picture() -> str:
    """Return the diagram as SVG."""
    made = flow([*_records()], reasons=[reason for reason, _ in _REASONS])
    drawn = layout(made, Template.NEW_V1, heading="SYNTHETIC")
    return svg(drawn, lambda key, _: f"/api/v1/reviews/REVIEW/prisma/boxes/{key}")


def _records() -> Iterator[RecordFacts]:
    sources = [name for name, n in _SOURCES for _ in range(n)]
    came = [Occurrence(n, FoundBy.DATABASE, name) for n, name in enumerate(sources, 1)]
    first, copies = came[: len(came) - _DUPLICATES], came[len(came) - _DUPLICATES :]
    standings = _standings()
    for place, occurrence in enumerate(first):
        occurrences = [occurrence, *copies[place : place + 1]]
        if place < _EXCLUDED:
            yield RecordFacts(occurrence.number, occurrences, Status.EXCLUDED)
        else:
            standing, reason = next(standings, (Standing.INCLUDED, None))
            yield RecordFacts(
                occurrence.number, occurrences, Status.INCLUDED, standing=standing, reason=reason
            )


def _standings() -> Iterator[tuple[Standing, str | None]]:
    yield from [(Standing.NOT_RETRIEVED, None)] * _NOT_RETRIEVED
    for reason, n in _REASONS:
        yield from [(Standing.EXCLUDED, reason)] * n
    yield from [(Standing.ONGOING, None)] * _ONGOING
