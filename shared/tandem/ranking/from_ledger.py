"""From a review's ledger to an order: the labels that its decisions give, and the ranker."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from tandem.artifacts import Artifacts
from tandem.db.session import Database
from tandem.ids import RecordNumber, ReviewId
from tandem.progress import OnProgress, no_progress
from tandem.ranking import ranker, vector_store
from tandem.ranking.explain import Term
from tandem.ranking.feature_store import Corpus, key_of, load_or_build
from tandem.ranking.features import Features
from tandem.ranking.learning import Labels
from tandem.ranking.recipes import Recipe
from tandem.records import seeds
from tandem.records.duplicates.groups import linked_numbers
from tandem.records.models import Record
from tandem.reviews import policy_versions
from tandem.reviews import service as reviews
from tandem.reviews.policy import Policy, Stage
from tandem.screening.models import Decision, PresentDecision, Resolution
from tandem.screening.rules import Status, Verdict, Vote, outcome, training_label

EXPLAINED = 100
"""Records at the top of an order that are shown with the terms that rank them high: more than
a team reads before the next ranking."""


@dataclass(frozen=True, slots=True)
class MadeRanking:
    """An order of the records that still lack decisions.

    Attributes:
        numbers: Record numbers, shape (n,), best first.
        scores: Shape (n,), aligned.
        kind: `model`, `text` or `random`.
        n_labels: Labelled records it learned from.
        n_relevant: How many of them are relevant, or may be.
        n_vectors: Records whose sentence vector the recipe was given.
        terms: Those that tell most in the model as a whole.
        reasons: The terms that pull each record at the head of the order, by its number.
        labels_seq: All labels up to here are counted.
        corpus_seq: Of this state of the texts.
    """

    numbers: NDArray[np.int32]
    scores: NDArray[np.float32]
    kind: str
    n_labels: int
    n_relevant: int
    n_vectors: int
    terms: Sequence[Term]
    reasons: Mapping[int, Sequence[Term]]
    labels_seq: int
    corpus_seq: int


class _Labelled(NamedTuple):
    """Labels; whose record nobody is asked to decide any more; whose verdict is still blind."""

    labels: dict[RecordNumber, float]
    closed: set[RecordNumber]
    secret: set[RecordNumber]
    previous: set[RecordNumber]


class Material(NamedTuple):
    """What a recipe is given.

    Attributes:
        corpus: The records.
        features: Of them, with all vectors.
        labels: As rows.
        labelled: The same by record number, and who may know them.
        n_vectors: How many records have a sentence vector.
        seed: The review's.
        labels_seq: All labels up to here are counted.
    """

    corpus: Corpus
    features: Features
    labels: Labels
    labelled: _Labelled
    n_vectors: int
    seed: int
    labels_seq: int


def rank_review(
    database: Database,
    artifacts: Artifacts,
    cache: Path,
    review_id: ReviewId,
    stage: Stage,
    recipe: Recipe,
    on_progress: OnProgress = no_progress,
) -> MadeRanking:
    """Rank a review as of one moment after the call; no transaction is open while it computes.

    Labels are taken in the order of record numbers, not of deciding, so that the same labels give
    the same ranking, regardless of who was faster. A seed study is an include until its record is
    decided; where it is no record, its title counts as part of the question.

    `on_progress` is called with the progress of the features, where they have to be computed, and
    only with that: how much there is to fit hangs on verdicts.
    """
    given = material(database, artifacts, cache, review_id, stage, recipe, on_progress)
    corpus, labels, labelled = given.corpus, given.labels, given.labelled
    is_open = ~np.isin(corpus.numbers, np.array(sorted(labelled.closed), dtype=np.int32))
    ranked = ranker.rank(
        given.features,
        labels=labels,
        pool=np.flatnonzero(is_open).astype(np.int64),
        recipe=recipe,
        seed=given.seed,
        explained=EXPLAINED,
        hidden=corpus.rows(corpus.among(labelled.secret)),
        relevant=corpus.rows(corpus.among(labelled.previous)),
    )
    return MadeRanking(
        numbers=corpus.numbers[ranked.order],
        scores=ranked.scores,
        kind=ranked.kind,
        n_labels=labels.rows.size,
        n_relevant=int(np.sum(labels.values > 0)),
        n_vectors=given.n_vectors,
        terms=ranked.terms,
        reasons={int(corpus.numbers[row]): why for row, why in ranked.reasons.items()},
        labels_seq=given.labels_seq,
        corpus_seq=corpus.corpus_seq,
    )


def material(
    database: Database,
    artifacts: Artifacts,
    cache: Path,
    review_id: ReviewId,
    stage: Stage,
    recipe: Recipe,
    on_progress: OnProgress = no_progress,
) -> Material:
    """Read what a model of the review learns from: its texts, then all labels of one moment.

    Texts or the review's question may change between the two. Then no label is said to be counted
    that came after them, and so another training follows.
    """
    corpus = load_or_build(database, artifacts, cache, review_id, recipe, on_progress)
    with database.read() as session:
        review = reviews.get_review(session, review_id)
        vectors = (
            vector_store.load(session, review, corpus.numbers, model=recipe.sentences.model)
            if recipe.sentences
            else None
        )
        known = seeds.find(session, review_id, review.seed_studies)
        is_same = corpus.key == key_of(review, recipe, seeds.missing_titles(known))
        labelled = _labels(session, review_id, stage, seeds_found=filter(None, known.values()))
    numbers = corpus.among(labelled.labels)
    values = np.array([labelled.labels[number] for number in numbers], dtype=np.float64)
    features = corpus.features
    if vectors is not None:
        features = replace(features, sentences=vectors.matrix)
    return Material(
        corpus=corpus,
        features=features,
        labels=Labels(corpus.rows(numbers), values),
        labelled=labelled,
        n_vectors=vectors.n_known if vectors else 0,
        seed=review.seed,
        labels_seq=review.labels_seq if is_same else corpus.labels_seq,
    )


def _labels(
    session: Session, review_id: ReviewId, stage: Stage, *, seeds_found: Iterable[RecordNumber]
) -> _Labelled:
    policy = policy_versions.policies_in_force(session, review_id)[stage]
    votes: dict[RecordNumber, list[Vote]] = {}
    present = (
        select(Decision.record_number, Decision.verdict, Decision.reasons)
        .join(PresentDecision, PresentDecision.decision_id == Decision.id)
        .where(PresentDecision.review_id == review_id, PresentDecision.stage == stage)
    )
    for number, verdict, reasons in session.execute(present):
        if verdict is not None:
            votes.setdefault(number, []).append(Vote(verdict, tuple(reasons)))
    hidden = linked_numbers(session, review_id)
    settled = select(Resolution.record_number, Resolution.verdict).where(
        Resolution.review_id == review_id,
        Resolution.stage == stage,
        Resolution.is_set_aside.is_(False),
        Resolution.taken_back_at.is_(None),
    )
    resolved = {
        row.record_number: row.verdict
        for row in session.execute(settled)
        if row.record_number not in hidden
    }
    labels = dict.fromkeys(seeds_found, 1.0)
    # They are relevant, whatever was decided of them before it was known what they are.
    previous = set(session.scalars(_PREVIOUS, {"review_id": review_id}))
    # The features may be of a time before a record was linked to another one.
    closed = set(hidden)
    for number in votes.keys() | resolved.keys():
        cast, resolution = votes.get(number, []), resolved.get(number)
        label = training_label(policy, cast, resolution)
        if label is not None and (label > _DOUBTFUL or number not in previous):
            labels[number] = label
        if _is_closed(policy, cast, resolution):
            closed.add(number)
    secret = votes.keys() - closed if policy.blind else set[RecordNumber]()
    return _Labelled(labels, closed, secret, previous)


_DOUBTFUL = 0.5
"""A label up to this says rather that a record is not relevant."""

_PREVIOUS = select(Record.number).where(
    Record.review_id == bindparam("review_id"),
    Record.is_previous,
)
"""Included reports of the review's previous version."""


def _is_closed(policy: Policy, votes: list[Vote], resolution: Verdict | None) -> bool:
    """Whether nobody is asked to decide the record any more; as the queue sees it."""
    if policy.blind:
        return len(votes) >= policy.reviewers_per_record
    return outcome(policy, votes, resolution).status not in (Status.UNSCREENED, Status.AWAITING)
