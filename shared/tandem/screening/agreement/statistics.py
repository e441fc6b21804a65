"""How far reviewers agree: every figure with an interval of 95 %. Pure.

A table has the cells a (both include), b (only the first does), c (only the second), d (both
exclude); n is their sum. Formulas: po = (a + d)/n is percent agreement;
pe = ((a + b)(a + c) + (c + d)(b + d))/n² and kappa = (po - pe)/(1 - pe) (Cohen 1960);
PABAK = 2 po - 1 (Byrt, Bishop and Carlin 1993); AC1 = (po - e)/(1 - e) with e = 2 π(1 - π) and π,
the prevalence, the mean share of includes (Gwet 2008); positive agreement 2a/(2a + b + c) and
negative agreement 2d/(2d + b + c) (Cicchetti and Feinstein 1990); alpha = 1 - Do/De for nominal
data with any number of readers, missing ones allowed (Krippendorff 2004).
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from tandem.screening.agreement.intervals import LEVEL, Interval, exact_share

N_RESAMPLES = 2000
_SEED = 20041957
"""The same for every table, so that equal data give equal numbers wherever they are asked for."""

_ENOUGH_DEFINED = 0.95
"""An interval is given if the figure has a value in so many of the resamples."""

SMALL = 30
"""Of fewer pairs of decisions intervals are wide, and those by resampling only roughly right."""

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figure:
    """None where the data do not give one: it is undefined, or resampling shows no variation."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """A table and what follows from it; `note` says what is wanting, if anything is."""

    a: int
    b: int
    c: int
    d: int
    n_records: int
    prevalence: Figure
    percent: Figure
    kappa: Figure
    pabak: Figure
    ac1: Figure
    alpha: Figure
    positive_agreement: Figure
    negative_agreement: Figure

    @property
    def n(self) -> int:
        """How many pairs of decisions were compared."""
        return self.a + self.b + self.c + self.d

    @property
    def note(self) -> str | None:
        if not self.n:
            return "No record has been read by two."
        lines = []
        if self.n < SMALL:
            lines.append(f"Only {self.n} compared, fewer than {SMALL}: too few to tell much.")
        if not self.b + self.c:
            lines.append("Without a difference, resampling gives kappa, AC1, alpha no interval.")
        return " ".join(lines) or None


@dataclass(frozen=True, slots=True)
class Kinds:
    """Records, sorted by what they add to a table: equal ones are counted, not kept.

    Attributes:
        cells: Shape (n_kinds, 4): the pairs of decisions that a record of the kind adds to
            a, b, c and d.
        readers: Shape (n_kinds,): by how many it was read.
        includes: Shape (n_kinds,): by how many of them it was included.
    """

    cells: Counts
    readers: Counts
    includes: Counts

    @property
    def one_pair_each(self) -> bool:
        """Whether no record is in several pairs, so that pairs are as independent as records."""
        return bool(np.all(self.cells.sum(axis=1) <= 1))


PAIR = Kinds(np.eye(4, dtype=np.int64), np.full(4, 2), np.array([2, 1, 1, 0]))
"""What a record can be where there are just two readers."""


def figures_of_table(a: int, b: int, c: int, d: int) -> Figures:
    """Return the figures of two readers who have both read n records."""
    return figures(PAIR, np.array([a, b, c, d], dtype=np.int64))


def kinds_of_records(verdicts: NDArray[np.int8]) -> tuple[Kinds, Counts]:
    """Sort records by the verdicts of their reviewers, as far as it matters.

    Args:
        verdicts: Shape (n_readers, n_records): 1 include, 0 exclude, -1 not read. Pairs are
            oriented by the order of the rows.

    Returns:
        The kinds, and of each record which kind it is, shape (n_records,).
    """
    n_records = verdicts.shape[1]
    rows = np.zeros((n_records, 6), dtype=np.int64)
    for first, second in combinations(verdicts, 2):
        cell = cells_of_pair(first, second)
        both = np.flatnonzero(cell >= 0)
        rows[both, cell[both]] += 1
    rows[:, 4] = np.sum(verdicts >= 0, axis=0)
    rows[:, 5] = np.sum(verdicts == 1, axis=0)
    found, which = np.unique(rows, axis=0, return_inverse=True)
    return Kinds(found[:, :4], found[:, 4], found[:, 5]), which.reshape(-1).astype(np.int64)


def cells_of_pair(first: NDArray[np.int8], second: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return of each record its cell, 0 to 3 for a to d, and -1 where one has not read it."""
    cell = 3 - 2 * first - second
    return np.where((first >= 0) & (second >= 0), cell, -1).astype(np.int8)


def figures(kinds: Kinds, counts: Counts) -> Figures:
    """Return the figures of so many records of each kind.

    Intervals of percent, PABAK, positive and negative agreement are exact (Clopper-Pearson; the
    latter two given how many records somebody included, or excluded) as long as no record is in
    several pairs. All others are percentile intervals of N_RESAMPLES bootstrap samples of the
    records: to draw records with replacement is to draw a multinomial number of each kind.
    """
    compared = kinds.readers >= 2
    kinds = Kinds(kinds.cells[compared], kinds.readers[compared], kinds.includes[compared])
    counts = counts[compared]
    table = counts @ kinds.cells
    a, b, c, d = (int(cell) for cell in table)
    n_records = int(counts.sum())
    if not n_records:
        return Figures(0, 0, 0, 0, 0, *(Figure(None),) * 8)
    drawn = np.random.default_rng(_SEED).multinomial(
        n_records, counts / n_records, size=N_RESAMPLES
    )
    tables, table = drawn @ kinds.cells, table[np.newaxis]

    def resampled(statistic: Callable[[Counts], Floats]) -> Figure:
        return _figure(statistic(table), statistic(tables))

    def binomial(statistic: Callable[[Counts], Floats], found: int, of: int, to: _Scale) -> Figure:
        if not kinds.one_pair_each:
            return resampled(statistic)
        if not of:
            return Figure(None)
        interval = Interval(*map(to, exact_share(found, of)))
        return Figure(to(found / of), *interval)

    return Figures(
        a,
        b,
        c,
        d,
        n_records,
        prevalence=resampled(_prevalence),
        percent=binomial(_percent, a + d, a + b + c + d, lambda share: share),
        kappa=resampled(_kappa),
        pabak=binomial(_pabak, a + d, a + b + c + d, lambda share: 2 * share - 1),
        ac1=resampled(_ac1),
        alpha=_figure(_alpha(kinds, counts[np.newaxis]), _alpha(kinds, drawn)),
        positive_agreement=binomial(_positive, a, a + b + c, _of_two),
        negative_agreement=binomial(_negative, d, b + c + d, _of_two),
    )


_Scale = Callable[[float], float]


def _of_two(share: float) -> float:
    """Turn a/(a + b + c) into 2a/(2a + b + c)."""
    return 2 * share / (1 + share)


def _figure(value: Floats, resampled: Floats) -> Figure:
    if np.isnan(value[0]):
        return Figure(None)
    defined = resampled[~np.isnan(resampled)]
    if defined.size < _ENOUGH_DEFINED * resampled.size:
        return Figure(float(value[0]))
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    # Equal: nothing varied. That is no certainty, only a sample in which all records are alike.
    if low == high:
        return Figure(float(value[0]))
    return Figure(float(value[0]), float(low), float(high))


def _ratio(above: NDArray[np.generic], below: NDArray[np.generic]) -> Floats:
    """Divide; not a number where `below` is 0."""
    found: Floats = np.full(np.shape(below), np.nan)
    np.divide(above, below, out=found, where=np.asarray(below) != 0)
    return found


def _prevalence(tables: Counts) -> Floats:
    a, b, c, _ = tables.T
    return _ratio(2 * a + b + c, 2 * tables.sum(axis=1))


def _percent(tables: Counts) -> Floats:
    return _ratio(tables[:, 0] + tables[:, 3], tables.sum(axis=1))


def _kappa(tables: Counts) -> Floats:
    # Times n², in whole numbers: so 1 - pe is 0 exactly where it is.
    a, b, c, d = tables.T
    n = tables.sum(axis=1)
    by_chance = (a + b) * (a + c) + (c + d) * (b + d)
    return _ratio((a + d) * n - by_chance, n * n - by_chance)


def _pabak(tables: Counts) -> Floats:
    return 2 * _percent(tables) - 1


def _ac1(tables: Counts) -> Floats:
    prevalence = _prevalence(tables)
    by_chance = 2 * prevalence * (1 - prevalence)
    return _ratio(_percent(tables) - by_chance, 1 - by_chance)


def _positive(tables: Counts) -> Floats:
    a, b, c, _ = tables.T
    return _ratio(2 * a, 2 * a + b + c)


def _negative(tables: Counts) -> Floats:
    _, b, c, d = tables.T
    return _ratio(2 * d, 2 * d + b + c)


def _alpha(kinds: Kinds, counts: Counts) -> Floats:
    """Return alpha of samples, shape (n_samples,), of so many records of each kind.

    With m readers of a record of whom k include, 2k(m - k)/(m - 1) of its m paired values
    differ. Do is their share of all N values, De = 2 n1 n0/(N(N - 1)).
    """
    readers, includes = kinds.readers, kinds.includes
    differing = 2 * includes * (readers - includes) / (readers - 1)
    n = counts @ readers
    n1 = counts @ includes
    return 1 - _ratio((n - 1) * (counts @ differing), 2 * n1 * (n - n1))
