"""What reviews usually include, whatever they are about: known before this one decides anything.

A table gives each of some general words a weight, learnt from what teams included in reviews that
are done: *group*, *months*, *were* and *significant* speak for a record, *role*, *system*, *such*
and *may* against it. `benchmarks/prior_model.py` makes it. None is there for the topic of one of
them: each is in more than 1 % of the records of at least half of those reviews.
"""

import re
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tandem.ranking.word_runs import Texts

TABLES = ("usually-included-1", "usually-included-2")
"""The first is of 16 reviews of any kind, the second of 15 of health care. A table whose numbers
change takes a new name: features and rankings keep it."""

_WORD = re.compile(r"\b\w\w+\b")

Table = Mapping[str, float]
"""The weight of each word that it knows."""


def words_of(title: str, abstract: str) -> set[str]:
    """Return the words of a record as tables have them."""
    return set(_WORD.findall(f"{title} {abstract}".lower()))


def build(texts: Collection[tuple[str, str]], table: Table) -> NDArray[np.float64]:
    """Return for each title and abstract how much the prior model speaks for it; see `of_words`."""
    words = Texts((f"{title} {abstract}" for title, abstract in texts), (1, 1))
    return of_words(words, np.array([has_text(text) for _, text in texts], bool), table)


def of_words(words: Texts, reports: NDArray[np.bool_], table: Table) -> NDArray[np.float64]:
    """Return for each record how much the prior model speaks for it, shape (n,).

    With k known words it is the sum of their weights over √k, so that a long abstract is no more
    extreme for its length alone. A record without any of them has 0, and so has one without an
    abstract: of what it reports nothing is known.

    Args:
        words: Of title and abstract of each record.
        reports: Which of the records have an abstract, see `has_text`.
        table: The weights of words.
    """
    sums, n_known = words.sums(table)
    return np.where(reports, sums / np.sqrt(np.maximum(1, n_known)), 0.0)


def has_text(abstract: str) -> bool:
    return bool(abstract.strip())


@cache
def packaged(name: str) -> Table:
    """Return one of `TABLES`."""
    lines = Path(__file__).with_name(f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    return {word: float(weight) for word, weight in (line.split("\t") for line in lines)}
