"""The figures of a trail: counts, flow and agreement, the same way from tables and from a log."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from tandem.reviews.policy import Stage
from tandem.screening.agreement.rated import Entry, Rated, rate
from tandem.screening.agreement.statistics import (
    Figures,
    figures,
    figures_of_table,
    kinds_of_records,
)
from tandem.screening.rules import Status

_DIGITS = 9
"""Digits of a share that are kept: later ones depend on the order of addition."""

Counts = Mapping[Status, int]


def flow(n_identified: int, n_duplicates: int, statuses: Counts) -> dict[str, int]:
    """Return the numbers of records identified, of duplicates, and of records by status.

    `screened + awaiting + in_conflict + unscreened = identified - duplicates`.
    """
    counts = by_status(n_identified - n_duplicates, statuses)
    return {
        "identified": n_identified,
        "duplicates": n_duplicates,
        "screened": counts[Status.INCLUDED] + counts[Status.EXCLUDED],
        "included": counts[Status.INCLUDED],
        "excluded": counts[Status.EXCLUDED],
        "awaiting": counts[Status.AWAITING],
        "in_conflict": counts[Status.CONFLICT],
        "unscreened": counts[Status.UNSCREENED],
    }


def by_status(n_records: int, found: Counts) -> dict[str, int]:
    """Return the number of records of each status, including those without a decision."""
    counts = {status.value: found.get(status, 0) for status in Status}
    touched = sum(counts.values()) - counts[Status.UNSCREENED]
    return counts | {Status.UNSCREENED.value: n_records - touched}


def agreement(stage: Stage, ledger: Sequence[Entry]) -> Iterator[dict[str, Any]]:
    """Yield the agreement of all reviewers in a stage, then of each pair with records in common."""
    rated = rate(ledger)
    kinds, which = kinds_of_records(rated.verdicts)
    counts = np.bincount(which, minlength=len(kinds.readers)).astype(np.int64)
    everybody = figures(kinds, counts)
    if everybody.n:
        yield _line(stage, None, everybody)
    for first, second in combinations(range(len(rated.reviewers)), 2):
        if any(table := _table(rated, first, second)):
            pair = [str(rated.reviewers[first]), str(rated.reviewers[second])]
            yield _line(stage, pair, figures_of_table(*table))


def _table(rated: Rated, first: int, second: int) -> tuple[int, int, int, int]:
    one, other = rated.verdicts[first], rated.verdicts[second]
    read = (one >= 0) & (other >= 0)
    cells = np.bincount((3 - 2 * one - other)[read], minlength=4)
    return int(cells[0]), int(cells[1]), int(cells[2]), int(cells[3])


def _line(stage: Stage, pair: list[str] | None, found: Figures) -> dict[str, Any]:
    names = ("percent", "kappa", "pabak", "ac1", "alpha", "positive_agreement")
    shares = {name: getattr(found, name).value for name in (*names, "negative_agreement")}
    return {
        "stage": stage.value,
        "reviewers": pair,
        "n_records": found.n_records,
        "a": found.a,
        "b": found.b,
        "c": found.c,
        "d": found.d,
    } | {name: None if it is None else round(it, _DIGITS) for name, it in shares.items()}
