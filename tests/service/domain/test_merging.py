"""Records turn out to be one: votes meet, and nobody's is lost."""

import pytest
from sqlalchemy import select

from service.domain.linking import (
    Duplicates,
    counts,
    enrich,
    event_types,
    open_conflicts,
    shown,
    statuses,
)
from service.domain.tables import assert_in_step
from tandem.errors import NotFound
from tandem.records.duplicates.models import DuplicateGroup, GroupState
from tandem.records.models import Import
from tandem.screening.ledger.loading import IsDuplicate
from tandem.screening.models import Decision
from tandem.screening.rules import Status
from world import Team, World

pytestmark = pytest.mark.both_engines


@pytest.fixture
def team(world: World) -> Team:
    return world.team(n_records=5)


def test_the_richest_record_stands_for_the_group(
    world: World, team: Team, duplicates: Duplicates
) -> None:
    enrich(world, team.review_id, 3, doi="10.1/x", journal="J", abstract="A long abstract. " * 9)
    enrich(world, team.review_id, 1, abstract="")

    group_id = duplicates.link(1, 2, 3)

    assert shown(world.database, team.review_id) == {1: 3, 2: 3, 3: None, 4: None, 5: None}
    assert duplicates.state(group_id) == (GroupState.LINKED, [1, 2, 3])


def test_a_record_at_work_keeps_its_number_against_a_slightly_richer_one(
    world: World, team: Team, duplicates: Duplicates
) -> None:
    enrich(world, team.review_id, 3, doi="10.1/x", journal="J")
    world.decide(team.review_id, team.ann, 1, "include")

    duplicates.link(1, 3)

    assert shown(world.database, team.review_id)[3] == 1


def test_the_abstract_comes_before_the_number(
    world: World, team: Team, duplicates: Duplicates
) -> None:
    enrich(world, team.review_id, 1, abstract="")
    world.decide(team.review_id, team.ann, 1, "include")

    duplicates.link(1, 3)

    assert shown(world.database, team.review_id)[1] == 3
    assert statuses(world, team, (1, 3)) == {1: Status.UNSCREENED, 3: Status.AWAITING}


def test_votes_on_two_records_meet_and_a_difference_is_a_conflict(
    world: World, team: Team, duplicates: Duplicates
) -> None:
    world.decide(team.review_id, team.ann, 1, "include")
    world.decide(team.review_id, team.ben, 2, "exclude", reasons=["wrong population"])

    duplicates.link(1, 2)

    assert statuses(world, team, (1, 2)) == {1: Status.CONFLICT, 2: Status.UNSCREENED}
    assert open_conflicts(world.database, team.review_id) == [1]
    assert counts(world, team, team.owner) == {"conflict": 1, "unscreened": 3}
    assert_in_step(world.database, team.review_id)


def test_nothing_is_thrown_away(world: World, team: Team, duplicates: Duplicates) -> None:
    world.decide(team.review_id, team.ann, 1, "include")
    world.decide(team.review_id, team.ben, 2, "exclude", reasons=["no"], note="why", labels=["x"])

    duplicates.link(1, 2)

    with world.database.read() as session:
        entries = session.scalars(select(Decision).order_by(Decision.labels_seq)).all()
    assert [(e.record_number, e.verdict, e.carried_from) for e in entries] == [
        (1, "include", None),
        (2, "exclude", None),
        (1, "exclude", 2),
    ]
    carried = entries[2]
    assert (carried.reasons, carried.note, carried.labels) == (["no"], "why", ["x"])
    assert carried.reviewer_id == team.ben.id


@pytest.mark.parametrize(
    ("there", "here", "stands"),
    [
        ("exclude", "include", Status.INCLUDED),
        ("include", "exclude", Status.INCLUDED),
        ("exclude", "exclude", Status.EXCLUDED),
    ],
)
def test_of_one_persons_two_votes_the_one_that_keeps_the_record_counts(
    there: str, here: str, stands: Status, world: World, duplicates: Duplicates
) -> None:
    team = world.team(n_records=3, policy={"reviewers_per_record": 1})
    world.decide(team.review_id, team.ann, 1, there)
    world.decide(team.review_id, team.ann, 2, here)

    Duplicates(world, team).link(1, 2)

    assert world.status(team.review_id, 1) is stands
    recorded = event_types(world.database, team.review_id, "tandem.decision.recorded")
    assert len(recorded) == 3  # one for the carried vote, whatever the two were


def test_two_groups_become_one_and_keep_one_id(
    world: World, team: Team, duplicates: Duplicates
) -> None:
    first, second = duplicates.link(1, 2), duplicates.link(3, 4)

    third = duplicates.propose(2, 3)
    duplicates.merge(third)

    assert duplicates.state(third) == (GroupState.LINKED, [1, 2, 3, 4])
    with world.database.read() as session:
        left = session.scalars(select(DuplicateGroup.id)).all()
    assert left == [third]
    assert first not in left
    assert second not in left
    assert sum(number is None for number in shown(world.database, team.review_id).values()) == 2


def test_the_imports_counts_follow(world: World, team: Team, duplicates: Duplicates) -> None:
    def counted() -> tuple[int, int, int]:
        with world.database.read() as session:
            row = session.scalars(select(Import).where(Import.review_id == team.review_id)).one()
            assert row.n_read == row.n_added + row.n_duplicates + row.n_rejected
            return row.n_read, row.n_added, row.n_duplicates

    group_id = duplicates.link(1, 2, 3)
    assert counted() == (5, 3, 2)
    duplicates.split(group_id)
    assert counted() == (5, 5, 0)


def test_a_linked_record_is_not_screened_on_its_own(
    world: World, team: Team, duplicates: Duplicates
) -> None:
    duplicates.link(1, 2)
    with pytest.raises(IsDuplicate):
        world.decide(team.review_id, team.ann, 2, "include")


def test_events_tell_of_links_and_splits(world: World, team: Team, duplicates: Duplicates) -> None:
    group_id = duplicates.link(1, 2, 3)
    duplicates.split(group_id)

    kinds = ("tandem.duplicates.merged", "tandem.duplicates.split")
    assert event_types(world.database, team.review_id, *kinds) == [kinds[0]] * 2 + [kinds[1]] * 2


def test_who_decided_one_of_them_is_not_served_the_other(
    world: World, team: Team, duplicates: Duplicates
) -> None:
    world.decide(team.review_id, team.ann, 2, "include")
    world.rank(team.review_id, 1, 2, 3, 4, 5)
    world.serve(team.review_id, team.ann, limit=5)

    duplicates.link(1, 2)

    served = world.serve(team.review_id, team.ann, limit=5)
    assert not {1, 2} & {int(item.record_number) for item in served.items}


def test_who_saw_an_outcome_is_informed_also_at_the_other_record(
    world: World, team: Team, duplicates: Duplicates
) -> None:
    world.decide(team.review_id, team.ann, 2, "include")
    world.decide(team.review_id, team.ben, 2, "include")
    world.decide(team.review_id, team.eve, 1, "exclude")
    duplicates.link(1, 2)
    (number,) = [
        n for n, of in shown(world.database, team.review_id).items() if of is None and n < 3
    ]

    made = world.decide(team.review_id, team.ann, number, "exclude")

    assert made.decision is not None
    assert made.decision.informed


def test_no_question_is_left_within_a_group(
    world: World, team: Team, duplicates: Duplicates
) -> None:
    duplicates.link(1, 2)
    duplicates.link(4, 5)
    left = duplicates.propose(2, 5)

    duplicates.link(1, 4)

    with pytest.raises(NotFound):
        duplicates.state(left)
