"""What many teams go by when they stop, and what it assumes. None of it is a guarantee.

All of these take it that what is left is no harder to find than what was found.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tandem.stopping.certificate import bad_total

KNEE_BAR = 6.0
"""A ratio of slopes from which on a knee counts. Source: Cormack & Grossman 2016 (SIGIR)."""


@dataclass(frozen=True, slots=True)
class Knee:
    """Where the curve of includes bends most.

    Attributes:
        at: Records read before it, ≥ 1.
        ratio: Slope before it by slope after it, with one more include after it than there was.
    """

    at: int
    ratio: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read by now: how many records, and at which places the includes were.

    Attributes:
        n_records: In all, read or not.
        n_read: In [0, n_records].
        found_at: Place of each include in the order of reading, from 1, ascending.
    """

    n_records: int
    n_read: int = 0
    found_at: tuple[int, ...] = ()

    @classmethod
    def of(cls, labels: Iterable[bool], *, n_records: int) -> "Reading":
        """Return the reading of these records, in order."""
        places = list(labels)
        found_at = tuple(place for place, label in enumerate(places, start=1) if label)
        return cls(n_records, len(places), found_at)

    def and_then(self, label: bool) -> "Reading":  # it is what is read
        """Return the reading with one record more."""
        n_read = self.n_read + 1
        found_at = (*self.found_at, n_read) if label else self.found_at
        return Reading(self.n_records, n_read, found_at)

    def without_finds(self, n_read: int) -> "Reading":
        """Return the reading where further ones are read, up to so many, and none is an include."""
        return replace(self, n_read=n_read)

    @property
    def n_found(self) -> int:
        return len(self.found_at)

    @property
    def run_since_include(self) -> int:
        """How many records were read since the last include; all, where there is none."""
        return self.n_read - (self.found_at[-1] if self.found_at else 0)

    def knee(self) -> Knee | None:
        """Return the knee; None where there is none before the end.

        With c_i includes among the first i of n records it is where c_i − i·c_n/n is largest,
        which is at an include.
        """
        n, found = self.n_read, self.n_found
        heights = ((c * n - at * found, -at) for c, at in enumerate(self.found_at, start=1))
        at = -max(heights, default=(0, -n))[1]
        if at == n:
            return None
        before = sum(place <= at for place in self.found_at)
        return Knee(at, (before / at) / ((1 + found - before) / (n - at)))

    def hypergeometric_p(self, target: Fraction) -> float:
        """Return the p value of "the recall is below the target", as if read at random in the end.

        Of every place after which the rest may have been read as a random sample (the start, and
        right after each include) the smallest p counts. Source: Callaghan & Müller-Hansen 2020.

        Args:
            target: Recall, in (0, 1).
        """
        return self._p(bad_total(self.n_found, target))

    def is_significant(self, target: Fraction, p: float) -> bool:
        """Return whether `hypergeometric_p` is below `p`, in (0, 1/2]; much faster."""
        return self._is_below(bad_total(self.n_found, target), p)

    def supported_recall(self, p: float = 0.05) -> float | None:
        """Return the largest recall of which the same test has a value below `p`.

        None where nothing was found.
        """
        if not self.found_at:
            return None
        # The larger a total, the smaller is its p; one that leaves no room has 0.
        low, high = self.n_found + 1, self.n_found + self.n_records - self.n_read + 1
        while low < high:
            middle = (low + high) // 2
            if self._is_below(middle, p):
                high = middle
            else:
                low = middle + 1
        return self.n_found / (low - 1)

    def _is_below(self, total: int, p: float) -> bool:
        return self._p(total, at_most_half=True) < p

    def _p(self, total: int, *, at_most_half: bool = False) -> float:
        """Return the smallest P(X ≤ includes found since) over all places to start from.

        Args:
            total: Includes that there would be.
            at_most_half: Only a value below 1/2 matters: 1 is returned for any other.
        """
        starts, before = np.array([0, *self.found_at]), np.arange(self.n_found + 1)
        records, drawn, good = self.n_records - starts, self.n_read - starts, total - before
        if np.any(good > records):
            return 0.0
        since = self.n_found - before
        if at_most_half:
            # X is a sum of independent trials (Vatutin & Mikhailov 1982), so its median is at most
            # ⌊mean⌋ + 1 (Hoeffding 1956): from there on P(X ≤ x) is 1/2 or more.
            matters = since < drawn * (good / records) + 1
            if not np.any(matters):
                return 1.0
            records, drawn, good, since = (each[matters] for each in (records, drawn, good, since))
        lows, n_hits = _near_mean(records, drawn, good, most=since)
        hits = lows + np.arange(n_hits)[:, None]
        logs = _log_factorials(self.n_records)
        chosen = _choose(logs, good, hits) + _choose(logs, records - good, drawn - hits)
        chosen -= _choose(logs, records, drawn)
        counted = np.where(hits <= since, np.exp(chosen), 0.0)
        return float(min(1.0, counted.sum(axis=0).min()))


_Whole = NDArray[np.int64]
_Real = NDArray[np.float64]


def _near_mean(records: _Whole, drawn: _Whole, good: _Whole, *, most: _Whole) -> tuple[_Whole, int]:
    """Return the numbers of hits that can make a difference: the lowest of each, and how many.

    The others together are less probable than 1e−17, or than that share of those here (Bernstein).
    """
    mean = drawn * (good / records)
    spread = np.sqrt(mean * (1 - good / records)) * 9 + 30
    lows = np.maximum(np.floor(np.minimum(mean, most) - spread), 0).astype(np.int64)
    highs = np.minimum(np.ceil(mean + spread).astype(np.int64), most)
    return lows, max(int(np.max(highs - lows)), 0) + 1


@lru_cache(maxsize=4)
def _log_factorials(largest: int) -> _Real:
    return np.fromiter(map(math.lgamma, range(1, largest + 2)), dtype=np.float64)


def _choose(logs: _Real, n: _Whole, k: _Whole) -> _Real:
    """Return log(n over k); −∞ where there is no such choice."""
    n, k = np.broadcast_arrays(n, k)
    chosen = np.clip(k, 0, n)
    found: _Real = np.where(chosen == k, logs[n] - logs[chosen] - logs[n - chosen], -np.inf)
    return found
