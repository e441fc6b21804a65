"""What doubt does to a ranking: the labels that votes give, and the order that they give."""

import numpy as np
import pytest

from tandem.ranking.features import Features, build
from tandem.ranking.learning import Labels
from tandem.ranking.metrics import loss
from tandem.ranking.ranker import Ranked, rank
from tandem.ranking.recipes import PRESETS
from tandem.reviews.policy import Policy
from tandem.screening.rules import Verdict, Vote, training_label

U4 = PRESETS["elas-u4"]
N, TOPIC_EVERY = 90, 3
WORDS = np.array([f"word{number}" for number in range(400)])

INCLUDE, EXCLUDE = Vote(Verdict.INCLUDE), Vote(Verdict.EXCLUDE)
BOTH_INCLUDE, BOTH_EXCLUDE = [INCLUDE] * 2, [EXCLUDE] * 2

Votes = dict[int, list[Vote]]


AT_ONCE = Policy(ranking_learns_from="all")


def features(seed: int) -> Features:
    """Make records of which every third is about a topic with words of its own."""
    random = np.random.RandomState(seed)

    def text(row: int) -> str:
        topic = WORDS[:40] if row % TOPIC_EVERY == 0 else WORDS[40:80]
        return " ".join([*random.choice(topic, 6), *random.choice(WORDS[80:], 20)])

    return build([(f"Title {row}", text(row)) for row in range(N)], U4.words)


def ranked(
    votes: Votes, *, resolved: dict[int, Verdict] | None = None, seed: int = 0
) -> tuple[Ranked, float]:
    """Return the order of what nobody has read, and its loss."""
    labels = {
        row: label
        for row, cast in sorted(votes.items())
        if (label := training_label(AT_ONCE, cast, (resolved or {}).get(row))) is not None
    }
    unread = np.array([row for row in range(N) if row not in votes], dtype=np.int64)
    order = rank(
        features(seed),
        labels=Labels(np.array([*labels], dtype=np.int64), np.array([*labels.values()])),
        pool=unread,
        recipe=U4,
        seed=1,
    )
    rows = order.order.tolist()
    found_at = [place for place, row in enumerate(rows, start=1) if row % TOPIC_EVERY == 0]
    return order, loss(found_at, len(rows))


SETTLED: Votes = {0: BOTH_INCLUDE, 3: BOTH_INCLUDE, 6: BOTH_INCLUDE}
SETTLED |= dict.fromkeys((1, 2, 4, 5, 7), BOTH_EXCLUDE)
CARELESS = 8
"""Off the topic."""


def mean_loss(votes: Votes) -> float:
    return float(np.mean([ranked(votes, seed=seed)[1] for seed in range(20)]))


def test_one_careless_click_does_not_steer_the_review() -> None:
    right = mean_loss(SETTLED | {CARELESS: [EXCLUDE]})
    careless = mean_loss(SETTLED | {CARELESS: [INCLUDE]})
    confirmed = mean_loss(SETTLED | {CARELESS: BOTH_INCLUDE})
    assert right < careless < confirmed
    assert careless < 0.3, "the topic still comes first"


def test_the_other_reviewer_takes_most_of_it_back() -> None:
    careless = mean_loss(SETTLED | {CARELESS: [INCLUDE]})
    in_conflict = mean_loss(SETTLED | {CARELESS: [INCLUDE, EXCLUDE]})
    assert in_conflict < careless


def test_an_unconfirmed_include_is_learnt_from_at_once() -> None:
    few: Votes = {row: SETTLED[row] for row in (0, 1, 2, 4)}
    assert mean_loss(few | {3: [INCLUDE]}) < mean_loss(few)


@pytest.mark.parametrize("resolution", [Verdict.INCLUDE, Verdict.EXCLUDE])
def test_a_resolution_leaves_no_trace_of_the_error(resolution: Verdict) -> None:
    settled = BOTH_INCLUDE if resolution is Verdict.INCLUDE else BOTH_EXCLUDE
    resolved, _ = ranked(SETTLED | {CARELESS: [INCLUDE, EXCLUDE]}, resolved={CARELESS: resolution})
    agreed, _ = ranked(SETTLED | {CARELESS: settled})
    np.testing.assert_array_equal(resolved.order, agreed.order)
    np.testing.assert_array_equal(resolved.scores, agreed.scores)
