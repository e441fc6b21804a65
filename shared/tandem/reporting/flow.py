"""The PRISMA 2020 flow: from facts about records to the set of records behind each box. Pure.

Every number that is shown, drawn, exported or verified is the size of such a set. The columns of
the diagram: a record counts under databases and registers if any of its occurrences came so, else
under other methods; it is previous if any occurrence is, or if an earlier wave has found it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tandem.records.origin import FoundBy, RemovalKind
from tandem.reporting import invariants
from tandem.reporting.boxes import (
    BY_TOOLS,
    IDENTIFIED_OTHERWISE,
    LABELS,
    LEFT_UNREAD,
    NO_REASON,
    NO_SOURCE,
    REMAINDER,
    UNIONS,
    Box,
    Item,
    Part,
    StudyKey,
)
from tandem.reporting.facts import Occurrence, RecordFacts
from tandem.reporting.invariants import Invariant
from tandem.reports.rules import Standing
from tandem.reviews.wording import key
from tandem.screening.rules import Status


class Template(StrEnum):
    """The four diagrams of PRISMA 2020; v2 has a column for other methods."""

    NEW_V1 = "new_v1"
    NEW_V2 = "new_v2"
    UPDATED_V1 = "updated_v1"
    UPDATED_V2 = "updated_v2"

    @property
    def is_updated(self) -> bool:
        return self in (Template.UPDATED_V1, Template.UPDATED_V2)

    @property
    def has_other_methods(self) -> bool:
        return self in (Template.NEW_V2, Template.UPDATED_V2)

    @classmethod
    def of(cls, *, is_updated: bool, has_other_methods: bool) -> "Template":
        if is_updated:
            return cls.UPDATED_V2 if has_other_methods else cls.UPDATED_V1
        return cls.NEW_V2 if has_other_methods else cls.NEW_V1


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow diagram's numbers. `boxes` has every key of `LABELS`, empty ones too."""

    boxes: Mapping[str, Box]
    invariants: Sequence[Invariant]
    wave: int | None

    def n(self, key: str) -> int:
        return self.boxes[key].n

    @property
    def is_finished(self) -> bool:
        """Whether every record has come to one of PRISMA's own boxes."""
        open_boxes = [name for name in REMAINDER if name != "other_already_found"]
        return not any(self.n(name) for name in (*open_boxes, "other_not_screened"))

    @property
    def holds(self) -> bool:
        return all(one.holds for one in self.invariants)

    @property
    def template(self) -> Template:
        """The smallest diagram that shows all there is."""
        return Template.of(
            is_updated=bool(self.n("previous_reports")) or (self.wave or 0) > 1,
            has_other_methods=any(self.n(name) for name in IDENTIFIED_OTHERWISE),
        )


def flow(
    records: Iterable[RecordFacts], *, wave: int | None = None, reasons: Sequence[str] = ()
) -> Flow:
    """Sort records into the boxes of the flow diagram.

    Args:
        records: Every record of the review that is not linked to another one.
        wave: Only what this wave found; reports that earlier waves included are previous. None:
            all waves as one.
        reasons: The review's reasons for exclusion, in their order.
    """
    sorting = _Sorting(wave)
    for record in records:
        sorting.take(record)
    boxes = {name: sorting.box(name, reasons) for name in LABELS}
    return Flow(boxes, invariants.of(boxes), wave)


_SOURCES = {
    FoundBy.DATABASE: "database_results",
    FoundBy.REGISTER: "register_results",
    FoundBy.WEBSITE: "website_results",
    FoundBy.ORGANISATION: "organisation_results",
    FoundBy.CITATION: "citations_results",
    FoundBy.OTHER: "other_method_results",
}
_SEARCHED = frozenset(way for way in FoundBy if way.is_searched)
_OTHER_METHODS = frozenset(way for way in FoundBy if way.is_other_method)
_SPECIFIC = {
    "database_results": "database_specific_results",
    "register_results": "register_specific_results",
}
_BEHIND_RETRIEVAL = {
    Standing.TO_ASSESS: "to_assess",
    Standing.EXCLUDED: "excluded",
    Standing.ONGOING: "ongoing",
    Standing.AWAITING_CLASSIFICATION: "awaiting_classification",
    Standing.ELIGIBLE_NOT_SAMPLED: "eligible_not_sampled",
    Standing.INCLUDED: "included",
}


class _Sorting:
    """The sets of records as they fill."""

    def __init__(self, wave: int | None) -> None:
        self._wave = wave
        self._sets = defaultdict[str, set[Item]](set)
        self._parts = defaultdict[str, defaultdict[str, set[Item]]](lambda: defaultdict(set))

    def take(self, record: RecordFacts) -> None:
        wave, came, known = self._wave, record.occurrences, record.is_previous
        if wave is not None:
            first = record.first_wave
            if first > wave:
                return
            came = [one for one in came if one.wave == wave]
            known = known or first < wave
        searched = [one for one in came if one.found_by in _SEARCHED]
        otherwise = [one for one in came if one.found_by in _OTHER_METHODS]
        for one in (*searched, *otherwise):
            self._identify(one)
        if known:
            self._known_before(record, searched, otherwise)
        elif searched:
            self._put("duplicates", _all_but_one(record, searched))
            self._put("other_already_found", [one.number for one in otherwise])
            self._screen(record)
        else:
            self._put("other_already_found", _all_but_one(record, otherwise))
            self._take_otherwise(record)

    def _identify(self, one: Occurrence) -> None:
        name = _SOURCES[one.found_by]
        self._put(name, [one.number])
        if name in _SPECIFIC:
            self._put(_SPECIFIC[name], [one.number], part=one.source or NO_SOURCE)

    def _known_before(
        self, record: RecordFacts, searched: Sequence[Occurrence], otherwise: Sequence[Occurrence]
    ) -> None:
        self._put("duplicates", [one.number for one in searched])
        self._put("other_already_found", [one.number for one in otherwise])
        if record.is_previous or record.standing is Standing.INCLUDED:
            self._put("previous_reports", [record.number])
            self._put("previous_studies", _studies(record))

    def _screen(self, record: RecordFacts) -> None:
        number = [record.number]
        if record.removal is RemovalKind.AUTOMATION:
            self._put("excluded_automatic", number, part=BY_TOOLS)
        elif record.removal is RemovalKind.OTHER:
            self._put("excluded_other", number)
        elif record.status.is_settled:
            self._put("records_screened", number)
            self._settle(record, "dbr", "records_excluded")
        elif record.left_unread and record.status is Status.UNSCREENED:
            self._put("excluded_automatic", number, part=LEFT_UNREAD)
        else:
            self._put("not_screened", number)

    def _take_otherwise(self, record: RecordFacts) -> None:
        number = [record.number]
        if record.removal is not None:
            self._put("other_removed", number)
        elif record.at_full_text:
            self._seek(record, "other")
        elif record.status.is_settled:
            self._put("other_screened", number)
            self._settle(record, "other", "other_records_excluded")
        elif record.left_unread and record.status is Status.UNSCREENED:
            self._put("other_removed", number)
        else:
            self._put("other_not_screened", number)

    def _settle(self, record: RecordFacts, column: str, excluded: str) -> None:
        if record.status is Status.EXCLUDED:
            self._put(excluded, [record.number])
        else:
            self._seek(record, column)

    def _seek(self, record: RecordFacts, column: str) -> None:
        number = [record.number]
        self._put(f"{column}_sought_reports", number)
        if record.standing is Standing.NOT_RETRIEVED:
            self._put(f"{column}_notretrieved_reports", number)
        elif record.standing is Standing.BEING_SOUGHT:
            self._put(f"{column}_being_sought", number)
        elif name := _BEHIND_RETRIEVAL.get(record.standing):
            self._put(f"{column}_assessed", number)
            is_excluded = record.standing is Standing.EXCLUDED
            reason = (record.reason or NO_REASON) if is_excluded else None
            self._put(f"{column}_{name}", number, part=reason)
            if record.standing is Standing.INCLUDED:
                self._put("included_studies", _studies(record))

    def _put(self, name: str, items: Collection[Item], *, part: str | None = None) -> None:
        self._sets[name].update(items)
        if part is not None:
            self._parts[name][part].update(items)

    def box(self, name: str, reasons: Sequence[str]) -> Box:
        items = _in_order(self._items(name))
        parts = [Part(label, _in_order(some)) for label, some in self._parts[name].items()]
        places = {key(reason): place for place, reason in reversed([*enumerate(reasons)])}

        def place(part: Part) -> tuple[int, int, str]:
            return (places.get(key(part.label), len(places)), -part.n, part.label)

        if name in UNIONS:
            parts = [
                Part(LABELS[of], _in_order(self._sets[of])) for of in UNIONS[name] if self._sets[of]
            ]
        return Box(name, LABELS[name], items, tuple(sorted(parts, key=place)))

    def _items(self, name: str) -> set[Item]:
        sets = self._sets
        match name:
            case "new_studies":
                return sets["included_studies"] - sets["previous_studies"]
            case "total_studies":
                return sets["included_studies"] | sets["previous_studies"]
            case "total_reports":
                return self._items("new_reports") | sets["previous_reports"]
        if name in UNIONS:
            return set[Item]().union(*(sets[of] for of in UNIONS[name]))
        return sets[name]


def _all_but_one(record: RecordFacts, occurrences: Sequence[Occurrence]) -> list[int]:
    """Return the numbers of the duplicates: all but the shown one, or else the first."""
    if len(occurrences) == 1:
        return []
    numbers = [one.number for one in occurrences]
    kept = record.number if record.number in numbers else min(numbers)
    return [number for number in numbers if number != kept]


def _studies(record: RecordFacts) -> list[StudyKey]:
    if not record.studies:
        return [StudyKey.alone(record.number)]
    return [StudyKey.grouped(study_id) for study_id in record.studies]


def _in_order(items: Iterable[Item]) -> tuple[Item, ...]:
    # A box has records or studies, never both.
    return tuple(sorted(items))
