"""What becomes of conflicts and resolutions where records are linked and parted."""

import pytest
from sqlalchemy import select

from service.domain.linking import Duplicates, enrich, open_conflicts, statuses
from service.domain.tables import assert_in_step
from tandem.records.models import Record
from tandem.screening.ledger.loading import IsDuplicate
from tandem.screening.models import Resolution
from tandem.screening.rules import Status
from world import Team, World

pytestmark = pytest.mark.both_engines


@pytest.fixture
def team(world: World) -> Team:
    return world.team(n_records=5)


def test_an_open_conflict_goes_on_at_the_representative(
    world: World, team: Team, duplicates: Duplicates
) -> None:
    world.decide(team.review_id, team.eve, 1, "include")
    world.decide(team.review_id, team.ann, 2, "include")
    world.decide(team.review_id, team.ben, 2, "exclude")
    enrich(world, team.review_id, 1, doi="10.1/x")
    assert open_conflicts(world.database, team.review_id) == [2]

    group_id = duplicates.link(1, 2)
    assert open_conflicts(world.database, team.review_id) == [1]
    assert_in_step(world.database, team.review_id)

    duplicates.split(group_id)
    assert open_conflicts(world.database, team.review_id) == [2]
    assert_in_step(world.database, team.review_id)


def test_a_resolution_goes_with_its_votes_where_nobody_had_voted(
    world: World, team: Team, duplicates: Duplicates
) -> None:
    enrich(world, team.review_id, 2, abstract="")
    world.decide(team.review_id, team.ann, 2, "include")
    world.decide(team.review_id, team.ben, 2, "exclude")
    world.resolve(team.review_id, team.judge, 2, "include")

    group_id = duplicates.link(1, 2)
    assert statuses(world, team, (1, 2)) == {1: Status.INCLUDED, 2: Status.UNSCREENED}
    assert open_conflicts(world.database, team.review_id) == []

    duplicates.split(group_id)
    assert statuses(world, team, (1, 2)) == {1: Status.UNSCREENED, 2: Status.INCLUDED}
    with world.database.read() as session:
        assert [r.record_number for r in session.scalars(select(Resolution))] == [2]
    assert_in_step(world.database, team.review_id)


@pytest.mark.parametrize("after", ["include", "withdrawn"])
def test_a_resolution_outlasts_what_its_voters_say_later_also_when_it_is_carried(
    after: str, world: World, team: Team, duplicates: Duplicates
) -> None:
    enrich(world, team.review_id, 2, abstract="")
    world.decide(team.review_id, team.ann, 2, "include")
    world.decide(team.review_id, team.ben, 2, "exclude")
    world.resolve(team.review_id, team.judge, 2, "exclude")
    if after == "include":
        world.decide(team.review_id, team.ben, 2, "include")
    else:
        world.withdraw(team.review_id, team.ann, 2)
        world.withdraw(team.review_id, team.ben, 2)
    assert world.status(team.review_id, 2) is Status.EXCLUDED

    group_id = duplicates.link(1, 2)

    assert statuses(world, team, (1, 2)) == {1: Status.EXCLUDED, 2: Status.UNSCREENED}
    assert_in_step(world.database, team.review_id)
    duplicates.split(group_id)
    assert statuses(world, team, (1, 2)) == {1: Status.UNSCREENED, 2: Status.EXCLUDED}
    assert_in_step(world.database, team.review_id)


def resolved(world: World, team: Team, number: int, verdict: str) -> None:
    world.decide(team.review_id, team.ann, number, "include")
    world.decide(team.review_id, team.ben, number, "exclude")
    world.resolve(team.review_id, team.judge, number, verdict)


@pytest.mark.parametrize(("first", "second"), [("exclude", "include"), ("include", "exclude")])
def test_of_two_resolutions_the_one_that_keeps_the_record_stands(
    first: str, second: str, world: World, team: Team, duplicates: Duplicates
) -> None:
    resolved(world, team, 1, first)
    resolved(world, team, 2, second)

    group_id = duplicates.link(1, 2)

    assert world.status(team.review_id, 1) is Status.INCLUDED
    assert_in_step(world.database, team.review_id)
    duplicates.split(group_id)
    ends = {"include": Status.INCLUDED, "exclude": Status.EXCLUDED}
    assert statuses(world, team, (1, 2)) == {1: ends[first], 2: ends[second]}
    assert_in_step(world.database, team.review_id)


def test_a_resolution_that_excludes_stands_aside_for_votes_it_never_saw(
    world: World, team: Team, duplicates: Duplicates
) -> None:
    resolved(world, team, 1, "exclude")
    world.decide(team.review_id, team.eve, 2, "include")

    group_id = duplicates.link(1, 2)

    assert open_conflicts(world.database, team.review_id) == [1]
    assert_in_step(world.database, team.review_id)
    duplicates.split(group_id)
    assert world.status(team.review_id, 1) is Status.EXCLUDED
    assert open_conflicts(world.database, team.review_id) == []
    assert_in_step(world.database, team.review_id)


def test_a_resolution_that_stands_aside_is_no_longer_in_force(
    world: World, team: Team, duplicates: Duplicates
) -> None:
    resolved(world, team, 1, "exclude")
    world.decide(team.review_id, team.eve, 2, "include")
    duplicates.link(1, 2)
    with world.database.read() as session:
        (made,) = session.scalars(select(Resolution))
    assert made.is_set_aside

    world.resolve(team.review_id, team.judge, 1, "include")

    assert world.status(team.review_id, 1) is Status.INCLUDED
    assert_in_step(world.database, team.review_id)


def test_the_conflict_of_a_linked_record_is_settled_where_it_is_shown(world: World) -> None:
    team = world.team(n_records=2)
    duplicates, review_id = Duplicates(world, team), team.review_id
    for who, verdict in ((team.ann, "include"), (team.ben, "exclude")):
        world.decide(review_id, who, 2, verdict)
    world.resolve(review_id, team.judge, 2, "include")
    world.decide(review_id, team.ann, 1, "include")
    duplicates.link(1, 2)
    hidden = 2 if world.status(review_id, 2) is Status.UNSCREENED else 1

    with pytest.raises(IsDuplicate):
        world.reopen(review_id, team.judge, hidden)

    assert_in_step(world.database, review_id)


def test_a_resolution_that_came_to_an_undecided_record_can_be_taken_back_there(
    world: World,
) -> None:
    """Those whose conflict it had settled have withdrawn their decisions since."""
    team = world.team(n_records=2)
    duplicates, review_id = Duplicates(world, team), team.review_id
    for who, verdict in ((team.ann, "include"), (team.ben, "exclude")):
        world.decide(review_id, who, 2, verdict)
    world.resolve(review_id, team.judge, 2, "include")
    for who in (team.ann, team.ben):
        world.withdraw(review_id, who, 2)
    with world.database.write.begin() as session:  # else the one that was screened is shown
        session.get_one(Record, (review_id, 2)).abstract = ""
    duplicates.link(1, 2)
    assert world.status(review_id, 1) is Status.INCLUDED

    world.reopen(review_id, team.judge, 1)

    assert world.status(review_id, 1) is Status.UNSCREENED
    assert_in_step(world.database, review_id)
