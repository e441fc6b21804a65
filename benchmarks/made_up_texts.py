"""Titles and abstracts that nobody wrote, in any number, whose vocabulary grows as a real one does.

They are put together of real ones: from word to word a record reads on in a text of the folder, or
jumps to another place. So pairs of words recur as often as they do in a language; the jumps are
as frequent as new pairs are in real texts, and so are the words that no real text has.
"""

import csv
import gzip
import random
from array import array
from collections.abc import Iterator
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parents[2] / "shared" / "data" / "labelled"

JUMPS, FRESH = 0.22, 0.005
"""How often a word is from another place of the real texts, and how often it is in none of them.
So 32,000 made-up records have 85,000 words and 1.6 million pairs, as the real ones have 81,000 and
1.6 million, and twice as many have 110,000 words, as the growth of real ones up to there foretells.
"""

_CHUNK = 1000
_LETTERS = np.array(list("aeioubcdfglmnprst"))


class Source:
    """The words of the real texts, in order, and how long each title and abstract is."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.words: list[str] = []
        lengths = array("i")
        known: dict[str, str] = {}
        for title, abstract in real(folder):
            for text in (title, abstract):
                words = text.split()
                self.words.extend(known.setdefault(word, word) for word in words)
                lengths.append(len(words))
        self.lengths = np.array(lengths).reshape(-1, 2)


def real(folder: Path = FOLDER) -> Iterator[tuple[str, str]]:
    """Yield the titles and abstracts of the folder, in an order that mixes its files.

    Raises:
        SystemExit: It has no such file, or is not there.
    """
    files = sorted(folder.glob("*.csv.gz"))
    if not files:
        raise SystemExit(
            f"{folder} has no screened reviews (*.csv.gz, with columns title and abstract);"
            " texts are made up of theirs"
        )
    csv.field_size_limit(10**9)
    found = []
    for path in files:
        with gzip.open(path, "rt", encoding="utf-8", errors="replace", newline="") as file:
            found += [
                (row.get("title") or "", row.get("abstract") or "") for row in csv.DictReader(file)
            ]
    random.Random(1).shuffle(found)
    yield from found


def texts(n: int, *, seed: int = 1, folder: Path = FOLDER) -> Iterator[tuple[str, str]]:
    """Yield a title and an abstract for each of `n` records; equal seeds give equal ones."""
    source, dice = Source(folder), np.random.default_rng(seed)
    words = np.array(source.words, dtype=object)
    n_fresh = 0
    for begun in range(0, n, _CHUNK):
        lengths = source.lengths[dice.integers(len(source.lengths), size=min(_CHUNK, n - begun))]
        total = int(lengths.sum())
        jumps = dice.random(total) < JUMPS
        jumps[0] = True
        begins = np.flatnonzero(jumps)
        of = np.cumsum(jumps) - 1
        places = dice.integers(words.size, size=begins.size)[of] + np.arange(total) - begins[of]
        chosen = words[places % words.size]
        fresh = np.flatnonzero(dice.random(total) < FRESH)
        # Half of them are seen for the first time; the others are among those that were before.
        for place in fresh.tolist():
            is_first = n_fresh == 0 or dice.random() < 0.5
            number = n_fresh if is_first else int(dice.integers(n_fresh))
            n_fresh += is_first
            chosen[place] = fresh_word(number)
        at = 0
        for title, abstract in lengths.tolist():
            yield (
                " ".join(chosen[at : at + title]),
                " ".join(chosen[at + title : at + title + abstract]),
            )
            at += title + abstract


def fresh_word(number: int) -> str:
    """Return a word that looks like one, another for each number."""
    letters = []
    number += len(_LETTERS) ** 4
    while number:
        number, letter = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[letter])
    return "".join(letters)
