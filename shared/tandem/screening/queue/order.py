"""An order of records, as a ranking hands it to the queue."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tandem.ids import RankingId, RecordNumber


@dataclass(frozen=True, slots=True)
class Order:
    """The newest ranking, as far as the queue needs it.

    Attributes:
        ranking_id: Which ranking, None before the first.
        numbers: Record numbers, shape (n,), the best first.
        scores: Their scores, shape (n,); comparable within one ranking only.
    """

    ranking_id: RankingId | None
    numbers: NDArray[np.int32]
    scores: NDArray[np.float32]
    ranks: NDArray[np.intp] | None = None
    """Where each stands in the whole ranking, shape (n,); None: this is the whole one."""

    def rank_at(self, place: int) -> int:
        """Return the rank of the record at a place, 0 for the first: its place in the ranking."""
        return (place if self.ranks is None else int(self.ranks[place])) + 1

    def among(self, some: Collection[RecordNumber]) -> "Order":
        """Return the same without all other records. Each keeps its rank."""
        places = np.flatnonzero(np.isin(self.numbers, np.fromiter(some, np.int32, len(some))))
        return Order(self.ranking_id, self.numbers[places], self.scores[places], places)

    def rank_of(self, number: RecordNumber) -> int | None:
        """Return a record's place, 1 for the best; None where it has none."""
        places = np.flatnonzero(self.numbers == number)
        return self.rank_at(int(places[0])) if places.size else None


NO_ORDER = Order(None, np.empty(0, np.int32), np.empty(0, np.float32))


@dataclass(frozen=True, slots=True)
class Sample:
    """The random order that the queue goes by in place of the review's own.

    Attributes:
        numbers: Record numbers in the order in which they are drawn, shape (n,).
        is_all: Whether everything served is drawn, beside what others have begun.
    """

    numbers: NDArray[np.int32]
    is_all: bool
