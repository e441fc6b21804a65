"""Counts of reviews that this process has made, for as long as their logs have not grown.

Whatever changes a decision or a status appends to the review's log. So a count that was made at one
end of the log holds while the log ends there; the hash of its last entry names that end.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Mapping

from tandem.ids import ReviewId

_MOST = 20_000
"""Counts that are kept, some 200 bytes each; those that were not asked for the longest go first."""

Count = Callable[[Collection[ReviewId]], Mapping[ReviewId, int]]


class RememberedCounts:
    """Keeps numbers by what they were counted of; for any number of threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, int] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, keys: Mapping[ReviewId, Hashable], count: Count) -> dict[ReviewId, int]:
        """Return the number of each review, 0 where `count` has none.

        Args:
            keys: Of each review all that its number depends on, the end of its log included.
            count: Counts in those reviews whose numbers are not known.
        """
        with self._lock:
            found = {id: self._kept[key] for id, key in keys.items() if key in self._kept}
        missing = [id for id in keys if id not in found]
        if missing:
            made = count(missing)
            found |= {id: made.get(id, 0) for id in missing}
        with self._lock:
            for id, number in found.items():
                self._kept[keys[id]] = number
                self._kept.move_to_end(keys[id])
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
        return found
