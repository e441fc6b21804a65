"""Rules that say "stop" while records are read one by one, by their names in `tandem simulate`."""

import math
import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from tandem.stopping.heuristics import KNEE_BAR, Reading

CERTIFICATE = "certificate"
NAMES = (CERTIFICATE, "run-N", "share-P", "knee", "hypergeometric")
"""N records in a row without an include; a run of P % of all records (below 1: of that share);
the knee and the test of `heuristics`."""


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
    """Stops where the p value for "the recall is below the target" is below 1 − confidence."""

    def __init__(self, target: Fraction, confidence: Fraction) -> None:
        self._target, self._p = target, float(1 - confidence)
        self._found, self._stops_at = -1, 0

    def __call__(self, reading: Reading) -> bool:
        if reading.n_found != self._found:  # until the next include p can only fall
            self._found, self._stops_at = reading.n_found, self._first_below(reading)
        return reading.n_read >= self._stops_at

    def _first_below(self, reading: Reading) -> int:
        """Return how many must have been read for it, if no further include is found."""
        reads = range(reading.n_read, reading.n_records + 1)
        return reads.start + bisect_left(
            reads,
            True,
            key=lambda n: reading.without_finds(n).hypergeometric_p(self._target) < self._p,
        )


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
