"""The frame of an audit, its draws, and what is known of their records now. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tandem.ids import RecordNumber
from tandem.screening.rules import Status


class Frame(NamedTuple):
    """Which records an audit is about: those up to a number, but for those that a draw missed."""

    last: int
    missed: AbstractSet[int]

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and number <= self.last and number not in self.missed


Frames = Sequence[Frame]


class Drawn(NamedTuple):
    """One draw, and what is known of its record now.

    Attributes:
        place, record_number, pool, seq, target: As they were stored; see `AuditDraw`.
        status: Of the record; None where nobody has decided it.
    """

    place: int
    record_number: RecordNumber
    pool: int
    seq: int
    target: str
    status: Status | None

    @property
    def is_pending(self) -> bool:
        return self.status is None or not self.status.is_settled

    @property
    def is_include(self) -> bool:
        return self.status is Status.INCLUDED


@dataclass(frozen=True, slots=True, eq=False)
class StoredDraws:
    """Draws as they were stored, in their order: arrays of one length, one for each column.

    An audit may have ten thousand: an object for each would cost more than all that is counted.
    """

    places: NDArray[np.int64]
    numbers: NDArray[np.int64]
    pools: NDArray[np.int64]
    seqs: NDArray[np.int64]
    targets: NDArray[np.str_]

    @classmethod
    def of(cls, rows: Sequence[Sequence[Any]]) -> "StoredDraws":
        """Return the draws of rows: place, record number, pool, seq, target."""
        *whole, targets = list(zip(*rows, strict=True)) or [()] * 5
        places, numbers, pools, seqs = (np.array(column, dtype=np.int64) for column in whole)
        return cls(places, numbers, pools, seqs, np.array(targets, dtype=np.str_))

    def __len__(self) -> int:
        return len(self.places)

    @property
    def last_place(self) -> int:
        """The place of the last draw; 0 where there is none."""
        return int(self.places[-1]) if len(self) else 0

    def and_then(self, later: "StoredDraws") -> "StoredDraws":
        return self._made(lambda mine, name: np.concatenate([mine, getattr(later, name)]))

    def until(self, place: int) -> "StoredDraws":
        """Return those that were drawn up to a place."""
        return self.at(slice(int(np.searchsorted(self.places, place, side="right"))))

    def at(self, chosen: NDArray[np.bool_] | slice) -> "StoredDraws":
        return self._made(lambda mine, _: mine[chosen])

    def _made(self, change: Callable[[NDArray[Any], str], NDArray[Any]]) -> "StoredDraws":
        names = [field.name for field in fields(self)]
        return StoredDraws(**{name: change(getattr(self, name), name) for name in names})


@dataclass(frozen=True, slots=True, eq=False)
class DrawnRecords:
    """Draws, and what is known of their records now.

    Attributes:
        stored: The draws, in the order of drawing.
        are_not_excluded: For each whether its record is an include, or may become one.
        others: The statuses of these records, in the same order; None for an undecided one.
    """

    stored: StoredDraws
    are_not_excluded: NDArray[np.bool_]
    others: Sequence[Status | None]

    @classmethod
    def of(
        cls, stored: StoredDraws, differs: Mapping[RecordNumber, Status | None]
    ) -> "DrawnRecords":
        """Return draws whose records are excluded, but for those that `differs` names."""
        names = [number for number, status in differs.items() if status is not Status.EXCLUDED]
        not_excluded = np.isin(stored.numbers, np.array(names, dtype=np.int64))
        others = [differs[RecordNumber(n)] for n in stored.numbers[not_excluded].tolist()]
        return cls(stored, not_excluded, others)

    def __len__(self) -> int:
        return len(self.stored)

    def __iter__(self) -> Iterator[Drawn]:
        others, stored = iter(self.others), self.stored
        statuses = (
            next(others) if differs else Status.EXCLUDED
            for differs in self.are_not_excluded.tolist()
        )
        whole = (stored.places, stored.numbers, stored.pools, stored.seqs, stored.targets)
        columns = [column.tolist() for column in whole]
        return map(Drawn._make, zip(*columns, statuses, strict=True))

    def until(self, place: int) -> "DrawnRecords":
        """Return those that were drawn up to a place."""
        stored = self.stored.until(place)
        not_excluded = self.are_not_excluded[: len(stored)]
        others = self.others[: int(np.count_nonzero(not_excluded))]
        return DrawnRecords(stored, not_excluded, others)

    @property
    def n_undecided(self) -> int:
        return sum(status is None for status in self.others)

    @property
    def n_pending(self) -> int:
        return sum(status is None or not status.is_settled for status in self.others)

    @property
    def n_included(self) -> int:
        return sum(status is Status.INCLUDED for status in self.others)
