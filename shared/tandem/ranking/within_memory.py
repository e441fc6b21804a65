"""Which recipe a review is ranked by where memory is short: a smaller one rather than none."""

from tandem import memory
from tandem.log import logger
from tandem.memory import MIB
from tandem.ranking import recipes
from tandem.ranking.recipes import Recipe

_BEFORE = 270 * MIB
_OF_A_RECORD = 3000
"""Bytes for each record until the first ranking: by 10,000, 100,000 and 1,000,000 records of
1.5 kB, docs/capacity.md. What a process maps of files does not count: the system takes it back."""

_log = logger(__name__)


def recipe_within(model: str, n_records: int, most_mib: int | None) -> Recipe:
    """Return the recipe of this name, or the smaller one of ours where it would take too much.

    A recipe of somebody else's package is taken as it is.

    Args:
        model: The name of a recipe.
        n_records: Of the review, without those that are linked to another one.
        most_mib: What a process may take; None for half of the machine's memory.

    Raises:
        UnknownModel, BrokenPlugin: See `recipes.recipe`.
    """
    how = recipes.recipe(model)
    most = memory.allowed(most_mib)
    needed = needed_by(n_records)
    if needed <= most or (smaller := recipes.smaller(how)) is None:
        return how
    _log.warning(
        "too little memory for the recipe, so a smaller one ranks",
        recipe=how.name,
        taken=smaller.name,
        n_records=n_records,
        needs_mib=needed // MIB,
        has_mib=most // MIB,
    )
    return smaller


def needed_by(n_records: int) -> int:
    """Return about how many bytes a process takes at most to rank so many records first."""
    return _BEFORE + _OF_A_RECORD * n_records
