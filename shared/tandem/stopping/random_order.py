"""The random order in which an audit draws, and the seal that proves it was fixed beforehand. Pure.

The seed is drawn when the audit is registered and shown when it is over. Nobody who screens can
know the order before: it follows from nothing else.
"""

import hashlib
import secrets
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tandem.reviews.policy import Stage

SEED_BYTES = 32
_KEY_BYTES = 8


def new_seed() -> bytes:
    return secrets.token_bytes(SEED_BYTES)


def key(seed: bytes, stage: Stage, number: int) -> int:
    """Return where a record stands in the random order: the smallest key is drawn first.

    BLAKE2b with a digest of 8 bytes, read big-endian; its key is the seed, its message the ASCII
    text `draw/STAGE/NUMBER`. Equal keys, if they ever occur, go by number.
    """
    message = f"draw/{stage}/{number}".encode()
    digest = hashlib.blake2b(message, digest_size=_KEY_BYTES, key=seed).digest()
    return int.from_bytes(digest, "big")


@lru_cache(maxsize=8)
def order(seed: bytes, stage: Stage, last: int) -> NDArray[np.int32]:
    """Return the numbers 1 to `last` in the order in which they are drawn, shape (last,).

    Read only.
    """
    keys = np.fromiter((key(seed, stage, n) for n in range(1, last + 1)), np.uint64, last)
    numbers = (np.argsort(keys, kind="stable") + 1).astype(np.int32)
    numbers.flags.writeable = False
    return numbers


def seal(seed: bytes, stage: Stage, last: int) -> str:
    """Return the SHA-256, in hexadecimal, of what an audit draws from and in which order.

    Of the ASCII text `SEED/STAGE/LAST`: the seed in hexadecimal, the largest record number.
    """
    return hashlib.sha256(f"{seed.hex()}/{stage}/{last}".encode()).hexdigest()
