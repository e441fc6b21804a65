from typing import Any

import pytest
from pydantic import ValidationError

from service.domain.stored import assert_in_step, conflicts, events, told
from tandem.db.session import Database
from tandem.reviews import service as reviews
from tandem.reviews.models import Review
from tandem.reviews.policy import DEFAULT, Stage
from tandem.screening import policies
from tandem.screening.models import ConflictState, ResolvedBy
from tandem.screening.policies import Effect
from tandem.screening.rules import Status
from world import TA, Team, World

both_engines = pytest.mark.both_engines


def statuses(world: World, team: Team, n: int) -> list[str]:
    return [world.status(team.review_id, number).value for number in range(1, n + 1)]


def counted(effect: Effect) -> tuple[int, int, int]:
    return effect.n_records_changed, effect.n_conflicts_opened, effect.n_conflicts_closed


def screened(world: World) -> Team:
    """Return a review of five records: agreed, differing, maybe, decided once, untouched."""
    team = world.team(n_records=5)
    for number, first, second in ((1, "include", "include"), (2, "include", "exclude")):
        world.decide(team.review_id, team.ann, number, first)
        world.decide(team.review_id, team.ben, number, second)
    world.decide(team.review_id, team.ann, 3, "include")
    world.decide(team.review_id, team.ben, 3, "maybe")
    world.decide(team.review_id, team.ann, 4, "exclude")
    assert statuses(world, team, 5) == [
        "included",
        "conflict",
        "included",
        "awaiting",
        "unscreened",
    ]
    return team


@both_engines
@pytest.mark.parametrize(
    ("part", "after", "effect"),
    [
        (
            {"reviewers_per_record": 1},
            ["included", "conflict", "included", "excluded", "unscreened"],
            (1, 0, 0),
        ),
        (
            {"reviewers_per_record": 3},
            ["awaiting", "awaiting", "awaiting", "awaiting", "unscreened"],
            (3, 0, 1),
        ),
        (
            {"maybe": "conflict"},
            ["included", "conflict", "conflict", "awaiting", "unscreened"],
            (1, 1, 0),
        ),
        (
            {"single_include_advances": True},
            ["included", "included", "included", "awaiting", "unscreened"],
            (1, 0, 1),
        ),
        (
            {"single_include_advances": True, "maybe": "conflict", "reviewers_per_record": 1},
            ["included", "included", "included", "excluded", "unscreened"],
            (2, 0, 1),
        ),
        (
            {"blind": False},
            ["included", "conflict", "included", "awaiting", "unscreened"],
            (0, 0, 0),
        ),
    ],
)
def test_a_changed_policy_judges_every_record_again(
    world: World,
    database: Database,
    part: dict[str, Any],
    after: list[str],
    effect: tuple[int, int, int],
) -> None:
    team = screened(world)

    (told_effect,) = world.change_policy(team.review_id, team.owner, **part)

    assert statuses(world, team, 5) == after
    assert (told_effect.stage, counted(told_effect)) == (TA, effect)
    assert_in_step(database, team.review_id)


def test_a_conflict_that_the_policy_ended_says_so(world: World, database: Database) -> None:
    team = screened(world)
    world.change_policy(team.review_id, team.owner, single_include_advances=True)

    (found,) = conflicts(database, team.review_id)
    assert (found.state, found.resolved_by) == (ConflictState.RESOLVED, ResolvedBy.POLICY)
    assert told(database, team.review_id)[-2:] == ["conflict.resolved", "record.included"]
    (ended,) = [event for event in events(database, team.review_id) if "by" in event.data]
    assert ended.data["by"] == "policy"


def test_and_back_again_everything_is_as_before(world: World, database: Database) -> None:
    team = screened(world)
    before = statuses(world, team, 5)

    for quota in (3, 2):
        world.change_policy(team.review_id, team.owner, reviewers_per_record=quota)

    assert statuses(world, team, 5) == before
    (found,) = conflicts(database, team.review_id)
    assert found.state is ConflictState.OPEN
    assert_in_step(database, team.review_id)


def test_a_resolution_outlives_every_policy(world: World, database: Database) -> None:
    team = screened(world)
    world.resolve(team.review_id, team.judge, 2, "exclude")

    for part in ({"reviewers_per_record": 3}, {"single_include_advances": True}):
        world.change_policy(team.review_id, team.owner, **part)
        assert world.status(team.review_id, 2) is Status.EXCLUDED
        assert_in_step(database, team.review_id)


@both_engines
def test_rolled_back_it_shows_the_effect_and_does_nothing(world: World, database: Database) -> None:
    team = screened(world)
    n_told, before = len(events(database, team.review_id)), statuses(world, team, 5)

    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        savepoint = session.begin_nested()
        (shown,) = policies.change(
            session, review=review, viewer=viewer, parts={TA: {"reviewers_per_record": 3}}
        )
        savepoint.rollback()

    assert counted(shown) == (3, 0, 1)
    assert shown.policy.reviewers_per_record == 3
    assert statuses(world, team, 5) == before
    assert len(events(database, team.review_id)) == n_told
    assert_in_step(database, team.review_id)
    assert counted(world.change_policy(team.review_id, team.owner, reviewers_per_record=3)[0]) == (
        counted(shown)
    )


def test_a_policy_that_is_in_force_already_changes_nothing(
    world: World, database: Database
) -> None:
    team = screened(world)
    n_told = len(events(database, team.review_id))

    assert world.change_policy(team.review_id, team.owner, reviewers_per_record=2) == []
    assert len(events(database, team.review_id)) == n_told


def test_a_changed_policy_is_told_and_makes_the_ranking_stale(
    world: World, database: Database
) -> None:
    team = screened(world)
    with database.read() as session:
        before = session.get_one(Review, team.review_id).labels_seq

    world.change_policy(team.review_id, team.owner, maybe="conflict")

    last = events(database, team.review_id)[-1]
    assert (last.type, last.data) == (
        "tandem.review.changed",
        {"changed": ["policy.title_abstract"]},
    )
    with database.read() as session:
        assert session.get_one(Review, team.review_id).labels_seq > before


def test_the_stages_have_policies_of_their_own(world: World, database: Database) -> None:
    team = screened(world)
    before = statuses(world, team, 5)

    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        (effect,) = policies.change(
            session, review=review, viewer=viewer, parts={Stage.FULL_TEXT: {"maybe": "conflict"}}
        )

    assert (effect.stage, counted(effect)) == (Stage.FULL_TEXT, (0, 0, 0))
    assert statuses(world, team, 5) == before
    with database.read() as session:
        in_force = reviews.policies_in_force(session, team.review_id)
    assert in_force[TA] == DEFAULT[TA]
    assert in_force[Stage.FULL_TEXT].reasons_must_match, "what was not changed stays"


@pytest.mark.parametrize(
    "part", [{"reviewers_per_record": 4}, {"maybe": "perhaps"}, {"colour": "blue"}]
)
def test_an_impossible_policy_is_refused(
    world: World, database: Database, part: dict[str, Any]
) -> None:
    team = screened(world)

    with pytest.raises(ValidationError):
        world.change_policy(team.review_id, team.owner, **part)
    with database.read() as session:
        assert reviews.policies_in_force(session, team.review_id)[TA] == DEFAULT[TA]


@both_engines
def test_votes_after_the_change_are_judged_by_the_new_policy(
    world: World, database: Database
) -> None:
    team = screened(world)
    world.change_policy(team.review_id, team.owner, reviewers_per_record=3)

    world.decide(team.review_id, team.eve, 1, "include")
    world.decide(team.review_id, team.eve, 2, "include")

    assert statuses(world, team, 2) == ["included", "conflict"]
    assert_in_step(database, team.review_id)
