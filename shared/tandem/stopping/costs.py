"""How many records must still be drawn for a certificate, before anybody draws them."""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tandem.stopping.certificate import still_bad


@dataclass(frozen=True, slots=True)
class Cost:
    """Draws to a certificate.

    Attributes:
        if_none_found: If none of the records drawn is an include.
        if_one_left: On average, if one include is left in the pool, anywhere in it.
        share_of_pool: `if_none_found` as a share of the pool, in [0, 1].
    """

    if_none_found: int
    if_one_left: float
    share_of_pool: float


@lru_cache(maxsize=64)
def cost(
    *, pool: int, found: int, target: Fraction, confidence: Fraction, log_e: float = 0.0
) -> Cost:
    """Return what a certificate costs from here on.

    Args:
        pool: Records that nobody has decided or drawn, ≥ 0.
        found: Includes of the team by now, ≥ 0.
        target: Recall to show, in (0, 1).
        confidence: In (0, 1).
        log_e: Natural logarithm of the evidence that there is already.
    """
    bar = -math.log(1 - confidence) - log_e
    none_found = draws_if_none_found(pool=pool, k=still_bad(found, target), bar=bar)
    one_left = _mean_if_one_left(pool, found, target, bar) if pool else 0.0
    return Cost(none_found, one_left, none_found / pool if pool else 0.0)


def draws_if_none_found(*, pool: int, k: int, bar: float) -> int:
    """Return the fewest draws without an include after which a certificate holds.

    Args:
        pool: Records to draw from.
        k: So many includes left would make the recall too low, ≥ 1.
        bar: What the logarithm of e has to gain.
    """
    return _needed(_sums(pool, k), bar)


@lru_cache(maxsize=12)
def _sums(pool: int, k: int) -> NDArray[np.float64]:
    """Return the logarithm of e after 0, 1, 2, … draws; the last makes certain what is left.

    Read only. Kept, as a panel asks for the same few several times.
    """
    pools = np.arange(pool, k, -1, dtype=np.float64)
    sums = np.concatenate([[0.0], np.cumsum(-np.log1p(-k / pools))])
    if pool >= k:
        sums = np.append(sums, np.inf)  # fewer than k are left
    else:
        sums[-1] = np.inf
    sums.flags.writeable = False
    return sums


def _needed(sums: NDArray[np.float64], bar: float) -> int:
    # Rounding: a sum that is equal to the bar in exact arithmetic counts as reached.
    return int(np.searchsorted(sums, bar - 1e-12 * max(1.0, abs(bar))))


def _mean_if_one_left(pool: int, found: int, target: Fraction, bar: float) -> float:
    """Return the mean number of draws if one include is equally likely at each place."""
    k, k_then = still_bad(found, target), still_bad(found + 1, target)
    before, after = _sums(pool, k), _sums(pool, k_then)
    none_found = _needed(before, bar)
    places = np.arange(1, none_found + 1)  # where it is met before the certificate
    # At K of the pool or more the draw bets nothing: all that is gained is certainty.
    places = places[places <= pool - k]
    total_then, bad = found + k_then + 1, found + k
    hit = math.log((total_then - bad) / (total_then - found))
    start = after[np.minimum(places, len(after) - 1)]
    ends = np.searchsorted(after, bar - before[places] - hit + start - 1e-12)
    late = none_found - len(places)
    spent = float(np.sum(np.maximum(ends, places))) + late * none_found
    return (spent + (pool - none_found) * none_found) / pool
