"""Counts of reviews that this process has made, for as long as their logs have not grown.

Whatever changes a decision or a status appends to the review's log. So a count that was made at one
end of the log holds while the log ends there; the hash of its last entry names that end.
"""

from collections.abc import Callable, Collection, Hashable, Mapping

from tandem.ids import ReviewId
from tandem.recent import Recent

_MOST = 20_000
"""Counts that are kept, some 200 bytes each; those that were not asked for the longest go first."""

Count = Callable[[Collection[ReviewId]], Mapping[ReviewId, int]]


class RememberedCounts:
    """Keeps numbers by what they were counted of; for any number of threads."""

    def __init__(self) -> None:
        self._recent = Recent[int](_MOST)

    def of(self, keys: Mapping[ReviewId, Hashable], count: Count) -> dict[ReviewId, int]:
        """Return the number of each review, 0 where `count` has none.

        Args:
            keys: Of each review all that its number depends on, the end of its log included.
            count: Counts in those reviews whose numbers are not known.
        """
        known = {id: self._recent.get(key) for id, key in keys.items()}
        found = {id: number for id, number in known.items() if number is not None}
        if missing := [id for id in keys if id not in found]:
            made = count(missing)
            for id in missing:
                found[id] = made.get(id, 0)
                self._recent.keep(keys[id], found[id])
        return found
