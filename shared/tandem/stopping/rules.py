"""Rules that say "stop" while records are read one by one, by their names in `tandem simulate`."""

import math
import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Protocol

from tandem.stopping.heuristics import KNEE_BAR, Reading

CERTIFICATE = "certificate"
NAMES = (CERTIFICATE, "run-N", "share-P", "knee", "hypergeometric")
"""N records in a row without an include; a run of P % of all records (below 1: of that share);
the knee and the test of `heuristics`."""


_AHEAD = 8
"""Records that the hypergeometric rule looks ahead at first; twice as many each time after that."""

_SHARE = r"share-([0-9]{1,2}(?:\.[0-9]{1,6})?)"


class UnknownRule(ValueError):
    """There is no rule of this name."""


class Rule(Protocol):
    """Whether to stop, of what was read by now. One is asked after every record, in order."""

    def __call__(self, reading: Reading) -> bool: ...


@dataclass(frozen=True, slots=True)
class RunOf:
    """Stops after so many records without an include."""

    length: int

    def __call__(self, reading: Reading) -> bool:
        return reading.run_since_include >= self.length


def at_knee(reading: Reading) -> bool:
    """Stop where the curve has bent enough."""
    knee = reading.knee()
    return knee is not None and knee.ratio >= KNEE_BAR


class Hypergeometric:
    """Stops where the p value for "the recall is below the target" is below 1 − confidence.

    Until the next include p can only fall. So it is worked out for some records further on first:
    if it is not small there, it is not before.
    """

    def __init__(self, target: Fraction, confidence: Fraction) -> None:
        # From 1/2 on the test says nothing; nobody asks for so little.
        self._target, self._p = target, min(0.5, float(1 - confidence))
        self._found, self._goes_on_until, self._stops_at = -1, 0, 0
        self._ahead = _AHEAD

    def __call__(self, reading: Reading) -> bool:
        if reading.n_found != self._found:
            self._found, self._goes_on_until, self._stops_at = reading.n_found, 0, 0
            self._ahead = _AHEAD
        if reading.n_read > self._goes_on_until and not self._stops_at:
            self._look_ahead(reading)
        return bool(self._stops_at) and reading.n_read >= self._stops_at

    def _look_ahead(self, reading: Reading) -> None:
        last = min(reading.n_read + self._ahead, reading.n_records)
        self._ahead *= 2
        if self._is_small(reading, last):
            reads = range(reading.n_read, last)
            small = partial(self._is_small, reading)
            self._stops_at = reads.start + bisect_left(reads, True, key=small)
        else:
            self._goes_on_until = last

    def _is_small(self, reading: Reading, n_read: int) -> bool:
        """Return whether p is small once so many are read, if no further include is found."""
        return reading.without_finds(n_read).is_significant(self._target, self._p)


def rule(name: str, *, n_records: int, target: Fraction, confidence: Fraction) -> Rule:
    """Return a rule by its name; the certificate has an order of reading of its own.

    Raises:
        UnknownRule: There is none of this name; the message lists them.
    """
    if found := re.fullmatch(r"run-([1-9][0-9]{0,6})", name):
        return RunOf(int(found[1]))
    if (found := re.fullmatch(_SHARE, name)) and (share := Fraction(found[1])):
        share = share if share < 1 else share / 100
        return RunOf(math.ceil(share * n_records))
    others: dict[str, Callable[[], Rule]] = {
        "knee": lambda: at_knee,
        "hypergeometric": lambda: Hypergeometric(target, confidence),
    }
    if name not in others:
        raise UnknownRule(f"There is no rule {name!r}. There are: {', '.join(NAMES)}.")
    return others[name]()


def check_names(names: Sequence[str]) -> None:
    """Refuse names of rules that there are not.

    Raises:
        UnknownRule: The message lists those that there are.
    """
    for name in names:
        if name != CERTIFICATE:
            rule(name, n_records=1, target=Fraction(1, 2), confidence=Fraction(1, 2))
