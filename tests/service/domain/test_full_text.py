"""The full-text stage: who comes there, what counts there, and what late changes do to it."""

import pytest

from tandem.audit import trail, verify
from tandem.db.session import Database
from tandem.errors import Forbidden, Invalid
from tandem.ids import RecordNumber, ReviewId
from tandem.reports.facts import load_facts
from tandem.reviews import policy_versions
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from tandem.screening.blinding.view import sees_every_event
from tandem.screening.complete import ReasonRequired
from tandem.screening.full_text.population import NotAtThisStage, gate, population
from tandem.screening.ledger.loading import IsDuplicate
from tandem.screening.progress import progress
from tandem.screening.queue.service import QueueState
from tandem.screening.rules import Classification, Status
from world import FT, Person, Team, World

pytestmark = pytest.mark.both_engines
ONGOING = Classification.ONGOING


def at_full_text(database: Database, review_id: ReviewId) -> set[int]:
    with database.read() as session:
        policies = policy_versions.policies_in_force(session, review_id)
        return set(population(session, review_id, gate(policies)))


def served(world: World, team: Team, person: Person) -> list[int]:
    queue = world.serve(team.review_id, person, limit=10, stage=FT)
    return [lease.record_number for lease in queue.items]


def both(world: World, team: Team, number: int, verdict: str, **said: object) -> None:
    for person in (team.ann, team.ben):
        world.decide(team.review_id, person, number, verdict, stage=FT, **said)


def assert_verifies(database: Database, team: Team) -> None:
    lines = list(trail.lines(database, review_id=team.review_id, user_id=team.owner.id))
    made = verify.check(lines)
    assert made.ok, made.difference


def test_the_way_of_a_report(world: World, database: Database) -> None:
    team = world.team(n_records=4)
    id_ = team.review_id
    for person in (team.ann, team.ben):
        world.decide(id_, person, 1, "include")
    assert world.standings(id_) == {1: "being_sought"}
    assert served(world, team, team.ann) == []

    assert world.retrieve(id_, team.eve, 1, "requested", "Asked the library.")
    assert not world.retrieve(id_, team.eve, 1, "requested", "Asked the library.")
    assert world.standings(id_) == {1: "being_sought"}
    world.retrieve(id_, team.eve, 1, "not_retrieved", "The library does not have it.")
    assert world.standings(id_) == {1: "not_retrieved"}
    world.retrieve(id_, team.ben, 1)
    assert world.standings(id_) == {1: "to_assess"}
    assert served(world, team, team.ann) == [1]

    world.decide(id_, team.ann, 1, "include", stage=FT)
    assert world.standings(id_) == {1: "to_assess"}
    world.decide(id_, team.ben, 1, "exclude", stage=FT, reasons=["design"])
    assert world.status(id_, 1, FT) is Status.CONFLICT
    world.resolve(id_, team.judge, 1, "exclude", stage=FT, reasons=["population"])
    assert world.standings(id_) == {1: "excluded"}
    with database.read() as session:
        facts = load_facts(session, reviews.get_review(session, id_))[RecordNumber(1)]
    assert facts.final_reason == "population"
    assert_verifies(database, team)


def test_a_record_that_never_came_so_far_is_refused(world: World) -> None:
    team = world.team(n_records=4)
    id_ = team.review_id
    world.decide(id_, team.ann, 1, "include")
    for number in (1, 2):
        with pytest.raises(NotAtThisStage):
            world.decide(id_, team.ann, number, "include", stage=FT)
        with pytest.raises(NotAtThisStage):
            world.retrieve(id_, team.ann, number)
    with pytest.raises(Forbidden):
        world.retrieve(id_, team.observer, 1)
    world.merge(id_, team.owner, 3, 4)
    with pytest.raises(IsDuplicate):
        world.retrieve(id_, team.ann, 4)


def test_who_excludes_a_full_text_says_why(world: World) -> None:
    team = world.team(n_records=2)
    id_ = team.review_id
    world.to_full_text(team, 1)
    with pytest.raises(ReasonRequired):
        world.decide(id_, team.ann, 1, "exclude", stage=FT)
    with pytest.raises(Invalid, match="classifies"):
        world.decide(
            id_, team.ann, 1, "exclude", stage=FT, reasons=["design"], classification=ONGOING
        )
    with pytest.raises(Invalid, match="classifies"):
        world.decide(id_, team.ann, 2, "include", classification=ONGOING)
    world.decide(id_, team.ann, 1, "include", stage=FT)
    world.decide(id_, team.ben, 1, "exclude", stage=FT, reasons=["design"])
    world.change_policy(id_, team.owner, stage=FT, resolution="consensus")
    for say, who in ((world.vote_again, team.ann), (world.resolve, team.judge)):
        with pytest.raises(ReasonRequired):
            say(id_, who, 1, "exclude", stage=FT)
    with pytest.raises(Invalid, match="note"):
        world.retrieve(id_, team.ann, 1, "not_retrieved")


def test_different_classifications_are_a_conflict_that_a_resolution_settles(
    world: World, database: Database
) -> None:
    team = world.team(n_records=2)
    id_ = team.review_id
    world.to_full_text(team, 1)
    world.decide(id_, team.ann, 1, "include", stage=FT, classification=ONGOING)
    world.decide(id_, team.ben, 1, "include", stage=FT)
    assert world.status(id_, 1, FT) is Status.CONFLICT
    assert_verifies(database, team)
    world.resolve(id_, team.judge, 1, "include", stage=FT, classification=ONGOING)
    assert world.standings(id_) == {1: "ongoing"}
    world.reopen(id_, team.judge, 1, stage=FT)
    assert world.standings(id_) == {1: "to_assess"}
    world.decide(id_, team.ann, 1, "include", stage=FT)
    assert world.standings(id_) == {1: "included"}
    assert_verifies(database, team)


def test_a_report_whose_first_stage_is_reopened_sleeps_and_comes_back_as_it_was(
    world: World, database: Database
) -> None:
    team = world.team(n_records=3)
    id_ = team.review_id
    world.to_full_text(team, 1, 2)
    both(world, team, 1, "exclude", reasons=["design"])
    assert at_full_text(database, id_) == {1, 2}
    before = _seen(world, database, team)

    world.withdraw(id_, team.ben, 1)
    assert world.standings(id_) == {1: "not_sought", 2: "to_assess"}
    assert at_full_text(database, id_) == {2}
    assert served(world, team, team.ann) == [2]
    # A vote in flight is kept, and does not count now.
    late = world.decide(id_, team.eve, 1, "include", stage=FT)
    assert not late.counted
    assert world.standings(id_) == {1: "not_sought", 2: "to_assess"}
    world.withdraw(id_, team.eve, 1, stage=FT)
    world.decide(id_, team.ben, 1, "include")

    assert world.standings(id_) == {1: "excluded", 2: "to_assess"}
    assert _seen(world, database, team) == before
    assert_verifies(database, team)


def _seen(world: World, database: Database, team: Team) -> object:
    with database.read() as session:
        viewer = reviews.viewer(session, review_id=team.review_id, user_id=team.owner.id)
        found = progress(session, viewer=viewer, stage=FT)
        facts = load_facts(session, reviews.get_review(session, team.review_id))
        return found.n_records, found.counts, facts


def test_a_vote_before_the_text_is_there_is_kept_until_it_is(world: World) -> None:
    team = world.team(n_records=2)
    id_ = team.review_id
    for person in (team.ann, team.ben):
        world.decide(id_, person, 1, "include")
    assert not world.decide(id_, team.ann, 1, "include", stage=FT).counted
    assert not world.decide(id_, team.ben, 1, "include", stage=FT).counted
    assert world.standings(id_) == {1: "being_sought"}
    world.retrieve(id_, team.ann, 1)
    assert world.standings(id_) == {1: "included"}
    assert world.decide(id_, team.ben, 1, "include", stage=FT, note="Sure.").counted


def test_of_merged_records_the_better_retrieval_counts_and_votes_come_along(
    world: World, database: Database
) -> None:
    team = world.team(n_records=4)
    id_ = team.review_id
    world.to_full_text(team, 1, 2)
    world.retrieve(id_, team.ann, 1, "not_retrieved", "Nowhere.")
    world.decide(id_, team.ann, 2, "include", stage=FT)
    group = world.merge(id_, team.owner, 1, 2)
    (shown,) = world.standings(id_)
    assert world.standings(id_) == {shown: "to_assess"}
    world.decide(id_, team.ben, shown, "include", stage=FT)
    assert world.standings(id_) == {shown: "included"}
    assert_verifies(database, team)
    # What is said of the one record is said of both.
    world.retrieve(id_, team.ben, shown, "not_retrieved", "It was another paper.")
    assert world.standings(id_) == {shown: "not_retrieved"}
    world.split(id_, team.owner, group)
    assert world.standings(id_) == {1: "not_retrieved", 2: "not_retrieved"}
    assert_verifies(database, team)


def test_merged_with_one_that_is_excluded_it_leaves_and_parted_it_comes_back(
    world: World, database: Database
) -> None:
    team = world.team(n_records=4)
    id_ = team.review_id
    world.to_full_text(team, 1)
    both(world, team, 1, "include")
    for person in (team.eve, team.judge):
        world.decide(id_, person, 2, "exclude")
    group = world.merge(id_, team.owner, 1, 2)
    assert set(world.standings(id_).values()) == {"not_sought"}
    assert at_full_text(database, id_) == set()
    world.split(id_, team.owner, group)
    assert world.standings(id_) == {1: "included"}
    assert_verifies(database, team)


def test_a_change_of_the_first_policy_sends_reports_back_and_brings_them_again(
    world: World, database: Database
) -> None:
    team = world.team(n_records=2, policy={"reviewers_per_record": 1})
    id_ = team.review_id
    world.decide(id_, team.ann, 1, "include")
    world.retrieve(id_, team.ann, 1)
    assert at_full_text(database, id_) == {1}
    world.change_policy(id_, team.owner, reviewers_per_record=2)
    assert at_full_text(database, id_) == set()
    world.change_policy(id_, team.owner, reviewers_per_record=1)
    assert world.standings(id_) == {1: "to_assess"}
    assert_verifies(database, team)


def test_while_a_resolution_stands_a_record_waits_for_its_last_decision(
    world: World, database: Database
) -> None:
    """Else those who have not decided it would learn how the others voted."""
    team = world.team(n_records=2)
    id_ = team.review_id
    world.decide(id_, team.ann, 1, "include")
    world.decide(id_, team.ben, 1, "exclude")
    world.resolve(id_, team.judge, 1, "include")
    world.retrieve(id_, team.ann, 1)
    world.withdraw(id_, team.ben, 1)
    assert at_full_text(database, id_) == set()
    world.decide(id_, team.eve, 1, "exclude")
    assert at_full_text(database, id_) == {1}


def test_the_queue_goes_by_the_ranks_of_title_and_abstract(world: World) -> None:
    team = world.team(n_records=6)
    id_ = team.review_id
    world.rank(id_, 6, 5, 4, 3, 2, 1)
    world.to_full_text(team, 1, 3, 5)
    queue = world.serve(id_, team.ann, limit=10, stage=FT)
    assert sorted((lease.record_number, lease.rank) for lease in queue.items) == [
        (1, 6),
        (3, 4),
        (5, 2),
    ]
    assert (queue.remaining, queue.state) == (3, QueueState.READY)
    both(world, team, 5, "include")
    assert world.serve(id_, team.ann, limit=10, stage=FT).remaining == 2
    # The first stage is asked as ever.
    assert {lease.record_number for lease in world.serve(id_, team.eve, limit=10).items} == {
        *(2, 4, 6)
    }


def test_a_later_vote_on_title_and_abstract_is_informed(world: World) -> None:
    """A third person can tell from the list of reports what the two others made of a record."""
    team = world.team(n_records=3)
    id_ = team.review_id
    for person in (team.ann, team.ben):
        world.decide(id_, person, 1, "include")
        world.decide(id_, person, 2, "exclude")
    world.decide(id_, team.ann, 3, "include")
    informed = [world.decide(id_, team.eve, number, "include") for number in (1, 2, 3)]
    assert [one.decision and one.decision.informed for one in informed] == [True, True, False]


def test_who_is_blinded_in_one_stage_does_not_see_every_event(
    world: World, database: Database
) -> None:
    team = world.team(n_records=1, policy={"blind": False})
    with database.read() as session:
        viewer = reviews.viewer(session, review_id=team.review_id, user_id=team.ann.id)
    assert sees_every_event(viewer)
    world.change_policy(team.review_id, team.owner, stage=FT, blind=True)
    with database.read() as session:
        viewer = reviews.viewer(session, review_id=team.review_id, user_id=team.ann.id)
        owner = reviews.viewer(session, review_id=team.review_id, user_id=team.owner.id)
    assert not sees_every_event(viewer)
    assert sees_every_event(owner)
    assert owner.role is Role.OWNER
