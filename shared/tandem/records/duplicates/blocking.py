"""Which pairs of records are worth comparing: those that share something that duplicates share.

A block holds the records with one value of a key. Every pair is compared of those with an
identifier, a title or pages in common; of others, such as the records of one author and year,
only pairs with similar titles. Common values would make that quadratic: the Wangs of 2020, the
editorials. So in large blocks a record is compared only with the ten after it in the order of
title, author, year and pages, and generic titles are looked at only where identifiers or pages
are shared. Duplicates in a large block are missed where they stand far from each other in that
order, and no other block holds the two.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

import numpy as np
from rapidfuzz import fuzz, process

from tandem.progress import OnProgress, counted, no_progress, stretch
from tandem.records.duplicates.comparison import Features

LARGEST = 1_000
"""Records of a block of which all pairs of titles are looked at."""

_SMALL = 40
"""Records of a block of which all pairs are compared in full."""

_FEW = 12
"""Titles below which setting up the comparison of many at once takes longer than comparing."""

_ROWS = 256
_NEIGHBOURS = 10
_MOST_COPIES = 20
_PREFIX = 16
_SIMILAR = 85.0
"""Below what titles of one work must have, as words may also be joined otherwise."""

_Key = Callable[[Features], Hashable | None]
Pair = tuple[int, int]


def candidates(
    records: Sequence[Features], on_progress: OnProgress = no_progress
) -> Iterator[Pair]:
    """Yield pairs of positions in `records`, the smaller first, each once."""
    seen: set[int] = set()
    n = len(records)
    for low, high in _pairs(records, on_progress):
        if low > high:
            low, high = high, low
        code = low * n + high
        if code not in seen:
            seen.add(code)
            yield low, high


def _pairs(records: Sequence[Features], on_progress: OnProgress) -> Iterator[Pair]:
    keys = (*_TIGHT, *_LOOSE)
    for at, key in enumerate(keys):
        blocks = _blocks(records, key)
        for block in counted(blocks, stretch(on_progress, at / len(keys), (at + 1) / len(keys))):
            if key in _TIGHT:
                yield from _all(block) if len(block) <= _SMALL else _neighbours(records, block)
            if key in _LOOSE or (len(block) > _SMALL and key is not _by_title):
                yield from _similar(records, block)
    yield from _longer_forms(records)
    yield from _registrations(records)


def _by_doi(record: Features) -> Hashable | None:
    return record.doi


def _by_pmid(record: Features) -> Hashable | None:
    return record.pmid


def _by_title(record: Features) -> Hashable | None:
    return None if record.title.is_generic else record.title.core


def _by_author_year_pages(record: Features) -> Hashable | None:
    if not record.names or record.year is None or record.pages is None:
        return None
    return record.names[0].family, record.year, record.pages.first


def _by_journal_volume_pages(record: Features) -> Hashable | None:
    if record.journal is None or not record.volume or record.pages is None:
        return None
    return record.journal.key[:1], record.volume[0], record.pages.first


def _by_author_next_year(record: Features) -> Hashable | None:
    """Put an even year and the next together; `_by_author_last_year`, it and the last."""
    if not record.names or record.year is None:
        return None
    return record.names[0].family, record.year // 2


def _by_author_last_year(record: Features) -> Hashable | None:
    if not record.names or record.year is None:
        return None
    return record.names[0].family, (record.year + 1) // 2


def _by_title_start(record: Features) -> Hashable | None:
    return record.title.key[:_PREFIX] or None


def _by_year_pages(record: Features) -> Hashable | None:
    if record.year is None or record.pages is None:
        return None
    return record.year, record.pages.first


_TIGHT: tuple[_Key, ...] = (
    _by_doi, _by_pmid, _by_title, _by_author_year_pages, _by_journal_volume_pages
)  # fmt: skip
_LOOSE: tuple[_Key, ...] = (
    _by_author_next_year, _by_author_last_year, _by_title_start, _by_year_pages
)  # fmt: skip


def _blocks(records: Sequence[Features], key: _Key) -> list[list[int]]:
    found: dict[Hashable, list[int]] = defaultdict(list)
    for place, record in enumerate(records):
        if (value := key(record)) is not None:
            found[value].append(place)
    return [block for block in found.values() if len(block) > 1]


def _all(block: Sequence[int]) -> Iterator[Pair]:
    return ((a, b) for at, a in enumerate(block) for b in block[at + 1 :])


def _similar(records: Sequence[Features], block: Sequence[int]) -> Iterator[Pair]:
    """Yield pairs with similar titles; what has equal ones is in a block of its own."""
    block = [place for place in block if not records[place].title.is_generic]
    if len(block) > LARGEST:
        yield from _neighbours(records, block)
        return
    keys = [records[place].title.key for place in block]
    if len(block) <= _FEW:
        for a, b in _all(range(len(block))):
            if keys[a] != keys[b] and fuzz.ratio(keys[a], keys[b], score_cutoff=_SIMILAR):
                yield block[a], block[b]
        return
    for start in range(0, len(keys), _ROWS):
        rest = keys[start:]
        scores = process.cdist(
            rest[:_ROWS], rest, scorer=fuzz.ratio, score_cutoff=_SIMILAR, dtype=np.uint8
        )
        for row, column in zip(*np.nonzero(scores), strict=True):
            if row < column and rest[row] != rest[column]:
                yield block[start + row], block[start + column]


def _neighbours(records: Sequence[Features], block: Iterable[int]) -> Iterator[Pair]:
    ordered = sorted(block, key=lambda place: _standing(records[place]))
    for at, a in enumerate(ordered):
        for b in ordered[at + 1 : at + 1 + _NEIGHBOURS]:
            yield a, b


def _standing(record: Features) -> tuple[str, str, int, int]:
    """Order records so that duplicates come to stand side by side."""
    author = record.names[0].family if record.names else ""
    return record.title.key, author, record.year or 0, record.pages.first if record.pages else 0


def _registrations(records: Sequence[Features]) -> Iterator[Pair]:
    """Yield each record of a trial registry with all that have its number."""
    trials: dict[str, list[int]] = defaultdict(list)
    for place, record in enumerate(records):
        if record.own_number is not None:
            trials[record.own_number].append(place)
    for place, record in enumerate(records):
        for number in record.registry_ids:
            for trial in trials.get(number, ())[:_MOST_COPIES]:
                if trial != place:
                    yield trial, place


def _longer_forms(records: Sequence[Features]) -> Iterator[Pair]:
    """Yield each title with the longest other that it begins with."""
    beginnings: list[int] = []
    for place in sorted(range(len(records)), key=lambda place: _standing(records[place])):
        key = records[place].title.key
        while beginnings and not key.startswith(records[beginnings[-1]].title.key):
            beginnings.pop()
        if beginnings:
            yield beginnings[-1], place
        if key:
            beginnings.append(place)
