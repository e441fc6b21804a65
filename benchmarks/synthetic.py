"""Records that nobody wrote: enough text for a training to take its time."""

import csv
import io
import random
from collections.abc import Iterator
from itertools import accumulate

_WORDS = 30_000
_TOPIC = 40
_RELEVANT_SHARE = 0.06
_TITLE_WORDS = 12


class Corpus:
    """`n` records, the same for the same seed. Record i (from 1) is the review's record i.

    Words fall as in natural texts (Zipf), so that pairs of them are as sparse as real ones;
    relevant records have some words of a topic.
    """

    def __init__(self, n: int, *, words: int, seed: int) -> None:
        self.n, self._words, self._seed = n, words, seed
        dice = random.Random(f"{seed} relevant")
        self.relevant = {str(i) for i in range(1, n + 1) if dice.random() < _RELEVANT_SHARE}

    def as_csv(self) -> bytes:
        file = io.StringIO(newline="")
        writer = csv.writer(file)
        writer.writerow(["record_id", "title", "abstract"])
        writer.writerows(self._rows())
        return file.getvalue().encode()

    def verdict(self, record: str, reader: int) -> str:
        """Return what a reader says, who errs once in twenty."""
        errs = random.Random(f"{self._seed} {record} {reader}").random() < 0.05
        return "include" if (record in self.relevant) != errs else "exclude"

    def _rows(self) -> Iterator[tuple[str, str, str]]:
        dice = random.Random(f"{self._seed} words")
        heights = list(accumulate(1 / rank for rank in range(1, _WORDS + 1)))
        numbers = range(_WORDS)
        for i in range(1, self.n + 1):
            drawn = dice.choices(numbers, cum_weights=heights, k=self._words)
            words = [f"word{number}" for number in drawn]
            if str(i) in self.relevant:
                for place in dice.sample(range(self._words), 6):
                    words[place] = f"topic{dice.randrange(_TOPIC)}"
            yield str(i), " ".join(words[:_TITLE_WORDS]), " ".join(words[_TITLE_WORDS:])
