from typing import Any

import pytest
from sqlalchemy import select

from service.domain.tables import assert_in_step, conflicts, event_types, ledger
from service.domain.threads import at_once
from tandem.db.session import Database
from tandem.errors import Forbidden, NotFound
from tandem.records.models import Record
from tandem.screening.decisions import NoDecision
from tandem.screening.lease_models import Lease
from tandem.screening.ledger.loading import IsDuplicate
from tandem.screening.models import ConflictState
from tandem.screening.rules import Status, Verdict
from world import Person, Team, World

both_engines = pytest.mark.both_engines


@both_engines
def test_a_repeated_decision_changes_nothing(world: World, database: Database) -> None:
    team = world.team()
    said: dict[str, Any] = {
        "reasons": ["wrong population"],
        "labels": ["later"],
        "note": "see table 2",
    }

    first = world.decide(team.review_id, team.ann, 1, "exclude", seconds=12.5, **said)
    again = world.decide(team.review_id, team.ann, 1, "exclude", seconds=3.0, **said)

    assert (first.changed, again.changed) == (True, False)
    assert first.decision
    assert again.decision
    assert again.decision.id == first.decision.id
    assert again.status == first.status
    assert event_types(database, team.review_id) == ["decision.recorded"]
    assert len(ledger(database, team.review_id)) == 1
    assert_in_step(database, team.review_id)


@both_engines
def test_one_decision_sent_by_many_threads_is_one_decision(
    world: World, database: Database
) -> None:
    team = world.team()

    answers = at_once([lambda: world.decide(team.review_id, team.ann, 1, "include")] * 6)

    assert len({answer.decision.id for answer in answers if answer.decision}) == 1
    assert sum(answer.changed for answer in answers) == 1
    assert event_types(database, team.review_id) == ["decision.recorded"]


@pytest.mark.parametrize(
    "change", [{"reasons": ["wrong design"]}, {"labels": ["ask"]}, {"note": "changed my mind"}]
)
def test_other_reasons_labels_or_notes_are_another_decision(
    world: World, database: Database, change: dict[str, Any]
) -> None:
    team = world.team()
    world.decide(team.review_id, team.ann, 1, "exclude")

    assert world.decide(team.review_id, team.ann, 1, "exclude", **change).changed
    assert len(ledger(database, team.review_id)) == 2


@both_engines
def test_another_verdict_supersedes_and_the_history_stays(world: World, database: Database) -> None:
    team = world.team()
    world.decide(team.review_id, team.ann, 1, "include")
    world.decide(team.review_id, team.ben, 1, "include")

    world.decide(team.review_id, team.ann, 1, "exclude")

    assert [entry.verdict for entry in ledger(database, team.review_id)] == [
        Verdict.INCLUDE,
        Verdict.INCLUDE,
        Verdict.EXCLUDE,
    ]
    assert world.status(team.review_id, 1) is Status.CONFLICT
    assert event_types(database, team.review_id) == [
        "decision.recorded",
        "decision.recorded",
        "record.included",
        "decision.recorded",
        "record.reopened",
        "conflict.opened",
    ]
    assert_in_step(database, team.review_id)


def test_from_included_to_excluded_it_is_reopened_in_between(
    world: World, database: Database
) -> None:
    team = world.team(policy={"reviewers_per_record": 1})
    world.decide(team.review_id, team.ann, 1, "include")
    world.decide(team.review_id, team.ann, 1, "exclude")

    assert event_types(database, team.review_id) == [
        "decision.recorded",
        "record.included",
        "decision.recorded",
        "record.reopened",
        "record.excluded",
    ]
    assert_in_step(database, team.review_id)


@both_engines
def test_a_withdrawn_decision_counts_no_more_but_stays_in_the_ledger(
    world: World, database: Database
) -> None:
    team = world.team()
    world.decide(team.review_id, team.ann, 1, "include")
    world.decide(team.review_id, team.ben, 1, "include")

    withdrawn = world.withdraw(team.review_id, team.ann, 1)

    assert (withdrawn.decision, withdrawn.changed) == (None, True)
    assert withdrawn.status == Status.UNSCREENED
    assert world.status(team.review_id, 1) is Status.AWAITING
    entries = ledger(database, team.review_id)
    assert [(entry.reviewer_id, entry.verdict) for entry in entries] == [
        (team.ann.id, Verdict.INCLUDE),
        (team.ben.id, Verdict.INCLUDE),
        (team.ann.id, None),
    ]
    assert event_types(database, team.review_id)[-2:] == ["decision.withdrawn", "record.reopened"]
    assert_in_step(database, team.review_id)


def test_the_only_decision_withdrawn_leaves_the_record_unscreened(
    world: World, database: Database
) -> None:
    team = world.team()
    world.decide(team.review_id, team.ann, 1, "include")
    world.withdraw(team.review_id, team.ann, 1)

    assert world.status(team.review_id, 1) is Status.UNSCREENED
    assert_in_step(database, team.review_id)


def test_after_withdrawing_the_same_verdict_is_a_new_decision(
    world: World, database: Database
) -> None:
    team = world.team()
    world.decide(team.review_id, team.ann, 1, "include")
    world.withdraw(team.review_id, team.ann, 1)

    assert world.decide(team.review_id, team.ann, 1, "include").changed
    assert len(ledger(database, team.review_id)) == 3
    assert_in_step(database, team.review_id)


def test_nobody_withdraws_what_they_have_not_decided(world: World, database: Database) -> None:
    team = world.team()
    world.decide(team.review_id, team.ben, 1, "include")

    with pytest.raises(NoDecision) as refused:
        world.withdraw(team.review_id, team.ann, 1)

    assert refused.value.code == "no_decision"
    assert event_types(database, team.review_id) == ["decision.recorded"]


@both_engines
def test_a_late_third_decision_is_accepted_and_counts(world: World, database: Database) -> None:
    team = world.team()
    world.decide(team.review_id, team.ann, 1, "include")
    world.decide(team.review_id, team.ben, 1, "include")

    assert world.decide(team.review_id, team.eve, 1, "exclude").changed

    assert world.status(team.review_id, 1) is Status.CONFLICT
    assert [conflict.state for conflict in conflicts(database, team.review_id)] == [
        ConflictState.OPEN
    ]
    assert_in_step(database, team.review_id)


@both_engines
def test_a_duplicate_is_not_decided_but_the_record_it_is_shown_as(
    world: World, database: Database
) -> None:
    team = world.team(n_records=2)
    with database.write.begin() as session:
        session.get_one(Record, (team.review_id, 2)).duplicate_of = 1  # type: ignore[assignment]

    with pytest.raises(IsDuplicate, match="record 1") as refused:
        world.decide(team.review_id, team.ann, 2, "include")
    assert refused.value.code == "is_duplicate"
    with pytest.raises(IsDuplicate):
        world.withdraw(team.review_id, team.ann, 2)
    assert event_types(database, team.review_id) == []
    assert world.decide(team.review_id, team.ann, 1, "include").changed


@pytest.mark.parametrize("number", [0, 4, 2**31 - 1])
def test_an_unknown_record_is_not_found(world: World, database: Database, number: int) -> None:
    team = world.team(n_records=3)

    with pytest.raises(NotFound):
        world.decide(team.review_id, team.ann, number, "include")
    with pytest.raises(NotFound):
        world.withdraw(team.review_id, team.ann, number)
    assert event_types(database, team.review_id) == []


def test_an_observer_decides_nothing(world: World, database: Database) -> None:
    team = world.team()

    with pytest.raises(Forbidden):
        world.decide(team.review_id, team.observer, 1, "include")
    with pytest.raises(Forbidden):
        world.withdraw(team.review_id, team.observer, 1)
    assert event_types(database, team.review_id) == []


def test_to_a_stranger_the_review_does_not_exist(world: World) -> None:
    team, stranger = world.team(), world.person("stranger")

    with pytest.raises(NotFound):
        world.decide(team.review_id, stranger, 1, "include")


@pytest.mark.parametrize("who", ["owner", "judge", "ann"])
def test_everybody_above_an_observer_decides(world: World, who: str) -> None:
    team = world.team()
    person: Person = getattr(team, who)

    assert world.decide(team.review_id, person, 1, "include").changed


@both_engines
def test_a_decision_ends_the_lease_and_keeps_where_the_record_stood(
    world: World, database: Database
) -> None:
    team = world.team(n_records=3, policy={"reviewers_per_record": 1})
    ranking = world.rank(team.review_id, 2, 3, 1)
    world.serve(team.review_id, team.ann, limit=2)

    made = world.decide(team.review_id, team.ann, 3, "include").decision
    unserved = world.decide(team.review_id, team.ann, 1, "include").decision

    assert made
    assert unserved
    assert (made.rank, made.ranking_id) == (2, ranking.id)
    assert (unserved.rank, unserved.ranking_id) == (None, None)
    with database.read() as session:
        assert session.scalars(select(Lease.record_number)).all() == [2]


class TestInformed:
    """`informed`: another's verdict was open to the reviewer when they decided."""

    def informed(self, world: World, team: Team, person: Person, verdict: str) -> bool:
        decision = world.decide(team.review_id, person, 1, verdict).decision
        assert decision
        return decision.informed

    def test_first_decisions_of_blinded_reviewers_are_not(self, world: World) -> None:
        team = world.team()

        assert not self.informed(world, team, team.ann, "include")
        assert not self.informed(world, team, team.ben, "exclude")

    def test_who_comes_after_all_that_a_record_asks_for_is(self, world: World) -> None:
        """Whether it goes on to full text is known by then, and so what the others decided."""
        team = world.team()
        self.informed(world, team, team.ann, "include")
        self.informed(world, team, team.ben, "exclude")

        assert self.informed(world, team, team.eve, "include")

    def test_a_change_before_anything_was_open_is_not(self, world: World) -> None:
        team = world.team()
        self.informed(world, team, team.ann, "include")
        self.informed(world, team, team.ben, "exclude")  # a conflict, which stays closed to both

        assert not self.informed(world, team, team.ann, "exclude")

    def test_a_change_after_the_record_was_settled_is(self, world: World) -> None:
        team = world.team()
        self.informed(world, team, team.ann, "include")
        self.informed(world, team, team.ben, "include")

        assert self.informed(world, team, team.ann, "exclude")

    def test_a_late_first_decision_on_a_settled_record_is(self, world: World) -> None:
        """The record is at full text by then, which everybody can see."""
        team = world.team()
        self.informed(world, team, team.ann, "include")
        self.informed(world, team, team.ben, "include")

        assert self.informed(world, team, team.eve, "include")

    def test_a_change_in_a_conflict_that_the_policy_opened_to_its_voters_is(
        self, world: World
    ) -> None:
        team = world.team(policy={"resolution": "consensus"})
        self.informed(world, team, team.ann, "include")
        self.informed(world, team, team.ben, "exclude")

        assert self.informed(world, team, team.ann, "exclude")

    def test_settled_by_oneself_alone_it_is_not(self, world: World) -> None:
        team = world.team(policy={"reviewers_per_record": 1})
        self.informed(world, team, team.ann, "include")

        assert not self.informed(world, team, team.ann, "exclude")

    def test_without_blinding_every_decision_after_the_first_is(self, world: World) -> None:
        team = world.team(policy={"blind": False})

        assert not self.informed(world, team, team.ann, "include")
        assert self.informed(world, team, team.ben, "include")

    def test_who_sees_all_is_always_informed_once_another_has_decided(self, world: World) -> None:
        team = world.team()

        assert not self.informed(world, team, team.owner, "include")
        assert self.informed(world, team, team.judge, "include")

    def test_withdrawing_first_does_not_wash_it_off(self, world: World) -> None:
        team = world.team()
        self.informed(world, team, team.ann, "include")
        self.informed(world, team, team.ben, "include")
        world.withdraw(team.review_id, team.ann, 1)

        assert self.informed(world, team, team.ann, "exclude")
        assert self.informed(world, team, team.ann, "include")

    def test_it_is_marked_on_the_new_entry_and_never_on_the_first(
        self, world: World, database: Database
    ) -> None:
        team = world.team()
        self.informed(world, team, team.ann, "include")
        self.informed(world, team, team.ben, "include")
        self.informed(world, team, team.ann, "exclude")

        assert [entry.informed for entry in ledger(database, team.review_id)] == [
            False,
            False,
            True,
        ]


def test_who_saw_the_outcome_stays_informed_after_it_was_reopened(world: World) -> None:
    team = world.team(n_records=1)
    world.decide(team.review_id, team.ann, 1, "include")
    world.decide(team.review_id, team.ben, 1, "include")  # settled: both are shown `included`
    world.decide(team.review_id, team.ben, 1, "exclude")  # a conflict: Ann is shown `done`

    changed = world.decide(team.review_id, team.ann, 1, "exclude")

    assert changed.decision is not None
    assert changed.decision.informed


def test_a_late_vote_on_a_settled_record_is_informed(world: World) -> None:
    team = world.team(n_records=1)
    world.decide(team.review_id, team.ann, 1, "include")
    world.decide(team.review_id, team.ben, 1, "include")

    late = world.decide(team.review_id, team.eve, 1, "exclude")

    assert late.decision is not None
    assert late.decision.informed
