"""Two reviewers who err, and records with the truth."""

import numpy as np
from numpy.typing import NDArray

from tandem.ranking.recipes import recipe
from tandem.ranking.simulate_files import Labelled
from tandem.ranking.simulate_screening import (
    Team,
    Truth,
)

U4 = recipe("elas-u4")


ERRING = Team(sensitivity=0.8, specificity=0.9)


PERFECT = Team()


N = 80


def labelled(n: int = N, *, relevant_every: int = 5) -> Labelled:
    """Relevant records share words that the others lack, in part."""
    random = np.random.RandomState(0)
    words = [f"word{number}" for number in range(200)]
    labels = (np.arange(n) % relevant_every == 0).astype(np.int8)
    texts = [
        (f"Title {row}", " ".join([*random.choice(words[:20] if y else words[10:60], 5),
                                   *random.choice(words, 15)]))
        for row, y in enumerate(labels)
    ]  # fmt: skip
    return Labelled("some.csv", texts, labels)


DATA = labelled()


def truth(
    relevant: str, ann: str, ben: str, known: NDArray[np.int64] | tuple[int, ...] = ()
) -> Truth:
    """Spell out a truth: one letter a record, `i` for relevant or included, `x` for not."""
    ann_, ben_, relevant_ = (np.array([y == "i" for y in text]) for text in (ann, ben, relevant))
    is_known = np.isin(np.arange(len(relevant)), known)
    return Truth(relevant_, is_known, np.stack([ann_, ben_]))
