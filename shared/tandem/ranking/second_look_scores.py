"""How much like an include each exclude looks to a model that has not seen its label."""

import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tandem.artifacts import Artifacts
from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import ReviewId
from tandem.log import logger
from tandem.ranking import folds, from_ledger, second_looks
from tandem.ranking.features import Features
from tandem.ranking.learning import Labels, Rows
from tandem.ranking.models import SecondLook
from tandem.ranking.recipes import DEFAULT_MODEL, Recipe
from tandem.ranking.within_memory import recipe_within
from tandem.records import shown
from tandem.work import lease
from tandem.work.lease import Held

_log = logger(__name__)


def make(
    database: Database,
    artifacts: Artifacts,
    cache: Path,
    review_id: ReviewId,
    model: str = DEFAULT_MODEL,
    memory: int | None = None,
) -> bool:
    """Work it out if it is due. Safe to run twice, side by side, and to be killed anywhere.

    `model` and `memory` are as in `rerank.rerank`.
    """
    held = second_looks.claim(database, review_id)
    if held is None:
        return False
    try:
        with lease.renewed(database, held):
            with database.read() as session:
                n_records = shown.n_unlinked(session, review_id)
            how = recipe_within(model, n_records, memory)
            made = _score(database, artifacts, cache, held, how)
    except Exception as error:
        second_looks.fail(database, held, error)
        raise
    return second_looks.finish(database, held, made)


def _score(
    database: Database, artifacts: Artifacts, cache: Path, held: Held[SecondLook], how: Recipe
) -> dict[str, object]:
    started = time.perf_counter()
    row = held.row
    given = from_ledger.material(database, artifacts, cache, row.review_id, row.stage, how)
    rows, scores = likeness(
        given.features,
        labels=given.labels,
        recipe=how,
        seed=given.seed,
        relevant=given.corpus.rows(given.corpus.among(given.labelled.previous)),
    )
    seconds = time.perf_counter() - started
    _log.info("scored excludes", review_id=str(row.review_id), n=rows.size, seconds=seconds)
    return {
        "model": how.name,
        "labels_seq": given.labels_seq,
        "seconds": seconds,
        "made_at": now(),
        "numbers": given.corpus.numbers[rows].astype("<i4").tobytes(),
        "scores": scores.astype("<f4").tobytes(),
    }


def likeness(
    features: Features, *, labels: Labels, recipe: Recipe, seed: int, relevant: Rows | None = None
) -> tuple[Rows, NDArray[np.float32]]:
    """Score the excludes among the labels out of fold.

    They are split into five folds by position, and each is scored by a model that was fitted on
    everything but its labels, and presumed nothing of them either. Models differ in scale, so a
    score is a place: which share of all other records the model puts below this one.

    Args:
        features: Of all records.
        labels: What is decided; an exclude has the value 0.
        recipe: How to learn from labels.
        seed: In [0, 2**32). The same seed gives the same scores.
        relevant: Rows of which nothing is presumed; see `ranker.rank`.

    Returns:
        Rows of the excludes, ascending, and their scores in [0, 1]. None where a model cannot be
        had: the labels are too few, or of one kind.
    """
    excludes = np.sort(labels.rows[labels.values == 0])
    n_records = features.similarity.size
    draws = np.random.RandomState(seed).random_sample(n_records)
    if relevant is not None:
        draws = folds.never(draws, relevant)
    scores = np.zeros(excludes.size, dtype=np.float32)
    parts = folds.split(excludes)
    cases = [
        folds.unseen(part, labels, draws, seed=seed, number=number)
        for number, part in enumerate(parts)
    ]
    for number, fitted in enumerate(folds.fit_all(recipe, features, cases)):
        if fitted is None:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        own = fitted.scores[parts[number]]
        below = np.searchsorted(np.sort(fitted.scores), own, side="left")
        scores[number :: len(parts)] = below / max(1, n_records - 1)
    return excludes, scores
