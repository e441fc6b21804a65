"""Where the ranking learns from settled records alone, its order tells no hidden vote.

Each record with a hidden vote has a companion that shares its distinctive words: a ranking that
learns from the vote moves the companion, and who sees the companion move knows the vote.
"""

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from service.domain.ranked_review import RankedReview, newest, order_of
from tandem.db.session import Database
from tandem.ranking.models import Ranking
from world import Team, World

N_HIDDEN = 24
N_DRAWS = 6
SYLLABLES = ["ba", "ke", "li", "mo", "nu", "ra", "se", "ti", "vo", "zu"]


def distinctive(number: int) -> str:
    """Return three words that no other number has."""
    chosen = Random(number)
    return " ".join("".join(chosen.choices(SYLLABLES, k=5)) for _ in range(3))


def texts() -> list[tuple[str, str]]:
    """Return settled records, those with a hidden vote, and the companions of these."""
    settled = [
        ("Sleep and memory", "A trial of sleep and memory in adults."),
        ("Nitrogen in soil", "A survey of soil and nitrogen in fields."),
    ]
    hidden = [
        (f"A study of {distinctive(i)}", f"We studied {distinctive(i)} in people.")
        for i in range(N_HIDDEN)
    ]
    companions = [
        (f"More about {distinctive(i)}", f"Again {distinctive(i)} in other people.")
        for i in range(N_HIDDEN)
    ]
    return settled + hidden + companions


def review_of(world: World, learns_from: str, votes: Sequence[str]) -> Team:
    team = world.team(n_records=0, policy={"ranking_learns_from": learns_from})
    world.records(team.review_id, team.owner, texts=texts())
    for person in (team.ann, team.ben):
        world.decide(team.review_id, person, 1, "include")
        world.decide(team.review_id, person, 2, "exclude")
    for number, vote in enumerate(votes, start=3):
        world.decide(team.review_id, team.ann, number, vote)
    return team


def draw(seed: int) -> list[str]:
    """Return hidden votes, half of them includes, in random order."""
    votes = ["include", "exclude"] * (N_HIDDEN // 2)
    Random(seed).shuffle(votes)
    return votes


def auc_of_guessing(order: Sequence[int], votes: Sequence[str]) -> float:
    """Return how often the companion of an include stands before that of an exclude."""
    companion_at = {number - 3 - N_HIDDEN: at for at, number in enumerate(order)}
    places = [companion_at[i] for i in range(N_HIDDEN)]
    includes = [place for place, vote in zip(places, votes, strict=True) if vote == "include"]
    excludes = [place for place, vote in zip(places, votes, strict=True) if vote == "exclude"]
    pairs = [(one, other) for one in includes for other in excludes]
    return sum(one < other for one, other in pairs) / len(pairs)


def mean_auc(
    world: World, database: Database, ranked_review: RankedReview, learns_from: str
) -> float:
    found = []
    for seed in range(N_DRAWS):
        votes = draw(seed)
        team = review_of(world, learns_from, votes)
        ranked_review.rerank(team.review_id)
        found.append(auc_of_guessing(order_of(database, team.review_id), votes))
    return sum(found) / len(found)


def test_the_order_cannot_be_used_to_guess_hidden_votes(
    world: World, database: Database, ranked_review: RankedReview
) -> None:
    assert mean_auc(world, database, ranked_review, "settled") == pytest.approx(0.5, abs=0.1)


def test_the_guess_works_where_each_vote_teaches_at_once(
    world: World, database: Database, ranked_review: RankedReview
) -> None:
    """Otherwise the test above would prove nothing."""
    assert mean_auc(world, database, ranked_review, "all") > 0.9


def published(database: Database, team: Team) -> dict[str, Any]:
    """Return all of a ranking that anybody could be shown, but for its id and clock."""
    unlike = {"id", "review_id", "created_at", "seconds"}
    columns = [column for column in Ranking.__table__.columns if column.key not in unlike]
    with database.read() as session:
        row = session.execute(
            select(*columns)
            .where(Ranking.review_id == team.review_id)
            .order_by(Ranking.labels_seq.desc())
            .limit(1)
        ).one()
    return dict(row._mapping)


@pytest.mark.both_engines
@pytest.mark.parametrize("n_reviewers", [2, 3])
def test_two_worlds_with_other_hidden_votes_have_one_ranking(
    world: World, database: Database, ranked_review: RankedReview, n_reviewers: int
) -> None:
    rankings = []
    for votes in (draw(1), ["maybe"] * N_HIDDEN, ["exclude"] * N_HIDDEN):
        team = review_of(world, "settled", votes)
        if n_reviewers == 3:
            world.decide(team.review_id, team.eve, 1, "include")
            world.decide(team.review_id, team.eve, 2, "exclude")
            world.change_policy(team.review_id, team.owner, reviewers_per_record=3)
            for number, vote in enumerate(votes, start=3):
                world.decide(team.review_id, team.ben, number, vote)
        ranked_review.rerank(team.review_id)
        rankings.append(published(database, team))

    assert rankings[0] == rankings[1] == rankings[2]
    assert rankings[0]["kind"] == "model", "the settled records have taught it"


def test_a_first_include_that_advances_teaches_nothing_before_the_second_vote(
    world: World, database: Database, ranked_review: RankedReview
) -> None:
    rankings = []
    for vote in ("include", "exclude"):
        team = review_of(world, "settled", [])
        world.change_policy(team.review_id, team.owner, single_include_advances=True)
        world.decide(team.review_id, team.ann, 3, vote)
        ranked_review.rerank(team.review_id)
        rankings.append(published(database, team))

    assert rankings[0] == rankings[1]


def test_the_second_vote_teaches(
    world: World, database: Database, ranked_review: RankedReview
) -> None:
    team = review_of(world, "settled", ["include"])
    ranked_review.rerank(team.review_id)
    before = newest(database, team.review_id).n_labels
    world.decide(team.review_id, team.ben, 3, "include")
    ranked_review.rerank(team.review_id)

    assert (before, newest(database, team.review_id).n_labels) == (2, 3)
