"""What holds between the boxes of a flow diagram. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tandem.reporting.boxes import (
    BEYOND,
    COLUMNS,
    IDENTIFIED,
    IDENTIFIED_OTHERWISE,
    Box,
    Item,
)

Boxes = Mapping[str, Box]


@dataclass(frozen=True, slots=True)
class Invariant:
    """Two counts that are to be equal; `name` says which, in words."""

    name: str
    left: int
    right: int

    @property
    def holds(self) -> bool:
        return self.left == self.right


def of(boxes: Boxes) -> tuple[Invariant, ...]:
    """Return every equation between the boxes, those that do not hold too."""
    return (
        *_identified(boxes),
        *(one for column in COLUMNS for one in _of_column(boxes, column)),
        *_included(boxes),
        *_disjoint(boxes),
    )


def _sum(boxes: Boxes, *names: str) -> int:
    return sum(boxes[name].n for name in names)


def _identified(boxes: Boxes) -> Iterator[Invariant]:
    identified = _sum(boxes, *IDENTIFIED)
    specific = ("database_specific_results", "register_specific_results")
    sources = sum(part.n for name in specific for part in boxes[name].parts)
    yield Invariant("identified = sum of the sources", identified, sources)
    yield Invariant(
        "identified = duplicates + automation + other + screened + not screened",
        identified,
        _sum(boxes, *_BEFORE_SCREENING),
    )
    yield Invariant(
        "screened = excluded + sought",
        boxes["records_screened"].n,
        _sum(boxes, "records_excluded", "dbr_sought_reports"),
    )
    yield Invariant(
        "identified by other methods = already found + removed + excluded + not screened + sought",
        _sum(boxes, *IDENTIFIED_OTHERWISE),
        _sum(boxes, *_OTHERWISE),
    )


_BEFORE_SCREENING = (
    "duplicates",
    "excluded_automatic",
    "excluded_other",
    "records_screened",
    "not_screened",
)
_OTHERWISE = (
    "other_already_found",
    "other_removed",
    "other_records_excluded",
    "other_not_screened",
    "other_sought_reports",
)


def _sought(column: str) -> list[str]:
    return [f"{column}_{name}" for name in ("notretrieved_reports", "being_sought", "assessed")]


def _assessed(column: str) -> list[str]:
    names = ("excluded", "included", *BEYOND, "to_assess")
    return [f"{column}_{name}" for name in names]


def _of_column(boxes: Boxes, column: str) -> Iterator[Invariant]:
    yield Invariant(
        f"{column}: sought = not retrieved + being sought + assessed",
        boxes[f"{column}_sought_reports"].n,
        _sum(boxes, *_sought(column)),
    )
    excluded = boxes[f"{column}_excluded"]
    with_reason = sum(part.n for part in excluded.parts)
    others = [name for name in _assessed(column) if name != excluded.key]
    yield Invariant(
        f"{column}: assessed = reasons + included + beyond + to assess",
        boxes[f"{column}_assessed"].n,
        with_reason + _sum(boxes, *others),
    )
    yield Invariant(f"{column}: each excluded report has one reason", excluded.n, with_reason)


def _included(boxes: Boxes) -> Iterator[Invariant]:
    columns = [f"{column}_included" for column in COLUMNS]
    new_reports = boxes["new_reports"].n
    yield Invariant("new reports = included in both columns", new_reports, _sum(boxes, *columns))
    for kind in ("studies", "reports"):
        yield Invariant(
            f"total {kind} = previous + new",
            boxes[f"total_{kind}"].n,
            _sum(boxes, f"previous_{kind}", f"new_{kind}"),
        )


def _disjoint(boxes: Boxes) -> Iterator[Invariant]:
    levels = {
        "identification": (*IDENTIFIED, *IDENTIFIED_OTHERWISE),
        "databases and registers": _BEFORE_SCREENING,
        "other methods": _OTHERWISE,
        "screening": ("records_excluded", "dbr_sought_reports"),
        "retrieval": [name for column in COLUMNS for name in _sought(column)],
        "eligibility": [name for column in COLUMNS for name in _assessed(column)],
    }
    for level, names in levels.items():
        yield _each_once(f"{level}: no record is in two boxes", [boxes[name] for name in names])


def _each_once(name: str, boxes: Sequence[Box]) -> Invariant:
    different = set[Item]().union(*(box.items for box in boxes))
    return Invariant(name, sum(box.n for box in boxes), len(different))
