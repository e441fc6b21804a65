"""95 % intervals of shares that are exact, or nearly, without any resampling. Pure."""

import math
from typing import NamedTuple

LEVEL = 0.95
_TAIL = (1 - LEVEL) / 2
_Z = 1.959963984540054
"""Of the standard normal distribution: the quantile at 1 - _TAIL."""

_PRECISION = 1e-12
_MOST_STEPS = 200


class Interval(NamedTuple):
    low: float
    high: float


def exact_share(found: int, of: int) -> Interval:
    """Return the exact interval of a share (Clopper and Pearson 1934).

    It covers the true share in at least 95 % of samples, whatever it is.

    Args:
        found: In [0, of].
        of: At least 1.
    """
    low = 0.0 if found == 0 else _beta_quantile(_TAIL, found, of - found + 1)
    high = 1.0 if found == of else _beta_quantile(1 - _TAIL, found + 1, of - found)
    return Interval(low, high)


def share_difference(found: int, of: int, found_before: int, of_before: int) -> Interval:
    """Return an interval of the difference of two independent shares, the second taken off.

    Newcombe 1998, method 10: from the two score intervals (Wilson 1927), without continuity
    correction. It stays within [-1, 1] and is of use where a share is 0, too.

    Args:
        found: In [0, of].
        of: At least 1.
        found_before: In [0, of_before].
        of_before: At least 1.
    """
    share, before = found / of, found_before / of_before
    low, high = _score(share, of)
    low_before, high_before = _score(before, of_before)
    down = math.hypot(share - low, high_before - before)
    up = math.hypot(high - share, before - low_before)
    # Rounding may go beyond.
    return Interval(max(-1.0, share - before - down), min(1.0, share - before + up))


def _score(share: float, of: int) -> Interval:
    middle = share + _Z**2 / (2 * of)
    half = _Z * math.sqrt(share * (1 - share) / of + _Z**2 / (4 * of**2))
    scale = 1 + _Z**2 / of
    return Interval(max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale))


def _beta_quantile(probability: float, a: float, b: float) -> float:
    """Return x such that the regularised incomplete beta function I_x(a, b) is `probability`.

    Newton's steps, each kept within what is known to hold the answer.
    """
    low, high, x = 0.0, 1.0, a / (a + b)
    constant = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    for _ in range(_MOST_STEPS):
        too_far = _incomplete_beta(x, a, b, constant) - probability
        low, high = (low, x) if too_far > 0 else (x, high)
        slope = math.exp(constant + (a - 1) * math.log(x) + (b - 1) * math.log1p(-x))
        following = x - too_far / slope if slope > 0 else low
        if not low < following < high:
            following = (low + high) / 2
        if abs(following - x) <= _PRECISION * x:
            return following
        x = following
    return x


def _incomplete_beta(x: float, a: float, b: float, constant: float) -> float:
    front = math.exp(constant + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _continued_fraction(x, a, b) / a
    return 1 - front * _continued_fraction(1 - x, b, a) / b


def _continued_fraction(x: float, a: float, b: float) -> float:
    """Return the continued fraction of I_x(a, b) (DLMF 8.17.22), by Lentz's method.

    It needs some multiple of sqrt(max(a, b)) steps.
    """
    tiny = 1e-300
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1), tiny)
    value = d
    m = 0
    while True:
        m += 1
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _not_zero(1 + term * d, tiny)
            c = _not_zero(1 + term / c, tiny)
            value *= d * c
        if abs(d * c - 1) < _PRECISION:
            return value


def _not_zero(number: float, tiny: float) -> float:
    return number if abs(number) > tiny else tiny
