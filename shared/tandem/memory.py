"""How much memory a process of this machine may take for one task."""

import os
from collections.abc import Iterator
from pathlib import Path

MIB = 1 << 20

_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Of control groups, version 2 and 1; `max` where there is none."""


def allowed(most_mib: int | None) -> int:
    """Return the bytes that a process may take; None stands for half of the machine's memory."""
    return most_mib * MIB if most_mib is not None else _half_of_the_machine()


def _half_of_the_machine() -> int:
    return min(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *_of_the_container()) // 2


def _of_the_container() -> Iterator[int]:
    """Yield the limits that a container has, of which the machine's size says nothing."""
    for file in _LIMITS:
        if file.exists() and (limit := file.read_text(encoding="ascii").strip()).isdigit():
            yield int(limit)
