from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import effort
from service.domain.tables import assert_in_step, conflicts, event_types, events
from tandem.db.session import Database
from tandem.reviews import policy_versions
from tandem.reviews.models import Review
from tandem.reviews.policy import DEFAULT, Policy, Stage
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
    assert event_types(database, team.review_id)[-2:] == ["conflict.resolved", "record.included"]
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
    n_events, before = len(events(database, team.review_id)), statuses(world, team, 5)

    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        savepoint = session.begin_nested()
        (shown,) = policies.change(
            session, review=review, viewer=viewer, parts={TA: {"reviewers_per_record": 3}}
        )
        savepoint.rollback()

    assert counted(shown) == (3, 0, 1)
    assert shown.policy.reviewers_per_record == 3
    assert statuses(world, team, 5) == before
    assert len(events(database, team.review_id)) == n_events
    assert_in_step(database, team.review_id)
    assert counted(world.change_policy(team.review_id, team.owner, reviewers_per_record=3)[0]) == (
        counted(shown)
    )


def test_a_policy_that_is_in_force_already_changes_nothing(
    world: World, database: Database
) -> None:
    team = screened(world)
    n_events = len(events(database, team.review_id))

    assert world.change_policy(team.review_id, team.owner, reviewers_per_record=2) == []
    assert len(events(database, team.review_id)) == n_events


def test_a_changed_policy_is_an_event_and_makes_the_ranking_stale(
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
            session, review=review, viewer=viewer, parts={Stage.FULL_TEXT: {"blind": False}}
        )

    assert (effect.stage, counted(effect)) == (Stage.FULL_TEXT, (0, 0, 0))
    assert statuses(world, team, 5) == before
    with database.read() as session:
        in_force = policy_versions.policies_in_force(session, team.review_id)
    assert in_force[TA] == DEFAULT[TA]
    assert in_force[Stage.FULL_TEXT].maybe == "conflict", "what was not changed stays"


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
        assert policy_versions.policies_in_force(session, team.review_id)[TA] == DEFAULT[TA]


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


VERDICTS = st.sampled_from(["include", "exclude", "maybe"])
SAID = st.tuples(VERDICTS, st.sampled_from([[], ["wrong population"], ["wrong design"]]))
POLICIES = st.fixed_dictionaries(
    {
        name: st.sampled_from(get_args(field.annotation) or (False, True))
        for name, field in Policy.model_fields.items()
    }
)
BALLOTS = st.lists(st.lists(SAID, max_size=3), min_size=4, max_size=4)


@settings(
    max_examples=effort.examples(25),
    deadline=None,
    # Not made smaller: that takes minutes, and four records can be read.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    # One database for all examples, but a review for each.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(first=POLICIES, then=POLICIES, ballots=BALLOTS, resolved=st.booleans())
def test_whatever_the_policies_the_effect_is_the_difference_between_them(
    world: World,
    first: dict[str, Any],
    then: dict[str, Any],
    ballots: list[list[tuple[str, list[str]]]],
    resolved: bool,
) -> None:
    team = world.team(n_records=4, policy=first)
    for number, ballot in enumerate(ballots, start=1):
        for person, (verdict, reasons) in zip((team.ann, team.ben, team.eve), ballot, strict=False):
            world.decide(team.review_id, person, number, verdict, reasons=reasons)
    for row in conflicts(world.database, team.review_id)[:1] if resolved else ():
        if row.state is ConflictState.OPEN:
            world.resolve(team.review_id, team.judge, row.record_number, "include")
    before, open_before = statuses(world, team, 4), open_at(world, team)

    effects = world.change_policy(team.review_id, team.owner, **then)

    after, open_after = statuses(world, team, 4), open_at(world, team)
    assert_in_step(world.database, team.review_id)
    assert bool(effects) == (first != then)
    for effect in effects:
        assert [(n, was.value, now.value) for n, was, now in effect.records_changed] == [
            (n, was, now)
            for n, (was, now) in enumerate(zip(before, after, strict=True), start=1)
            if was != now
        ]
        assert set(effect.conflicts_opened) == open_after - open_before
        assert set(effect.conflicts_closed) == open_before - open_after
    world.change_policy(team.review_id, team.owner, **first)
    assert (statuses(world, team, 4), open_at(world, team)) == (before, open_before)


def open_at(world: World, team: Team) -> set[int]:
    found = conflicts(world.database, team.review_id)
    return {int(row.record_number) for row in found if row.state is ConflictState.OPEN}
