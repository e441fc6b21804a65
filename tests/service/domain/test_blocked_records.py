"""Owners see which records wait for somebody who will not come."""

import pytest

from tandem.ids import RecordNumber
from tandem.records.imports import Found
from tandem.records.models import Record
from tandem.records.origin import FoundBy, NotScreened
from tandem.reviews import policy_versions
from tandem.reviews.models import Role
from tandem.screening.people import interests
from tandem.screening.people.blocked_records import blocked_records
from tandem.screening.team import membership
from world import Person, Team, World

pytestmark = pytest.mark.both_engines


def found(world: World, team: Team) -> tuple[int, int, list[int], int] | None:
    """Return who is to come, how many wait and which, and what is in nobody's share."""
    with world.database.read() as session:
        policies = policy_versions.policies_in_force(session, team.review_id)
        blocked = blocked_records(session, team.review_id, policies)
    if blocked is None:
        return None
    return blocked.n_screeners, blocked.n_records, [*blocked.numbers], blocked.n_beyond_shares


def of_two(world: World, *, n_records: int = 4, n_reviewers: int = 2) -> Team:
    """Return a team of which Ann and Ben, or she alone, screen."""
    team = world.team(n_records=n_records, policy={"reviewers_per_record": 2})
    for person in [team.eve, team.ben][: 3 - n_reviewers]:
        change_role(world, team, person, Role.OBSERVER)
    return team


def change_role(world: World, team: Team, person: Person, role: Role) -> None:
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        membership.put(session, review=review, viewer=viewer, user_id=person.id, role=role)


def change(world: World, team: Team, person: Person, **part: float | bool | None) -> None:
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        membership.change(session, review=review, viewer=viewer, user_id=person.id, **part)  # type: ignore[arg-type]  # the fields of the test


def declare(world: World, team: Team, person: Person, number: int) -> None:
    with world.entered(team.review_id, person) as (session, review, viewer):
        interests.declare(
            session,
            review=review,
            viewer=viewer,
            record_number=RecordNumber(number),
            has_interest=True,
        )


def test_nothing_is_while_enough_people_screen(world: World) -> None:
    team = of_two(world)
    world.decide(team.review_id, team.ann, 1, "include")
    assert found(world, team) is None


def test_one_who_is_alone_cannot_do_the_work_of_two(world: World) -> None:
    team = of_two(world, n_reviewers=1)
    assert found(world, team) == (1, 4, [1, 2, 3, 4], 0)


def test_what_the_one_who_pauses_has_decided_does_not_wait_for_them(world: World) -> None:
    team = of_two(world)
    for number in (1, 2):
        world.decide(team.review_id, team.ben, number, "include")
    world.decide(team.review_id, team.ann, 2, "exclude")
    world.decide(team.review_id, team.ann, 3, "exclude")
    change(world, team, team.ben, paused=True)

    # 1 waits for Ann, 2 has both; 3 and 4 would wait for Ben.
    assert found(world, team) == (1, 2, [3, 4], 0)

    change(world, team, team.ben, paused=False)
    assert found(world, team) is None


def test_who_is_switched_off_does_not_come(world: World) -> None:
    team = of_two(world)
    world.decide(team.review_id, team.ben, 1, "include")
    world.switch_off(team.ben)

    assert found(world, team) == (1, 3, [2, 3, 4], 0)


def test_others_who_screen_count_once_they_have_begun(world: World) -> None:
    team = of_two(world, n_reviewers=1)
    world.decide(team.review_id, team.judge, 1, "include")
    assert found(world, team) is None


def test_a_paper_of_one_of_two_waits_for_a_third(world: World) -> None:
    team = of_two(world)
    declare(world, team, team.ann, 2)
    assert found(world, team) == (2, 1, [2], 0)

    world.decide(team.review_id, team.ben, 2, "include")
    assert found(world, team) == (2, 1, [2], 0)

    # A decision that is sent all the same counts.
    world.decide(team.review_id, team.ann, 2, "include")
    assert found(world, team) is None


def test_a_paper_that_is_stranded_anyhow_is_counted_once(world: World) -> None:
    team = of_two(world, n_reviewers=1)
    declare(world, team, team.ann, 2)
    assert found(world, team) == (1, 4, [1, 2, 3, 4], 0)


def test_of_what_waits_for_one_alone_their_own_paper_is_stranded(world: World) -> None:
    team = of_two(world)
    for number in (1, 2):
        world.decide(team.review_id, team.ben, number, "include")
    declare(world, team, team.ann, 2)
    change(world, team, team.ben, paused=True)
    assert found(world, team) == (1, 3, [2, 3, 4], 0)


def test_shares_that_leave_something_over(world: World) -> None:
    team = of_two(world)
    change(world, team, team.ann, share=0.5)
    assert found(world, team) is None  # Ben takes what comes

    change(world, team, team.ben, share=0.25)
    assert found(world, team) == (2, 0, [], 2)

    for number in (1, 2):
        world.decide(team.review_id, team.ben, number, "include")
    # His share is done: what he has not read has nobody but Ann.
    assert found(world, team) == (1, 2, [3, 4], 2)


def test_linked_records_wait_as_one(world: World) -> None:
    team = of_two(world, n_reviewers=1)
    world.merge(team.review_id, team.owner, 1, 2)
    blocked = found(world, team)
    assert blocked
    assert (blocked[1], len(blocked[2])) == (3, 3)


def test_nobody_waits_for_records_that_are_not_screened(world: World) -> None:
    team = of_two(world, n_reviewers=1)
    world.records(team.review_id, team.owner, 2, found=Found(FoundBy.CITATION))
    world.remove(team.review_id, team.owner, 2)
    assert found(world, team) == (1, 3, [1, 3, 4], 0)
    change(world, team, team.ann, share=0.5)
    assert found(world, team) == (1, 3, [1, 3, 4], 3), "of six decisions"


def test_what_was_decided_and_then_left_out_is_neither_open_nor_closed(
    world: World,
) -> None:
    team = of_two(world, n_records=6)
    for number, people in {
        1: [team.ann, team.ben],
        2: [team.ben],
        3: [team.ann],
        4: [team.ben],
    }.items():
        for person in people:
            world.decide(team.review_id, person, number, "include")
    with world.database.write.begin() as session:
        for number in (1, 2, 3):
            record = session.get_one(Record, (team.review_id, number))
            record.not_screened_because = NotScreened.PREVIOUS
    change(world, team, team.ben, paused=True)
    # Of what is left, Ann alone can finish 4, which Ben has begun.
    assert found(world, team) == (1, 2, [5, 6], 0)
    change(world, team, team.ann, share=0.5)
    assert found(world, team) == (1, 2, [5, 6], 2), "of five decisions, three are hers"
