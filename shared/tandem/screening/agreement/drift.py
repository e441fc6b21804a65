"""Whether somebody's threshold has moved: do they include more, or less, than they used to? Pure.

The test is the plainest there is: two shares of includes, of the last decisions and of those
before, and Newcombe's 95 % interval of their difference. An interval without 0 is a sign to look
closer, no more: a reviewer whose judgement never moves shows one in about one look of twenty.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tandem.screening.agreement.intervals import share_difference

RECENT = 200
"""So many decisions count as the last ones; of the random stream, where there are fewer, half."""

FEWEST_BY_CHANCE = 50
"""Of the random stream, on either side. Fewer would not show a move of twenty points."""


@dataclass(frozen=True, slots=True)
class Read:
    """A first decision: whether it kept the record in, and whether it came by chance."""

    include: bool
    by_chance: bool


Measured = Literal["include_share_change_random_stream", "include_share_change_all"]


@dataclass(frozen=True, slots=True)
class Drift:
    """`value`: the recent share of includes less the one before; None where it is unknown."""

    what: Measured
    value: float | None
    low: float | None
    high: float | None
    n_recent: int
    n_before: int
    note: str


_BY_CHANCE: Measured = "include_share_change_random_stream"
_ALL: Measured = "include_share_change_all"


def drift(reads: Sequence[Read]) -> Drift:
    """Compare somebody's last decisions with those before.

    On records of the random stream as soon as there are enough of them: their order has nothing
    to do with what they say. On the ranked ones the share of includes falls by design.

    Args:
        reads: In the order in which they were made.
    """
    by_chance = [read for read in reads if read.by_chance]
    if len(by_chance) >= 2 * FEWEST_BY_CHANCE:
        recent = min(RECENT, len(by_chance) // 2)
        note = "Records of the random stream alone: their order is chance."
        return _compared(_BY_CHANCE, by_chance, recent, note)
    if len(reads) >= 2 * RECENT:
        note = (
            "All records, the likely ones first: the share of includes falls by design, and a "
            "fall is no sign of drift. A rise may be one."
        )
        return _compared(_ALL, reads, RECENT, note)
    note = (
        f"Too few decisions yet: {2 * FEWEST_BY_CHANCE} of the random stream are needed, or "
        f"{2 * RECENT} in all."
    )
    return Drift(_ALL, None, None, None, 0, 0, note)


def _compared(what: Measured, reads: Sequence[Read], n_recent: int, note: str) -> Drift:
    before, recent = reads[:-n_recent], reads[-n_recent:]
    found, found_before = (sum(read.include for read in some) for some in (recent, before))
    interval = share_difference(found, len(recent), found_before, len(before))
    value = found / len(recent) - found_before / len(before)
    return Drift(what, value, interval.low, interval.high, len(recent), len(before), note)
