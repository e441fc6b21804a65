"""Records turn out to be one, or two: nobody's vote is lost, and all of it can be undone."""

from collections.abc import Collection, Sequence

import pytest
from sqlalchemy import select

from service.domain.tables import assert_in_step, events
from tandem.db.session import Database
from tandem.errors import NotFound
from tandem.ids import DuplicateGroupId, RecordNumber, ReviewId
from tandem.records.duplicates import groups
from tandem.records.duplicates.models import DuplicateGroup, GroupState
from tandem.records.models import Import, Record
from tandem.reviews import service as reviews
from tandem.screening import progress
from tandem.screening.duplicates import merging
from tandem.screening.ledger.loading import IsDuplicate
from tandem.screening.models import Conflict, ConflictState, Decision, Resolution
from tandem.screening.rules import Status
from world import TA, Person, Team, World

pytestmark = pytest.mark.both_engines


class Duplicates:
    """Settles duplicates of one review, as the routes do."""

    def __init__(self, world: World, team: Team) -> None:
        self.world, self.team = world, team

    def propose(self, *numbers: int) -> DuplicateGroupId:
        return self.world.propose(self.team.review_id, *numbers)

    def merge(self, group_id: DuplicateGroupId) -> None:
        with self.world.entered(self.team.review_id, self.team.owner) as (session, review, viewer):
            group = groups.get(session, review_id=review.id, group_id=group_id)
            merging.merge(session, review, viewer.policies, group, by=viewer.user_id)

    def link(self, *numbers: int) -> DuplicateGroupId:
        return self.world.merge(self.team.review_id, self.team.owner, *numbers)

    def split(self, group_id: DuplicateGroupId, *numbers: int) -> None:
        with self.world.entered(self.team.review_id, self.team.owner) as (session, review, viewer):
            group = groups.get(session, review_id=review.id, group_id=group_id)
            leaving = [RecordNumber(number) for number in numbers] or None
            merging.split(
                session, review, viewer.policies, group, numbers=leaving, by=viewer.user_id
            )

    def state(self, group_id: DuplicateGroupId) -> tuple[GroupState, list[int]]:
        with self.world.database.read() as session:
            group = groups.get(session, review_id=self.team.review_id, group_id=group_id)
            return group.state, [*groups.members_of(session, [group.id])[group.id]]

    def apart(self) -> set[frozenset[RecordNumber]]:
        with self.world.database.read() as session:
            return groups.apart(session, self.team.review_id)


@pytest.fixture
def team(world: World) -> Team:
    return world.team(n_records=5)


@pytest.fixture
def duplicates(world: World, team: Team) -> Duplicates:
    return Duplicates(world, team)


def shown(database: Database, review_id: ReviewId) -> dict[int, int | None]:
    with database.read() as session:
        query = select(Record.number, Record.duplicate_of).where(Record.review_id == review_id)
        return {row.number: row.duplicate_of for row in session.execute(query)}


def open_conflicts(database: Database, review_id: ReviewId) -> list[int]:
    with database.read() as session:
        query = select(Conflict.record_number).where(
            Conflict.review_id == review_id, Conflict.state == ConflictState.OPEN
        )
        return [*session.scalars(query)]


def counts(world: World, team: Team, person: Person) -> dict[str, int]:
    with world.database.read() as session:
        viewer = reviews.viewer(session, review_id=team.review_id, user_id=person.id)
        event_types = progress.progress(session, viewer=viewer, stage=TA)
        return {status: n for status, n in event_types.counts.items() if n}


def event_types(database: Database, review_id: ReviewId, *kinds: str) -> Sequence[str]:
    return [e.type for e in events(database, review_id) if not kinds or e.type in kinds]


def enrich(world: World, review_id: ReviewId, number: int, **fields: object) -> None:
    with world.database.write.begin() as session:
        record = session.get_one(Record, (review_id, number))
        for name, value in fields.items():
            setattr(record, name, value)


def statuses(world: World, team: Team, numbers: Collection[int]) -> dict[int, Status]:
    return {number: world.status(team.review_id, number) for number in numbers}


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


def test_what_was_kept_apart_does_not_hold_up_those_that_were_merged_since(
    world: World, team: Team, duplicates: Duplicates
) -> None:
    duplicates.split(duplicates.link(1, 2, 3))
    assert len(duplicates.apart()) == 3

    duplicates.link(1, 2)

    assert duplicates.apart() == {frozenset((1, 3)), frozenset((2, 3))}


def test_no_question_is_left_within_a_group(
    world: World, team: Team, duplicates: Duplicates
) -> None:
    duplicates.link(1, 2)
    duplicates.link(4, 5)
    left = duplicates.propose(2, 5)

    duplicates.link(1, 4)

    with pytest.raises(NotFound):
        duplicates.state(left)


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
