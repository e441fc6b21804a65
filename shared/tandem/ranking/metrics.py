"""How well an order served, from the places at which relevant records were found.

`found_at` are places counted from 1, ascending, one for each of the R relevant records; `n` is N,
the number of records ordered. Records known beforehand are counted in neither.
"""

import math
from collections.abc import Sequence

_DIGITS = 9
"""0.55 * 100 is 55.000000000000007: products are rounded here before floor or ceiling."""


def loss(found_at: Sequence[int], n: int) -> float:
    """Return 1 − ROC-AUC of the order: 0 perfect, .5 chance, 1 worst. Needs 0 < R < N.

    [R(N − (R−1)/2) − Σ c_k] / [R(N−R)], where Σ c_k, the sum over all k of what was found
    within the first k, equals Σ (N + 1 − place).
    """
    relevant = len(found_at)
    best = relevant * (n - (relevant - 1) / 2)
    area = relevant * (n + 1) - sum(found_at)
    return (best - area) / (relevant * (n - relevant))


def ndcg(found_at: Sequence[int]) -> float:
    """Return the normalised discounted cumulative gain, in (0, 1]. Needs 0 < R.

    Σ_i y_i / log2(i+1) over that of the perfect order (Wang et al. 2013, arXiv:1304.6480).
    """
    gain = sum(1 / math.log2(place + 1) for place in found_at)
    perfect = sum(1 / math.log2(place + 1) for place in range(1, len(found_at) + 1))
    return gain / perfect


def read_until(found_at: Sequence[int], recall: float) -> int:
    """Return k_r: how many records are read until ⌈recall · R⌉ are found, recall in (0, 1]."""
    return found_at[_needed(found_at, recall) - 1]


def wss(found_at: Sequence[int], n: int, level: float) -> float:
    """Return the work saved over sampling at a recall of `level`: (N − k_r)/N − (1 − r).

    Cohen et al. 2006, with k_r reached at ⌈rR⌉ (others floor). Not comparable between sets of
    different prevalence; `tnr` is.
    """
    return (n - read_until(found_at, level)) / n - (1 - level)


def tnr(found_at: Sequence[int], n: int, level: float) -> float:
    """Return the share of irrelevant records left unread at a recall of `level`, in [0, 1].

    1 − (k_r − ⌈rR⌉)/(N − R), the normalised WSS (Kusa et al. 2023). Needs 0 < R < N.
    """
    needed = _needed(found_at, level)
    return 1 - (found_at[needed - 1] - needed) / (n - len(found_at))


def recall_at(found_at: Sequence[int], n: int, fraction: float) -> float:
    """Return the share of relevant records within the first ⌊fraction · N⌋, in [0, 1]."""
    read = math.floor(round(fraction * n, _DIGITS))
    return sum(place <= read for place in found_at) / len(found_at)


def last_relevant(found_at: Sequence[int]) -> int:
    """Return how many records are read until the last relevant one is found."""
    return found_at[-1]


def _needed(found_at: Sequence[int], recall: float) -> int:
    return math.ceil(round(recall * len(found_at), _DIGITS))
