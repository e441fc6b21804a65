"""Records in groups that only grow, and never hold two that are known to be different."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product

from tandem.records.duplicates.comparison import Comparison, Features, compare_features
from tandem.records.duplicates.matching import Match
from tandem.records.duplicates.rules import contradict

_MOST_CHECKED = 2_000
"""Pairs between two groups that are compared before they become one. Only copies of one record
by the dozen come near it; equal ones are compared once."""


@dataclass(frozen=True, slots=True)
class Link:
    """A match of two positions, `low` < `high`."""

    low: int
    high: int
    match: Match
    is_certain: bool


class Partition:
    """Positions of `records` in disjoint groups, at first those given.

    Args:
        groups: Positions linked already; groups that share one are one.
        apart: Pairs of positions that no joined group may hold.
    """

    def __init__(
        self,
        records: Sequence[Features],
        groups: Iterable[Collection[int]],
        apart: Iterable[Collection[int]],
    ) -> None:
        known: dict[Features, int] = {}
        self._distinct = [known.setdefault(record, len(known)) for record in records]
        self._records = list(known)
        self._root = list(range(len(records)))
        self._members: dict[int, list[int]] = {}
        self._versions: dict[int, set[int]] = {}
        self._barred: dict[int, set[int]] = {}
        self._grown: set[int] = set()
        for group in groups:
            for a, b in zip(group, islice(group, 1, None), strict=False):
                if self._find(a) != self._find(b):
                    self._unite(self._find(a), self._find(b))
        for a, b in apart:
            self._barred.setdefault(self._find(a), set()).add(b)
            self._barred.setdefault(self._find(b), set()).add(a)

    def join(self, link: Link) -> bool:
        """Make one group of two, unless something in them contradicts; return whether they are."""
        a, b = self._find(link.low), self._find(link.high)
        if a == b:
            return True
        if self._are_apart(a, b) or self._any_pair(a, b, contradict):
            return False
        self._grown.add(self._unite(a, b))
        return True

    def is_one(self, a: int, b: int) -> bool:
        return self._find(a) == self._find(b)

    def grown(self) -> Iterator[tuple[int, ...]]:
        """Yield the groups that were joined, each in ascending order."""
        for root in sorted({self._find(root) for root in self._grown}):
            yield tuple(sorted(self._of(root)))

    def open_questions(self, links: Iterable[Link]) -> list[Link]:
        """Return what people have to be asked, the surest of `links` coming first in them.

        Links that would be settled if all the surer ones were accepted are left out: four
        records that seem to be one make three questions, not six.
        """
        asked: list[Link] = []
        hoped: dict[int, int] = {}

        def end(root: int) -> int:
            while (above := hoped.get(root, root)) != root:
                hoped[root] = hoped.get(above, above)
                root = above
            return root

        for link in links:
            a, b = self._find(link.low), self._find(link.high)
            if end(a) == end(b) or self._are_apart(a, b):
                continue
            hoped[end(a)] = end(b)
            asked.append(link)
        return sorted(asked, key=lambda link: (link.low, link.high))

    def _find(self, at: int) -> int:
        root = at
        while self._root[root] != root:
            root = self._root[root]
        while self._root[at] != root:
            self._root[at], at = root, self._root[at]
        return root

    def _of(self, root: int) -> list[int]:
        return self._members.get(root) or [root]

    def _versions_of(self, root: int) -> set[int]:
        """Return which distinct records a group holds: copies of one count once."""
        return self._versions.get(root) or {self._distinct[root]}

    def _unite(self, a: int, b: int) -> int:
        kept, gone = (a, b) if len(self._of(a)) >= len(self._of(b)) else (b, a)
        self._versions[kept] = self._versions_of(kept)
        self._versions[kept] |= self._versions_of(gone)
        self._versions.pop(gone, None)
        self._members.setdefault(kept, [kept]).extend(self._of(gone))
        self._members.pop(gone, None)
        self._root[gone] = kept
        if barred := self._barred.pop(gone, None):
            self._barred.setdefault(kept, set()).update(barred)
        return kept

    def _are_apart(self, a: int, b: int) -> bool:
        """Whether the groups of two roots hold a pair that people have parted."""
        return any(
            self._find(other) in (a, b) for root in (a, b) for other in self._barred.get(root, ())
        )

    def _any_pair(self, a: int, b: int, holds: Callable[[Comparison], bool]) -> bool:
        """Whether something holds for any record of one group and any of the other."""
        pairs = product(sorted(self._versions_of(a)), sorted(self._versions_of(b)))
        return any(
            holds(compare_features(self._records[one], self._records[other]))
            for one, other in islice(pairs, _MOST_CHECKED)
            if one != other
        )
