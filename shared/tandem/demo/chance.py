"""Dice that fall alike everywhere."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Seeded draws that are equal on every Python and every system.

    Only `Random.random()` is promised to repeat its sequence in later versions of Python;
    `choice`, `shuffle` and `sample` are not, and so every draw is made from it.
    """

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311  # texts for a demonstration, no secrets

    def below(self, n: int) -> int:
        return int(self._random.random() * n)

    def between(self, low: int, high: int) -> int:
        """Return an integer from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def pick(self, items: Sequence[T]) -> T:
        return items[self.below(len(items))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        result = list(items)
        for i in range(len(result) - 1, 0, -1):
            j = self.below(i + 1)
            result[i], result[j] = result[j], result[i]
        return result
