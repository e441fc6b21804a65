"""The draws of an audit, and what is known of their records now. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tandem.ids import RecordNumber
from tandem.screening.rules import Status


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


@dataclass(frozen=True, slots=True)
class DrawnRecords:
    """Many draws in their order, one sequence for each attribute of `Drawn`, all of one length.

    An audit may have ten thousand: an object for each would cost more than all that is counted.
    """

    places: Sequence[int] = ()
    numbers: Sequence[RecordNumber] = ()
    pools: Sequence[int] = ()
    seqs: Sequence[int] = ()
    targets: Sequence[str] = ()
    statuses: Sequence[Status | None] = ()

    @classmethod
    def of(
        cls, rows: Sequence[Sequence[Any]], differs: Mapping[RecordNumber, Status | None]
    ) -> "DrawnRecords":
        """Return the draws of stored rows: place, record number, pool, seq, target.

        Args:
            rows: In the order of drawing.
            differs: The status of each record that is not excluded.
        """
        if not rows:
            return cls()
        places, numbers, pools, seqs, targets = zip(*rows, strict=True)
        excluded = Status.EXCLUDED
        statuses = [differs.get(number, excluded) for number in numbers]
        return cls(places, numbers, pools, seqs, targets, statuses)

    def __len__(self) -> int:
        return len(self.places)

    def __iter__(self) -> Iterator[Drawn]:
        columns = (self.places, self.numbers, self.pools, self.seqs, self.targets, self.statuses)
        return map(Drawn._make, zip(*columns, strict=True))

    def until(self, place: int) -> "DrawnRecords":
        """Return those that were drawn up to a place."""
        n = sum(one <= place for one in self.places)
        return DrawnRecords(
            self.places[:n],
            self.numbers[:n],
            self.pools[:n],
            self.seqs[:n],
            self.targets[:n],
            self.statuses[:n],
        )

    @property
    def n_undecided(self) -> int:
        return sum(status is None for status in self.statuses)

    @property
    def n_pending(self) -> int:
        return sum(status is None or not status.is_settled for status in self._not_excluded())

    @property
    def n_included(self) -> int:
        return sum(status is Status.INCLUDED for status in self._not_excluded())

    def are_not_excluded(self) -> NDArray[np.bool_]:
        """Return for each whether its record is an include, or may become one."""
        return np.array([one is not Status.EXCLUDED for one in self.statuses], dtype=np.bool_)

    def _not_excluded(self) -> list[Status | None]:
        return [status for status in self.statuses if status is not Status.EXCLUDED]
