"""The evidence that a review has found its target recall: a running certificate.

Records are drawn at random, without replacement, from a pool that ranked reading may shrink
meanwhile. Each draw is a fair bet against "so many includes are left that the recall is too low".
The product of the bets is e. While the recall *is* too low e has a mean of at most 1, so it ever
reaches 1/α with a probability of at most α (Ville's inequality): for any ranking, however often
somebody looks, and wherever the includes lie.

Terms: r includes found so far; τ the target recall; B(r) = ⌊r/τ⌋ + 1 the smallest total that would
make r a miss; K(r) = B(r) − r, so that the recall is too low exactly when K(r) or more are left.
For a draw from a pool of M records with r found before it, B = B(r) and K = K(r):

    e(t) = ∏ M / (M − K)  ×  ∏ over draws that were includes of (t − B) / (t − r)

at a total of t includes. It does not fall with t, so t = B(r now) is the weakest of all totals that
are too large, and the one that is looked at.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

INTERVAL_TARGETS = tuple(map(Fraction, (".5", ".6", ".7", ".8", ".85", ".9", ".95", ".98")))
"""Target recalls whose bets together give the interval that is shown."""

_NEAR = 1e-9
"""Sums of logarithms of 10,000 draws are right to less than this."""


@dataclass(frozen=True, slots=True)
class Draw:
    """One record that was drawn at random.

    Attributes:
        pool: Records that nobody had decided or drawn before it, itself among them, ≥ 1.
        found: Includes of the team among those that had left the pool before it, ≥ 0.
        is_include: Whether the team includes it.
        target: Recall that was asked for when it was drawn, in (0, 1). A bet is chosen before its
            outcome is known, so a later target does not change it.
    """

    pool: int
    found: int
    is_include: bool
    target: Fraction


def exact_target(recall: float | str) -> Fraction:
    """Return a recall as the decimal number that was typed: .9 is 9/10, not the nearest double.

    Raises:
        ValueError: It is not between 0 and 1.
    """
    try:
        target = Fraction(str(recall))
    except ZeroDivisionError:
        target = Fraction(0)
    if not 0 < target < 1:
        raise ValueError(f"{recall} is not between 0 and 1")
    return target


def bad_total(found: int, target: Fraction) -> int:
    """Return B(r), the smallest total of includes of which `found` are less than the target."""
    return found * target.denominator // target.numerator + 1


def still_bad(found: int, target: Fraction) -> int:
    """Return K(r): the recall is below the target if that many includes are left, or more."""
    return bad_total(found, target) - found


def is_certain(*, found: int, pool: int, target: Fraction) -> bool:
    """Say whether the pool is too small to hold what would make the recall too low."""
    return pool < still_bad(found, target)


def log_factor(draw: Draw, total: int) -> float:
    """Return the natural logarithm of what one draw multiplies e by, at a total."""
    bad = bad_total(draw.found, draw.target)
    if draw.pool <= bad - draw.found or bad > total:
        return 0.0
    find = _log_of_find(bad, draw.found, total) if draw.is_include else 0.0
    return _log_of_draw(bad - draw.found, draw.pool) + find


def _log_of_draw(k: int, pool: int) -> float:
    """Return log(M / (M − K))."""
    return -math.log1p(-k / pool)


def _log_of_find(bad: int, found: int, total: int) -> float:
    """Return log((T − B) / (T − r)); −∞ where the total cannot be any more."""
    return math.log((total - bad) / (total - found)) if total > bad else -math.inf


def reaches(log_e: float, confidence: Fraction) -> bool:
    """Say whether e is 1 / (1 − confidence) or more; what rounding leaves short of it counts."""
    return log_e >= _bar(confidence)


def _bar(confidence: Fraction) -> float:
    return -math.log(1 - confidence) - _NEAR


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """The same of many draws, in their order: arrays of one length. `bad` are the totals bet on."""

    pools: NDArray[np.int64]
    found: NDArray[np.int64]
    hits: NDArray[np.bool_]
    bad: NDArray[np.int64]

    @classmethod
    def of(cls, draws: Sequence[Draw]) -> "Draws":
        return cls(
            _whole(draw.pool for draw in draws),
            _whole(draw.found for draw in draws),
            np.fromiter((draw.is_include for draw in draws), dtype=np.bool_),
            _whole(bad_total(draw.found, draw.target) for draw in draws),
        )


class Evidence:
    """e of a sequence of draws, at any total. Takes some ms for 10,000 draws.

    Args:
        draws: In the order of the random stream, each with its outcome as it is in force now.
    """

    def __init__(self, draws: Sequence[Draw] | Draws) -> None:
        made = draws if isinstance(draws, Draws) else Draws.of(draws)
        self._pools, self._found, self._hits = made.pools, made.found, made.hits
        self._bet_on(made.bad)

    def at(self, target: Fraction) -> "Evidence":
        """Return the evidence of the same draws, had each been a bet at this target."""
        other = copy(self)
        other._bet_on(self._found * target.denominator // target.numerator + 1)
        return other

    def _bet_on(self, bad: NDArray[np.int64]) -> None:
        """Sort the bets by the totals from which on they count.

        From a pool of K or fewer nothing can be won: what is left is certain then, or soon.
        """
        wins = np.flatnonzero(self._pools > bad - self._found)
        order = wins[np.argsort(bad[wins], kind="stable")]
        self._order, self._bad = order, bad[order]
        logs = -np.log1p(-(self._bad - self._found[order]) / self._pools[order])
        self._sums = np.concatenate([[0.0], np.cumsum(logs)])
        hits = self._hits[order]
        self._hit_bad, self._hit_found = self._bad[hits], self._found[order][hits]

    def bad_totals(self) -> list[int]:
        """Return the totals, ascending, from which on one bet more counts."""
        return [int(bad) for bad in np.unique(self._bad)]

    def log_at(self, total: int) -> float:
        """Return the natural logarithm of e at a total; −∞ where e is 0."""
        # A bet against totals of B and more says nothing of smaller ones.
        log = float(self._sums[np.searchsorted(self._bad, total, side="right")])
        n_hits = np.searchsorted(self._hit_bad, total, side="right")
        bad, found = self._hit_bad[:n_hits], self._hit_found[:n_hits]
        if n_hits and bad[-1] == total:
            return -math.inf
        return log + float(np.sum(np.log((total - bad) / (total - found))))

    def log_from(self, total: int, largest: int) -> float:
        """Return the least logarithm of e at any total from `total` to `largest`.

        At one target it is that at `total`. After a target was raised, draws from before count
        only towards totals that they bet against, so a larger total may be the weakest.
        """
        starts = {total, *(bad for bad in self.bad_totals() if total < bad <= largest)}
        return min(self.log_at(start) for start in starts)

    def fraction_at(self, total: int) -> Fraction:
        """Return e at a total exactly. Takes long for thousands of draws."""
        e = Fraction(1)
        for row, bad in zip(self._order.tolist(), self._bad.tolist(), strict=True):
            if bad > total:
                break
            pool, found = int(self._pools[row]), int(self._found[row])
            e *= Fraction(pool, pool - (bad - found))
            if self._hits[row]:
                e *= Fraction(total - bad, total - found)
        return e


class RunningEvidence:
    """The same at one target, where draws come one by one: only a find makes it look at all."""

    def __init__(self, target: Fraction, confidence: Fraction) -> None:
        self._target, self._bar = target, _bar(confidence)
        self._log = 0.0
        self._hits: list[tuple[int, int]] = []
        self._of_finds: dict[int, float] = {}  # what all finds take from it, at one total

    def draw(self, *, pool: int, found: int, is_include: bool) -> None:
        """Count a draw; see `Draw`."""
        bad = bad_total(found, self._target)
        if pool <= bad - found:
            return
        self._log += _log_of_draw(bad - found, pool)
        if is_include:
            self._hits.append((bad, found))
            self._of_finds = {}

    def is_certified(self, *, found: int, pool: int) -> bool:
        """Say whether the recall is shown; see the function of this name."""
        if is_certain(found=found, pool=pool, target=self._target):
            return True
        if self._log < self._bar:  # finds only take from it
            return False
        total = bad_total(found, self._target)
        if total not in self._of_finds:
            finds = (_log_of_find(bad, before, total) for bad, before in self._hits)
            self._of_finds = {total: math.fsum(finds)}
        return self._log + self._of_finds[total] >= self._bar


def is_certified(
    draws: Sequence[Draw], *, found: int, pool: int, target: Fraction, confidence: Fraction
) -> bool:
    """Say whether a recall of `target` or more is shown with `confidence`, all at one target.

    Args:
        draws: All that count, in order.
        found: Includes of the team now.
        pool: Records that nobody has decided or drawn.
        target: In (0, 1).
        confidence: 1 − α, in (0, 1).
    """
    if is_certain(found=found, pool=pool, target=target):
        return True
    return reaches(Evidence(draws).log_at(bad_total(found, target)), confidence)


def largest_total(
    draws: Sequence[Draw] | Draws, *, found: int, pool: int, target: Fraction, confidence: Fraction
) -> int:
    """Return the largest total of includes that the draws do not refute, ≥ `found`.

    Half of the stake is on the registered target and half on all of INTERVAL_TARGETS alike, so
    recall ≥ found / total holds with `confidence` at all times and for all thresholds at once.
    Therefore it may lie a little below a recall that is certified.
    """
    own = Evidence(draws)
    others = [own.at(other) for other in INTERVAL_TARGETS]
    bar = float(1 / (1 - confidence))

    def is_refuted(total: int) -> bool:
        mean = sum(_exp(one.log_at(total)) for one in others) / len(others)
        return (_exp(own.log_at(total)) + mean) / 2 >= bar

    # Between two totals at which a bet begins to count, e does not fall.
    starts = {found + 1, *(one for evidence in (own, *others) for one in evidence.bad_totals())}
    end = found + pool + 1
    for start in sorted((one for one in starts if found < one < end), reverse=True):
        if not is_refuted(start):
            return start + bisect_left(range(start, end), True, key=is_refuted) - 1
        end = start
    return found


def _exp(log: float) -> float:
    return math.exp(min(log, 700.0))


def _whole(numbers: Iterable[int]) -> NDArray[np.int64]:
    return np.fromiter(numbers, dtype=np.int64)
