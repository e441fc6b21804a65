"""Which recipe a review is ranked by where memory is short: a smaller one rather than none."""

import os
from collections.abc import Iterator
from pathlib import Path

from tandem.log import logger
from tandem.ranking import recipes
from tandem.ranking.recipes import Recipe

_MIB = 1 << 20
_BEFORE = 270 * _MIB
_OF_A_RECORD = 4800
"""Bytes for each record until the first ranking, in a process that has read the file before: by
10,000 and 30,000 records of 1.5 kB, docs/capacity.md."""

_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Of control groups, version 2 and 1; `max` where there is none."""

_log = logger(__name__)


def recipe_within(model: str, n_records: int, most_mib: int | None) -> Recipe:
    """Return the recipe of this name, or the smaller one of ours where it would take too much.

    A recipe of somebody else's package is taken as it is.

    Args:
        model: The name of a recipe.
        n_records: Of the review.
        most_mib: What a process may take; None for half of the machine's memory.

    Raises:
        UnknownModel, BrokenPlugin: See `recipes.recipe`.
    """
    how = recipes.recipe(model)
    most = (most_mib * _MIB) if most_mib is not None else _half_of_the_machine()
    needed = needed_by(n_records)
    if needed <= most or (smaller := recipes.smaller(how)) is None:
        return how
    _log.warning(
        "too little memory for the recipe, so a smaller one ranks",
        recipe=how.name,
        taken=smaller.name,
        n_records=n_records,
        needs_mib=needed // _MIB,
        has_mib=most // _MIB,
    )
    return smaller


def needed_by(n_records: int) -> int:
    """Return about how many bytes a process takes at most to rank so many records first."""
    return _BEFORE + _OF_A_RECORD * n_records


def _half_of_the_machine() -> int:
    return min(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *_of_the_container()) // 2


def _of_the_container() -> Iterator[int]:
    """Yield the limits that a container has, of which the machine's size says nothing."""
    for file in _LIMITS:
        if file.exists() and (limit := file.read_text(encoding="ascii").strip()).isdigit():
            yield int(limit)
