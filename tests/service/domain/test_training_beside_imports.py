"""Rankings of a review whose records change: while a file is read, and after a merge."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from service.domain.ranked_review import TEXTS, RankedReview, about_sleep, newest, order_of
from tandem.db.base import now
from tandem.db.session import Database
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
