"""The order in which a ranking would have a file read, batch by batch."""

import numpy as np
from numpy.typing import NDArray

from tandem.ranking.features import Features
from tandem.ranking.learning import Labels, Rows
from tandem.ranking.ranker import rank
from tandem.ranking.recipes import Recipe


class Replay:
    """The ranking after each batch of labels. Counts the models trained."""

    def __init__(
        self,
        labels: NDArray[np.int8],
        features: Features,
        recipe: Recipe,
        seed: int,
        batch: int,
    ) -> None:
        self._labels, self._features, self._recipe = labels, features, recipe
        self._seed, self._batch = seed, batch
        # ASReview draws all its fits from one stream, too.
        self._stream = np.random.RandomState(seed)
        self.retrains = 0

    def next_after(self, read: Rows) -> Rows:
        """Return the rows of the next batch, the best first, after those read."""
        unread = np.ones(self._labels.size, dtype=bool)
        unread[read] = False
        ranked = rank(
            self._features,
            labels=Labels(rows=read, values=self._labels[read].astype(np.float64)),
            pool=np.flatnonzero(unread),
            recipe=self._recipe,
            seed=self._seed,
            random_state=self._stream,
        )
        self.retrains += ranked.kind == "model"
        return ranked.order[: self._batch]

    def going_on(self, before: Rows, read: Rows) -> Rows:
        """Return the rest of what was read before, and then batches as ever."""
        return before[read.size :] if read.size < before.size else self.next_after(read)
