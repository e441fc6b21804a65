"""Conflicts that votes end, not a resolution."""

import pytest

from service.domain.tables import assert_in_step, event_types
from service.domain.two_voters import differ, only
from tandem.db.session import Database
from tandem.screening.conflicts.service import (
    AlreadyResolved,
)
from tandem.screening.models import ConflictState, ResolvedBy
from tandem.screening.rules import ConflictKind, Status
from world import World


class TestEndingByVotes:
    @pytest.mark.both_engines
    def test_agreement_closes_it(self, world: World, database: Database) -> None:
        team = world.team()
        differ(world, team)

        world.decide(team.review_id, team.ben, 1, "include")

        found = only(database, team.review_id)
        assert (found.state, found.resolved_by) == (ConflictState.RESOLVED, ResolvedBy.AGREEMENT)
        assert world.status(team.review_id, 1) is Status.INCLUDED
        assert_in_step(database, team.review_id)

    @pytest.mark.both_engines
    def test_a_withdrawal_closes_it_and_a_new_difference_reopens_the_same(
        self, world: World, database: Database
    ) -> None:
        team = world.team()
        opened = differ(world, team)

        world.withdraw(team.review_id, team.ben, 1)
        closed = only(database, team.review_id)
        world.decide(team.review_id, team.eve, 1, "exclude")
        again = only(database, team.review_id)

        assert (closed.state, closed.resolved_by) == (
            ConflictState.RESOLVED,
            ResolvedBy.WITHDRAWAL,
        )
        assert (again.id, again.state) == (opened.id, ConflictState.OPEN)
        assert [
            kind for kind in event_types(database, team.review_id) if kind.startswith("conflict.")
        ] == [
            "conflict.opened",
            "conflict.resolved",
            "conflict.reopened",
        ]
        assert_in_step(database, team.review_id)

    def test_reopened_it_says_what_the_votes_differ_in_now(
        self, world: World, database: Database
    ) -> None:
        team = world.team(policy={"maybe": "conflict"})
        differ(world, team)
        world.withdraw(team.review_id, team.ben, 1)
        world.decide(team.review_id, team.ben, 1, "maybe")

        assert only(database, team.review_id).kind is ConflictKind.MAYBE
        assert_in_step(database, team.review_id)

    def test_a_withdrawal_that_leaves_agreement_settles_the_record(
        self, world: World, database: Database
    ) -> None:
        team = world.team()
        differ(world, team)
        world.decide(team.review_id, team.eve, 1, "include")

        world.withdraw(team.review_id, team.ben, 1)

        assert world.status(team.review_id, 1) is Status.INCLUDED
        assert only(database, team.review_id).state is ConflictState.RESOLVED

    def test_a_closed_conflict_cannot_be_settled(self, world: World) -> None:
        team = world.team()
        differ(world, team)
        world.decide(team.review_id, team.ben, 1, "include")

        with pytest.raises(AlreadyResolved):
            world.resolve(team.review_id, team.judge, 1, "exclude")
