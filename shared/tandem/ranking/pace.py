"""How soon after one training of a review its next may begin.

Somebody who thinks has their decision in the ranking at once; a flood of decisions becomes few
trainings. Of `SLOWEST` pauses at most, each training of the last minute adds one: with the usual
pause of half a second the next begins 0.5 s after the begin of the first, 1 s after that of the
second, and 4 s after that of the eighth and of all that follow.

So in a minute at most 19 begin: twenty have 0.5 + 1 + … + 3.5 + 12 × 4 = 62 s between them. And
whatever comes within a minute, in whatever rhythm, is learnt in at most 20 trainings: the 19,
and one more for what came last. Because the time counts from begin to begin, a decision that has
just been missed waits 4 s and one training, and never more than two trainings that are longer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=1)
SLOWEST = 8
"""Pauses between two trainings, at most."""


@dataclass(frozen=True, slots=True)
class Timing:
    """`lease`: silence after which a worker is taken for dead; `pause`: see above."""

    lease: timedelta
    pause: timedelta


def next_begin(begun: Sequence[datetime], *, pause: timedelta) -> datetime:
    """Return the earliest begin of the next training.

    Args:
        begun: When trainings of the review began, the newest first; at least one, and all of
            the last minute up to `SLOWEST`.
        pause: After a first training.
    """
    newest = begun[0]
    recent = [moment for moment in begun if newest - moment < WINDOW]
    return newest + pause * min(len(recent), SLOWEST)
