"""Rankings of a review whose records change: while a file is read, at work, after a merge."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from service.domain.ranked_review import (
    TEXTS,
    RankedReview,
    about_sleep,
    ask_again,
    ask_otherwise,
    labels_seq,
    newest,
    order_of,
    settle_all,
)
from tandem.db.base import now
from tandem.db.session import Database
from tandem.ranking import feature_store, features, ranker, serving
from tandem.ranking.feature_store import Corpus
from tandem.ranking.features import Features
from tandem.records.models import Import, ImportState
from world import Team, World

pytestmark = pytest.mark.both_engines

MORE = [("Sleep and dreams", "Memory of dreams after sleep."), ("Clay", "Soil of clay.")]


def set_import(database: Database, team: Team, state: ImportState, minutes: int = 5) -> None:
    """Let the review's imports be at work, or not."""
    lease = now() + timedelta(minutes=minutes)
    with database.write.begin() as session:
        session.execute(
            update(Import)
            .where(Import.review_id == team.review_id)
            .values(state=state, lease_until=lease)
        )


def test_while_a_file_is_read_the_features_that_are_there_serve(
    world: World, database: Database, ranked_review: RankedReview
) -> None:
    team = about_sleep(world)
    world.change_policy(team.review_id, team.owner, ranking_learns_from="all")
    ranked_review.rerank(team.review_id)
    world.records(team.review_id, team.owner, texts=MORE)
    set_import(database, team, ImportState.RUNNING)

    for number in (2, 10):  # one of before, one of those that have just come
        world.decide(team.review_id, team.ann, number, "include")
    ranked_review.rerank(team.review_id)

    assert sorted(order_of(database, team.review_id)) == list(range(1, len(TEXTS) + 1))
    assert newest(database, team.review_id).n_labels == 1
    set_import(database, team, ImportState.DONE)
    world.decide(team.review_id, team.ann, 9, "include")
    ranked_review.rerank(team.review_id)
    assert sorted(order_of(database, team.review_id)) == list(range(1, 11))
    assert newest(database, team.review_id).n_labels == 3


def test_a_file_that_nobody_reads_any_more_keeps_nothing_waiting(
    world: World, database: Database, ranked_review: RankedReview
) -> None:
    team = about_sleep(world)
    ranked_review.rerank(team.review_id)
    world.records(team.review_id, team.owner, texts=MORE)
    set_import(database, team, ImportState.RUNNING, minutes=-1)

    ranked_review.rerank(team.review_id)

    assert sorted(order_of(database, team.review_id)) == list(range(1, 11))


def test_the_first_file_is_ranked_as_far_as_it_is_read(
    world: World, database: Database, ranked_review: RankedReview
) -> None:
    team = about_sleep(world)
    set_import(database, team, ImportState.RUNNING)

    ranked_review.rerank(team.review_id)

    assert sorted(order_of(database, team.review_id)) == list(range(1, len(TEXTS) + 1))


def between_texts_and_labels(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Do `change` in the midst of the next training."""
    really, changes = feature_store.load_or_build, [change]

    def load_or_build(*given: Any) -> Corpus:
        corpus = really(*given)
        if changes:
            changes.pop()()
        return corpus

    monkeypatch.setattr("tandem.ranking.from_ledger.load_or_build", load_or_build)


def made(database: Database, team: Team) -> list[tuple[int, int]]:
    """Return of each ranking, the newest first, how many labels it learnt and what it ranked."""
    with database.read() as session:
        rankings = serving.list_rankings(session, review_id=team.review_id, limit=9)
        return [(ranking.n_labels, ranking.n_ranked) for ranking in rankings]


def test_decisions_that_come_while_features_are_made_are_counted(
    world: World,
    database: Database,
    ranked_review: RankedReview,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    team = about_sleep(world)
    between_texts_and_labels(monkeypatch, lambda: settle_all(world, team))

    ranked_review.rerank(team.review_id)

    assert made(database, team) == [(8, 0)]
    assert newest(database, team.review_id).labels_seq == labels_seq(database, team.review_id)


def test_texts_that_come_while_features_are_made_are_ranked_by_the_next_training(
    world: World,
    database: Database,
    ranked_review: RankedReview,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    team = about_sleep(world)

    def change() -> None:
        settle_all(world, team)
        world.records(team.review_id, team.owner, texts=MORE)

    between_texts_and_labels(monkeypatch, change)

    ranked_review.rerank(team.review_id)

    assert made(database, team) == [(8, 2), (8, 0)]


def test_a_question_that_changes_while_features_are_made_is_asked_by_the_next_training(
    world: World,
    database: Database,
    ranked_review: RankedReview,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    team, really, asked = about_sleep(world), features.build, list[str]()

    def build(*given: Any, **named: Any) -> Features:
        asked.append(named["query"])
        return really(*given, **named)

    monkeypatch.setattr(features, "build", build)
    between_texts_and_labels(monkeypatch, lambda: ask_otherwise(world, team))

    ranked_review.rerank(team.review_id)

    assert len(asked) == 2
    assert "nitrogen" in asked[-1]


def test_an_import_that_ends_while_former_features_serve_is_ranked_by_the_next_training(
    world: World,
    database: Database,
    ranked_review: RankedReview,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    team = about_sleep(world)
    settle_all(world, team)
    ranked_review.rerank(team.review_id)
    world.records(team.review_id, team.owner, texts=MORE)
    set_import(database, team, ImportState.RUNNING)
    world.decide(team.review_id, team.eve, 1, "exclude")

    def change() -> None:
        set_import(database, team, ImportState.DONE)
        ask_again(world, team)

    between_texts_and_labels(monkeypatch, change)

    ranked_review.rerank(team.review_id)

    assert sorted(order_of(database, team.review_id)) == [9, 10]


def test_no_transaction_is_open_while_a_ranking_is_computed(
    world: World,
    database: Database,
    ranked_review: RankedReview,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    team = about_sleep(world)
    settle_all(world, team)
    world.records(team.review_id, team.owner, texts=MORE)
    n_open = list[int]()

    def seen(really: Callable[..., Any]) -> Callable[..., Any]:
        def build(*given: Any, **named: Any) -> Any:
            n_open.append(database.engine.pool.checkedout())  # type: ignore[attr-defined]
            return really(*given, **named)

        return build

    monkeypatch.setattr(features, "build", seen(features.build))
    monkeypatch.setattr(ranker, "rank", seen(ranker.rank))

    ranked_review.rerank(team.review_id)

    assert n_open == [0, 0]


def test_a_linked_record_is_neither_ranked_nor_learnt_from(
    world: World, database: Database, ranked_review: RankedReview
) -> None:
    team = about_sleep(world)
    world.change_policy(team.review_id, team.owner, ranking_learns_from="all")
    for person, verdict in ((team.ann, "include"), (team.ben, "exclude")):
        world.decide(team.review_id, person, 5, verdict)
    world.resolve(team.review_id, team.judge, 5, "exclude")
    world.decide(team.review_id, team.eve, 4, "include")
    group_id = world.merge(team.review_id, team.owner, 4, 5)

    ranked_review.rerank(team.review_id)

    shown = set(range(1, len(TEXTS) + 1)) - {5}
    assert set(order_of(database, team.review_id)) <= shown
    assert newest(database, team.review_id).n_labels == 1
    world.split(team.review_id, team.owner, group_id)
    ranked_review.rerank(team.review_id)
    assert newest(database, team.review_id).n_labels == 2
