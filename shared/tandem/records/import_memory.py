"""How much memory an import takes: asked before it starts, so that it ends no worker."""

import numpy as np

from tandem.errors import TandemError
from tandem.memory import MIB

_WORKER = 160 * MIB
"""Of a worker's process before it begins."""

_OF_A_RECORD = 2600
"""Bytes for each record of the review while all are compared with each other (docs/capacity.md)."""

_TWO_BYTES, _FOUR_BYTES = 0xC4, 0xF0
"""From these bytes of UTF-8 on, every letter of a text takes two or four bytes in memory."""


class TooLarge(TandemError):
    """An import takes more memory than a process may take here."""

    code = "too_large"


def require_to_read(data: bytes, most: int) -> None:
    """Raise TooLarge where reading the file takes more than `most` bytes of memory."""
    needed = _WORKER + to_read(data)
    if needed > most:
        part = int(len(data) * max(0, most - _WORKER) / to_read(data)) // MIB
        raise TooLarge(
            f"The file takes {needed // MIB:,} MiB of memory to be read, and here an import may "
            f"take {most // MIB:,}. Split it into files of at most {max(1, part):,} MiB, or have "
            "TANDEM_IMPORT_MEMORY_MIB raised."
        )


def require_to_compare(n_records: int, most: int) -> None:
    """Raise TooLarge where comparing so many records takes more than `most` bytes of memory."""
    needed = to_compare(n_records)
    if needed > most:
        fit = max(0, most - _WORKER) // _OF_A_RECORD
        raise TooLarge(
            f"With this file the review has {n_records:,} records. To find duplicates among them "
            f"takes {needed // MIB:,} MiB of memory, and here an import may take "
            f"{most // MIB:,}: enough for {fit:,} records. Have TANDEM_IMPORT_MEMORY_MIB raised, "
            "run the worker where there is more memory, or make several reviews."
        )


def to_read(data: bytes) -> int:
    """Return about how many bytes it takes to read a file: its own, and those of its text.

    While the text is made it is there with one byte a letter, too.
    """
    highest = int(np.frombuffer(data, np.uint8).max(initial=0))
    of_a_letter = 1 if highest < _TWO_BYTES else 2 if highest < _FOUR_BYTES else 4
    return (2 + of_a_letter) * len(data)


def to_compare(n_records: int) -> int:
    """Return about how many bytes a process takes while it compares so many records."""
    return _WORKER + _OF_A_RECORD * n_records
