"""What a reviewer gets next where several decide each record: which kind, in which order. Pure.

Two reviewers read one ranking, but not in step: most of what each gets has been decided by
another, the rest is new, and one record in twenty comes from a random order that is the same for
all. Everything drawn here follows from the review's stored seed by a keyed hash, so it is fixed
before anybody decides, and anyone who has the seed can recompute it.
"""

from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from tandem.ids import UserId
from tandem.reviews.policy import Stage

SPREAD = 10
"""By fewer places than this a reviewer may read a record later than it is ranked."""

BLOCK = 20
_RANDOM_OF_BLOCK, _HALF_DONE_OF_BLOCK = 1, 12

_LEAST_CAP, _CAP_SHARE = 200, 10

_KEY_BYTES = 8
_DRAWS = 2**64
_KEYS_AT_ONCE = 4096


class Stream(StrEnum):
    """Where a served record came from.

    `ranking`: the ranking; of several reviewers nobody had decided it. `half_done`: the ranking;
    others had. `random`: the random stream. `unranked`: it was in no ranking yet. `again`: put
    off before.
    """

    RANKING = "ranking"
    HALF_DONE = "half_done"
    RANDOM = "random"
    UNRANKED = "unranked"
    AGAIN = "again"


def random_stream_key(seed: int, stage: Stage, number: int) -> int:
    """Return where a record stands in the review's random order: the smallest key comes first.

    BLAKE2b with a digest of 8 bytes, read big-endian; its key is the seed as 8 bytes, signed and
    big-endian, its message the ASCII text `random/STAGE/NUMBER`. Equal keys, if they ever occur,
    go by number. No other record matters, so later imports take their places among the earlier.

    Args:
        seed: The review's, in [-2**63, 2**63).
        stage: Each stage has an order of its own.
        number: The record's.

    Returns:
        In [0, 2**64), uniform over seeds and numbers.
    """
    return _draw(seed, f"random/{stage}/{number}")


@lru_cache(maxsize=8)
def random_stream(seed: int, stage: Stage, n: int) -> NDArray[np.int32]:
    """Return the numbers 1 to `n` in the order of `random_stream_key`, shape (n,). Read only."""
    blocks = [_keys(seed, stage, first) for first in range(1, n + 1, _KEYS_AT_ONCE)]
    keys = np.concatenate([np.empty(0, np.uint64), *blocks])[:n]
    order = (np.argsort(keys, kind="stable") + 1).astype(np.int32)
    order.flags.writeable = False
    return order


@lru_cache(maxsize=512)
def _keys(seed: int, stage: Stage, first: int) -> NDArray[np.uint64]:
    # In blocks that are kept: while records are imported, only the last one is new each time.
    numbers = range(first, first + _KEYS_AT_ONCE)
    return np.fromiter((random_stream_key(seed, stage, n) for n in numbers), np.uint64)


def kind_of_pick(seed: int, stage: Stage, reviewer: UserId, pick: int) -> Stream:
    """Return which kind of record a reviewer's pick is meant to be.

    Of each block of 20 picks, one is `random`, 12 (60 %) are `half_done` and 7 are new ones from
    the `ranking`, at places drawn for this reviewer and block.

    Args:
        seed: The review's.
        stage: Each is drawn for separately.
        reviewer: Whose pick.
        pick: How many they have been served with this one: 1, 2, 3, …
    """
    block, place = divmod(pick - 1, BLOCK)
    return _kinds_of_block(seed, stage, reviewer, block)[place]


@lru_cache(maxsize=1024)
def _kinds_of_block(seed: int, stage: Stage, reviewer: UserId, block: int) -> tuple[Stream, ...]:
    what = f"pick/{stage}/{reviewer}/{block}"
    drawn = sorted(range(BLOCK), key=lambda place: _draw(seed, f"{what}/{place}"))
    kinds = [Stream.RANKING] * BLOCK
    for place in drawn[:_RANDOM_OF_BLOCK]:
        kinds[place] = Stream.RANDOM
    for place in drawn[_RANDOM_OF_BLOCK : _RANDOM_OF_BLOCK + _HALF_DONE_OF_BLOCK]:
        kinds[place] = Stream.HALF_DONE
    return tuple(kinds)


def own_place(seed: int, stage: Stage, reviewer: UserId, number: int, place: int) -> float:
    """Return where a record stands in this reviewer's own order of a ranking.

    It is the place in the ranking plus the record's delay for this reviewer, in [0, SPREAD), which
    stays the same from one ranking to the next. So no two reviewers read in the same order, and no
    record waits for long: with windows that are shuffled inside, one that is last in its window
    would wait as long as fresh ones keep coming in above it.
    """
    return place + SPREAD * _draw(seed, f"delay/{stage}/{reviewer}/{number}") / _DRAWS


def half_done_cap(n_records: int) -> int:
    """Return how many half-done records a stage may have: 10 % of all, but at least 200.

    Beyond that nobody begins new ones while there are half-done ones for them.
    """
    return max(_LEAST_CAP, n_records // _CAP_SHARE)


def _draw(seed: int, what: str) -> int:
    key = seed.to_bytes(_KEY_BYTES, "big", signed=True)
    return int.from_bytes(blake2b(what.encode(), digest_size=8, key=key).digest(), "big")
