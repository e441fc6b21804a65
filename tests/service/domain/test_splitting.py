"""Records that were linked are parted: each has again what was said of it."""

import pytest

from service.domain.linking import Duplicates, counts, shown, statuses
from service.domain.tables import assert_in_step
from tandem.records.duplicates import groups
from tandem.records.duplicates.models import GroupState
from tandem.screening.duplicates import merging
from tandem.screening.rules import Status
from world import Team, World

pytestmark = pytest.mark.both_engines


@pytest.fixture
def team(world: World) -> Team:
    return world.team(n_records=5)


def test_split_gives_each_record_back_its_own_votes(
    world: World, team: Team, duplicates: Duplicates
) -> None:
    world.decide(team.review_id, team.ann, 1, "include")
    world.decide(team.review_id, team.ben, 1, "include")
    world.decide(team.review_id, team.ann, 2, "exclude")
    world.decide(team.review_id, team.ben, 2, "exclude")
    group_id = duplicates.link(1, 2)
    assert statuses(world, team, (1, 2)) == {1: Status.INCLUDED, 2: Status.UNSCREENED}

    duplicates.split(group_id)

    assert statuses(world, team, (1, 2)) == {1: Status.INCLUDED, 2: Status.EXCLUDED}
    assert duplicates.state(group_id) == (GroupState.KEPT, [1, 2])
    assert duplicates.apart() == {frozenset((1, 2))}
    assert counts(world, team, team.owner) == {"included": 1, "excluded": 1, "unscreened": 3}
    assert_in_step(world.database, team.review_id)


def test_what_was_decided_while_linked_stays_with_the_record_that_was_shown(
    world: World, team: Team, duplicates: Duplicates
) -> None:
    world.decide(team.review_id, team.ann, 2, "exclude")
    group_id = duplicates.link(1, 2)
    world.decide(team.review_id, team.ann, 2, "include")
    world.decide(team.review_id, team.ben, 2, "include")

    duplicates.split(group_id)

    assert statuses(world, team, (1, 2)) == {1: Status.UNSCREENED, 2: Status.INCLUDED}


def test_a_record_leaves_a_group_of_three_and_is_never_linked_to_it_again(
    world: World, team: Team, duplicates: Duplicates
) -> None:
    world.decide(team.review_id, team.ann, 3, "include")
    group_id = duplicates.link(1, 2, 3)

    duplicates.split(group_id, 3)

    assert duplicates.state(group_id) == (GroupState.LINKED, [1, 2])
    (pair,) = duplicates.apart()
    assert 3 in pair
    numbers = shown(world.database, team.review_id)
    assert numbers[3] is None
    assert sorted(map(str, (numbers[1], numbers[2]))) in (["1", "None"], ["2", "None"])
    assert statuses(world, team, (1, 2, 3)) == {
        1: Status.UNSCREENED,
        2: Status.UNSCREENED,
        3: Status.AWAITING,
    }


def test_kept_apart_may_still_be_merged_by_hand(
    world: World, team: Team, duplicates: Duplicates
) -> None:
    group_id = duplicates.propose(1, 2)
    with world.database.write.begin() as session:
        group = groups.get(session, review_id=team.review_id, group_id=group_id)
        merging.keep(group, by=team.owner.id)
    assert duplicates.apart() == {frozenset((1, 2))}

    duplicates.merge(group_id)

    assert duplicates.state(group_id) == (GroupState.LINKED, [1, 2])
    assert duplicates.apart() == set()


def test_what_does_not_fit_is_refused(world: World, team: Team, duplicates: Duplicates) -> None:
    proposed = duplicates.propose(1, 2)
    with pytest.raises(merging.NotLinked):
        duplicates.split(proposed)
    linked = duplicates.link(3, 4)
    with world.database.write.begin() as session:
        group = groups.get(session, review_id=team.review_id, group_id=linked)
        with pytest.raises(merging.IsLinked):
            merging.keep(group, by=team.owner.id)


def test_a_partial_split_leaves_what_was_said_while_linked(world: World) -> None:
    team = world.team(n_records=3, policy={"reviewers_per_record": 1})
    duplicates = Duplicates(world, team)
    world.decide(team.review_id, team.ann, 1, "exclude")
    world.decide(team.review_id, team.ann, 2, "include")
    group_id = duplicates.link(1, 2, 3)
    assert world.status(team.review_id, 1) is Status.INCLUDED
    world.decide(team.review_id, team.ann, 1, "exclude")

    duplicates.split(group_id, 3)

    assert world.status(team.review_id, 1) is Status.EXCLUDED
    world.withdraw(team.review_id, team.ann, 1)
    assert world.status(team.review_id, 1) is Status.UNSCREENED
    assert_in_step(world.database, team.review_id)


def test_of_a_chain_of_records_those_that_stay_keep_their_votes(world: World) -> None:
    team = world.team(n_records=4, policy={"reviewers_per_record": 1})
    duplicates = Duplicates(world, team)
    world.decide(team.review_id, team.ann, 1, "exclude")
    world.decide(team.review_id, team.ann, 2, "include")
    world.decide(team.review_id, team.ben, 3, "exclude")
    group_id = duplicates.link(1, 2, 3)
    assert world.status(team.review_id, 1) is Status.CONFLICT

    duplicates.split(group_id, 3)
    assert world.status(team.review_id, 1) is Status.INCLUDED
    duplicates.split(group_id, 2)
    assert statuses(world, team, (1, 2, 3)) == {
        1: Status.EXCLUDED,
        2: Status.INCLUDED,
        3: Status.EXCLUDED,
    }
    assert_in_step(world.database, team.review_id)


def test_what_was_kept_apart_does_not_hold_up_those_that_were_merged_since(
    world: World, team: Team, duplicates: Duplicates
) -> None:
    duplicates.split(duplicates.link(1, 2, 3))
    assert len(duplicates.apart()) == 3

    duplicates.link(1, 2)

    assert duplicates.apart() == {frozenset((1, 3)), frozenset((2, 3))}


def test_what_somebody_says_of_a_record_stays_its_own_when_they_said_it_of_a_copy_before(
    world: World,
) -> None:
    team = world.team(n_records=2)
    duplicates, review_id = Duplicates(world, team), team.review_id
    world.decide(review_id, team.ben, 1, "include")  # at work on it: it stays the one shown
    world.decide(review_id, team.ann, 2, "include")
    group_id = duplicates.link(1, 2)

    own = world.decide(review_id, team.ann, 1, "include")
    assert own.changed
    assert not world.decide(review_id, team.ann, 1, "include").changed
    duplicates.split(group_id)

    assert world.status(review_id, 1) is Status.INCLUDED
    assert world.status(review_id, 2) is Status.AWAITING
    assert_in_step(world.database, review_id)
