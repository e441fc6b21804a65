"""Texts as numbers: each word is one, and so is each run of words."""

import re
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from copy import copy

import numpy as np
from numpy.typing import NDArray

_WORD = re.compile(r"\w\w+")
_AT_ONCE = 10_000
"""Runs that are spelled together, or texts whose words are summed together."""

_WORDS_AT_ONCE = 1_000_000

Numbers = NDArray[np.int64]


def n_words(text: str) -> int:
    """Return how many words of a text are counted."""
    return len(_WORD.findall(text.lower()))


class Texts:
    """The runs of words in some texts. Words have two letters or more, and are in lower case.

    Words are numbered from 1 in alphabetical order. A run is the number that has these as its
    digits, with zeros to the right of a short one: so the order of numbers is that of the runs
    as spelled, with spaces between, because no word has anything in it that precedes a space.
    """

    def __init__(self, texts: Iterable[str], lengths: tuple[int, int]) -> None:
        """Read the texts once; `lengths` is of how many words runs are, at least and at most."""
        met: defaultdict[str, int] = defaultdict()
        met.default_factory = met.__len__
        words, ends = array("i"), array("q", [0])
        for text in texts:
            words.extend(map(met.__getitem__, _WORD.findall(text.lower())))
            ends.append(len(words))
        self._spelled, self._lengths = ["", *sorted(met)], lengths
        if len(self._spelled) ** lengths[1] >= 2**63:
            raise ValueError(f"Runs of {lengths[1]} out of {len(met)} words are too many to count.")
        number = np.empty(len(met), np.int32)
        for place, word in enumerate(self._spelled[1:], start=1):
            number[met[word]] = place
        self._words, self._ends = np.frombuffer(words, np.int32), np.array(ends)
        for start in range(0, self._words.size, _WORDS_AT_ONCE):  # no second array of all words
            some = self._words[start : start + _WORDS_AT_ONCE]
            some[:] = number[some]

    def __len__(self) -> int:
        return self._ends.size - 1

    def beginnings(self, n_words: Numbers) -> "Texts":
        """Return the first words of each text, so many, shape (n_texts,)."""
        begun = copy(self)
        begun._ends = np.concatenate([[0], np.cumsum(n_words)])
        begun._words = np.empty(begun._ends[-1], np.int32)
        for start in range(0, len(self), _AT_ONCE):
            ends = begun._ends[start : start + _AT_ONCE + 1]
            moved = np.repeat(self._ends[start : start + ends.size - 1] - ends[:-1], np.diff(ends))
            places = np.arange(ends[0], ends[-1])
            begun._words[places] = self._words[places + moved]
        return begun

    @property
    def n_runs(self) -> int:
        """About how many runs there are: each word begins one of each length."""
        return int(self._words.size) * (self._lengths[1] - self._lengths[0] + 1)

    def runs(self, rows: range) -> tuple[Numbers, Numbers]:
        """Return the runs in these texts, and which of the texts, from 0, each is in.

        They come text by text, the shortest runs first, otherwise as they are read.
        """
        bounds = self._ends[rows.start : rows.stop + 1]
        of = np.repeat(np.arange(len(rows)), np.diff(bounds))
        return self._joined(self._words[bounds[0] : bounds[-1]].astype(np.int64), of)

    def ranges(self, most: int) -> Iterator[range]:
        """Yield ranges of words, together all of them: of each, `most` runs or so begin with one.

        With a single word there may be more.
        """
        shortest, longest = self._lengths
        n_begun = np.cumsum(np.bincount(self._words, minlength=len(self._spelled)))
        n_begun *= longest - shortest + 1
        low = 1
        while low < len(self._spelled):
            high = int(np.searchsorted(n_begun, n_begun[low - 1] + most, "right"))
            yield range(low, max(low + 1, high))
            low = max(low + 1, high)

    def runs_within(self, words: range) -> tuple[Numbers, Numbers, Numbers]:
        """Return the text and the place of each run that begins with one of these words.

        Equal ones come as they are read. Places ascend over all texts as runs do in `runs`.
        """
        base, (shortest, longest) = len(self._spelled), self._lengths
        first = np.flatnonzero((self._words >= words.start) & (self._words < words.stop))
        of = np.searchsorted(self._ends, first, "right") - 1
        begin, end = self._ends[of], self._ends[of + 1]
        runs, texts, places = [], [], []
        for nth, length in enumerate(range(shortest, longest + 1)):
            within = first + length <= end
            at = first[within]
            run = np.zeros(at.size, np.int64)
            for place in range(longest):
                run = run * base + (self._words[at + place] if place < length else 0)
            runs.append(run)
            texts.append(of[within])
            # Of each length a text has as many places as words.
            n_before = (longest - shortest + 1) * begin + nth * (end - begin) - begin
            places.append(n_before[within] + at)
        return np.concatenate(runs), np.concatenate(texts), np.concatenate(places)

    def runs_of(self, text: str) -> Numbers:
        """Return the runs in another text that are of known words alone."""
        words = np.array([self._number(word) for word in _WORD.findall(text.lower())], np.int64)
        known = words > 0
        # What stands on either side of an unknown word does not follow one upon the other.
        runs, _ = self._joined(words[known], np.cumsum(~known, dtype=np.int64)[known])
        return runs

    def spelled(self, runs: Numbers) -> tuple[NDArray[np.uint8], Numbers]:
        """Return the words of each run with spaces between, one run after the other in UTF-8.

        With it comes where each run ends in it, shape (n_runs,).
        """
        words = [word.encode() for word in self._spelled]
        letters = np.frombuffer(b" ".join(words) + b" ", np.uint8)
        lengths = np.array([len(word) + 1 for word in words])
        begins = np.cumsum(lengths) - lengths
        lengths[0] = 0  # a word that a short run does not have
        ends = np.empty(runs.size, np.int64)
        for start in range(0, runs.size, _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            ends[part] = lengths[self._digits(runs[part])].sum(axis=1) - 1
        np.cumsum(ends, out=ends)
        text = np.empty(ends[-1] if ends.size else 0, np.uint8)
        for start in range(0, runs.size, _AT_ONCE):
            some = self._digits(runs[start : start + _AT_ONCE]).ravel()
            n_letters = lengths[some]
            after = np.cumsum(n_letters)
            places = np.repeat(begins[some] - after + n_letters, n_letters) + np.arange(after[-1])
            is_last = np.zeros(places.size, bool)
            is_last[after[self._lengths[1] - 1 :: self._lengths[1]] - 1] = True  # a space
            begin = ends[start - 1] if start else 0
            text[begin : ends[start : start + _AT_ONCE][-1]] = letters[places[~is_last]]
        return text, ends

    def sums(self, weights: Mapping[str, float]) -> tuple[NDArray[np.float64], Numbers]:
        """Return for each text what its different words weigh together, and how many weigh.

        Weights are added up in the alphabetical order of words: equal words have equal sums.
        """
        of_word = np.zeros(len(self._spelled))
        weighs = np.zeros(len(self._spelled), bool)
        for word, weight in weights.items():
            if number := self._number(word):
                of_word[number], weighs[number] = weight, True
        sums, n_words = np.zeros(len(self)), np.zeros(len(self), np.int64)
        for start in range(0, len(self), _AT_ONCE):
            ends = self._ends[start : start + _AT_ONCE + 1]
            words = self._words[ends[0] : ends[-1]]
            counts = weighs[words]
            texts = np.repeat(np.arange(ends.size - 1), np.diff(ends))[counts]
            pairs = np.sort(texts * len(self._spelled) + words[counts])
            different = pairs[np.diff(pairs, prepend=-1) != 0]
            texts, words = np.divmod(different, len(self._spelled))
            part = slice(start, start + ends.size - 1)
            sums[part] = np.bincount(texts, of_word[words], minlength=ends.size - 1)
            n_words[part] = np.bincount(texts, minlength=ends.size - 1)
        return sums, n_words

    def _digits(self, runs: Numbers) -> Numbers:
        """Return the words of runs, shape (n_runs, longest), 0 behind those of a short one."""
        base, longest = len(self._spelled), self._lengths[1]
        digits = [runs // base**place % base for place in reversed(range(longest))]
        return np.stack(digits, axis=1)

    def _number(self, word: str) -> int:
        place = bisect_left(self._spelled, word)
        return place if self._spelled[place : place + 1] == [word] else 0

    def _joined(self, words: Numbers, of: Numbers) -> tuple[Numbers, Numbers]:
        base, (shortest, longest) = len(self._spelled), self._lengths
        runs, texts = [], []
        for length in range(shortest, longest + 1):
            n = max(0, words.size - length + 1)
            run = np.zeros(n, np.int64)
            for place in range(longest):
                run = run * base + (words[place : place + n] if place < length else 0)
            within = of[:n] == of[length - 1 : length - 1 + n]
            runs.append(run[within])
            texts.append(of[:n][within])
        every = np.concatenate(texts)
        in_order = np.argsort(every, kind="stable")
        return np.concatenate(runs)[in_order], every[in_order]
