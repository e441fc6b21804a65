"""Learn from screened reviews which general words speak for a record and which against it.

Usage: benchmarks/prior_model.py DIR > shared/tandem/ranking/usually-included-2.tsv

A logistic regression on the words that are in more than 1 % of the records of at least half of
the reviews, centred within each review: what tells its includes from its excludes, not one review
from another. Every review counts the same, and in each of them includes as much as excludes.

Whoever measures with a table must not have learnt it from the same reviews, or from others of the
same making: `family` says which belong together, and `Unseen` is a recipe with a table of others.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from tandem.ranking import prior_model
from tandem.ranking.features import Features
from tandem.ranking.learning import Fitted, Labels
from tandem.ranking.parameters import EnsembleMember, Words
from tandem.ranking.presets import Preset
from tandem.ranking.prior_model import Table
from tandem.ranking.simulate_files import Labelled, read_labelled

_SHARE = 0.01
_C = 30.0
_FIELDS = {
    "drugs": ("Cohen_2006", "Appenzeller-Herzog"),
    "software": ("Kitchenham", "Wahono", "Hannousse", "RL4SE"),
    "views and behaviour": ("EPPI_NIPH_WHO_QES", "James"),
    "environment": ("Martin", "Spillias"),
}
"""How the names of sets of each field of study begin; the others are of other health care."""

_HEALTH_CARE = ("drugs", "other health care")
"""What includes of the other fields report tells little of others."""


@dataclass(frozen=True, eq=False)
class Unseen:
    """A preset, for one file, with what a table of other reviews says of its records."""

    preset: Preset
    values: NDArray[np.float64]

    @property
    def name(self) -> str:
        return self.preset.name

    @property
    def words(self) -> Words:
        return replace(self.preset.words, prior_model=None)

    @property
    def sentences(self) -> EnsembleMember | None:
        return self.preset.sentences

    def to_json(self) -> dict[str, Any]:
        return self.preset.to_json()

    def fit(
        self,
        features: Features,
        *,
        labels: Labels,
        draws: NDArray[np.float64],
        random_state: np.random.RandomState,
    ) -> Fitted | None:
        informed = replace(features, prior_model=self.values)
        return self.preset.fit(informed, labels=labels, draws=draws, random_state=random_state)


def field(data: Labelled) -> str:
    """Return the field of study of a labelled review."""
    found = (name for name, begins in _FIELDS.items() if _name(data).startswith(begins))
    return next(found, "other health care")


def family(data: Labelled) -> str:
    """Return which of the labelled reviews this one is not independent of."""
    name = _name(data)
    if field(data) == "software":
        return "software"
    return name.rpartition("_")[0] if name.startswith("Cohen_") else name


def is_of_health_care(data: Labelled) -> bool:
    """Return whether a table is learnt from this review."""
    return field(data) in _HEALTH_CARE


def _name(data: Labelled) -> str:
    return Path(data.file).name.split(".")[0]


def learn(reviews: Sequence[Labelled]) -> Table:
    """Return the weights of words by what these reviews included."""
    worded = [[prior_model.words_of(*text) for text in data.texts] for data in reviews]
    column = {word: number for number, word in enumerate(_general(worded))}
    matrices = [_centred(records, column) for records in worded]
    weights = [
        np.where(data.labels == 1, 1 / data.labels.sum(), 1 / (1 - data.labels).sum())
        for data in reviews
    ]
    model = LogisticRegression(C=_C, max_iter=400, tol=1e-3).fit(
        np.vstack(matrices),
        np.concatenate([data.labels for data in reviews]),
        sample_weight=np.concatenate(weights),
    )
    return dict(zip(column, model.coef_.ravel().tolist(), strict=True))


def unseen(preset: Preset, data: Labelled, reviews: Sequence[Labelled]) -> Unseen:
    """Return the preset with a table of those reviews that are of another family than `data`.

    The first table was of all kinds of reviews, the second is of those of health care.
    """
    others = [other for other in reviews if family(other) != family(data)]
    if preset.words.prior_model != "usually-included-1":
        others = [other for other in others if is_of_health_care(other)]
    return Unseen(preset, prior_model.build(data.texts, learn(others)))


def _general(worded: Sequence[Sequence[set[str]]]) -> list[str]:
    reviews_with: Counter[str] = Counter()
    for records in worded:
        having = Counter(word for words in records for word in words)
        reviews_with.update(word for word, n in having.items() if n > _SHARE * len(records))
    return sorted(word for word, n in reviews_with.items() if n >= len(worded) / 2)


def _centred(records: Sequence[set[str]], column: dict[str, int]) -> NDArray[np.float32]:
    rows = [[column[word] for word in words & column.keys()] for words in records]
    ends = np.cumsum([0, *map(len, rows)])
    values = np.repeat([1 / np.sqrt(max(1, len(row))) for row in rows], np.diff(ends))
    shape = (len(rows), len(column))
    matrix = csr_matrix((values, np.concatenate(rows).astype(np.int32), ends), shape=shape)
    dense = matrix.toarray().astype(np.float32)
    centred: NDArray[np.float32] = dense - dense.mean(axis=0)
    return centred


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    found = [read_labelled(path) for path in sorted(folder.glob("*.csv.gz"))]
    for word, weight in learn([data for data in found if is_of_health_care(data)]).items():
        print(f"{word}\t{weight:.3f}")


if __name__ == "__main__":
    main()
