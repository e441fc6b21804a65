"""Long lists of values, in as many queries as engines need."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

_MOST = 500
"""Values in one query: engines bound how many there may be."""


def pieces(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield the values in order, at most 500 at a time."""
    return (values[at : at + _MOST] for at in range(0, len(values), _MOST))
