"""Conflicts are resolved, by whom and how."""

from typing import Any

import pytest

from service.domain.tables import assert_in_step, event_types
from service.domain.threads import at_once
from service.domain.two_voters import differ, only, shown_to
from tandem.db.session import Database
from tandem.errors import Forbidden, NotFound
from tandem.ids import ConflictId, new_id
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from tandem.screening.conflicts.service import (
    AlreadyResolved,
    OwnConflict,
    resolve_conflict,
)
from tandem.screening.ledger.entries import ResolutionInput
from tandem.screening.models import Cause, ConflictState, ResolvedBy
from tandem.screening.rules import Status, Verdict
from world import Person, World


class TestResolving:
    @pytest.mark.both_engines
    @pytest.mark.parametrize(
        ("verdict", "status"), [("include", Status.INCLUDED), ("exclude", Status.EXCLUDED)]
    )
    def test_a_resolution_settles_the_record(
        self, world: World, database: Database, verdict: str, status: Status
    ) -> None:
        team = world.team()
        differ(world, team)

        world.resolve(team.review_id, team.judge, 1, verdict)

        assert world.status(team.review_id, 1) is status
        found = only(database, team.review_id)
        assert (found.state, found.resolved_by) == (ConflictState.RESOLVED, ResolvedBy.RESOLUTION)
        assert event_types(database, team.review_id)[-2:] == [
            "conflict.resolved",
            f"record.{status}",
        ]
        assert_in_step(database, team.review_id)

    def test_everything_said_of_it_is_kept(self, world: World, database: Database) -> None:
        team = world.team()
        found = differ(world, team)

        said = ResolutionInput(
            Verdict.EXCLUDE, ["wrong design"], "a letter", Cause.MISREAD, "Trials only"
        )
        with world.entered(team.review_id, team.owner) as (session, review, viewer):
            resolve_conflict(
                session, review=review, viewer=viewer, conflict_id=found.id, given=said
            )

        (shown,) = shown_to(world, team, team.judge)
        assert shown.resolution
        resolution = shown.resolution.resolution
        assert (resolution.verdict, resolution.reasons) == (Verdict.EXCLUDE, ["wrong design"])
        assert (resolution.note, resolution.cause) == ("a letter", Cause.MISREAD)
        assert resolution.criterion == "Trials only"
        assert (resolution.resolver_id, resolution.conflict_id) == (team.owner.id, found.id)

    def test_a_resolution_stands_against_later_votes(
        self, world: World, database: Database
    ) -> None:
        team = world.team()
        differ(world, team)
        world.resolve(team.review_id, team.judge, 1, "include")

        world.decide(team.review_id, team.ann, 1, "exclude")
        world.decide(team.review_id, team.eve, 1, "exclude")
        world.withdraw(team.review_id, team.ben, 1)

        assert world.status(team.review_id, 1) is Status.INCLUDED
        assert only(database, team.review_id).state is ConflictState.RESOLVED
        assert_in_step(database, team.review_id)

    def test_it_is_settled_only_once(self, world: World, database: Database) -> None:
        team = world.team()
        differ(world, team)
        world.resolve(team.review_id, team.judge, 1, "include")

        with pytest.raises(AlreadyResolved) as refused:
            world.resolve(team.review_id, team.owner, 1, "exclude")

        assert refused.value.code == "already_resolved"
        assert world.status(team.review_id, 1) is Status.INCLUDED

    @pytest.mark.both_engines
    def test_of_two_who_settle_it_at_once_one_is_refused(
        self, world: World, database: Database
    ) -> None:
        team = world.team()
        differ(world, team)

        def settle(person: Person, verdict: str) -> bool:
            try:
                world.resolve(team.review_id, person, 1, verdict)
            except AlreadyResolved:
                return False
            return True

        done = at_once(
            [lambda: settle(team.owner, "include"), lambda: settle(team.judge, "exclude")]
        )

        assert sorted(done) == [False, True]
        settled = Status.INCLUDED if done[0] else Status.EXCLUDED
        assert world.status(team.review_id, 1) is settled
        assert event_types(database, team.review_id).count("conflict.resolved") == 1

    @pytest.mark.parametrize("who", ["ann", "ben"])
    def test_a_voter_does_not_settle_their_own_conflict(self, world: World, who: str) -> None:
        team = world.team()
        differ(world, team)

        with pytest.raises(OwnConflict) as refused:
            world.resolve(team.review_id, getattr(team, who), 1, "include")
        assert refused.value.code == "own_conflict"

    def test_not_even_as_an_adjudicator(self, world: World) -> None:
        team = world.team()
        world.decide(team.review_id, team.judge, 1, "include")
        world.decide(team.review_id, team.ben, 1, "exclude")

        with pytest.raises(OwnConflict):
            world.resolve(team.review_id, team.judge, 1, "include")

    @pytest.mark.parametrize("who", ["ann", "ben"])
    def test_a_voter_does_where_the_policy_allows_it(self, world: World, who: str) -> None:
        team = world.team(policy={"voter_may_adjudicate": True})
        differ(world, team)

        world.resolve(team.review_id, getattr(team, who), 1, "include")

        assert world.status(team.review_id, 1) is Status.INCLUDED

    @pytest.mark.parametrize("policy", [{}, {"voter_may_adjudicate": True}])
    @pytest.mark.parametrize("who", ["eve", "observer"])
    def test_who_neither_voted_nor_adjudicates_may_not(
        self, world: World, who: str, policy: dict[str, Any]
    ) -> None:
        team = world.team(policy=policy)
        differ(world, team)

        with pytest.raises(Forbidden) as refused:
            world.resolve(team.review_id, getattr(team, who), 1, "include")
        assert refused.value.code == "forbidden"

    def test_a_voter_who_only_observes_by_now_may_not(self, world: World) -> None:
        team = world.team(policy={"voter_may_adjudicate": True})
        differ(world, team)
        with world.entered(team.review_id, team.owner) as (session, review, _):
            reviews.set_member(session, review, user_id=team.ann.id, role=Role.OBSERVER)

        with pytest.raises(Forbidden):
            world.resolve(team.review_id, team.ann, 1, "include")

    def test_of_another_review_it_cannot_be_settled(self, world: World) -> None:
        found, other = differ(world, world.team()), world.team()

        for conflict_id in (found.id, ConflictId(new_id())):
            with (
                pytest.raises(NotFound),
                world.entered(other.review_id, other.owner) as (session, review, viewer),
            ):
                resolve_conflict(
                    session,
                    review=review,
                    viewer=viewer,
                    conflict_id=conflict_id,
                    given=ResolutionInput(Verdict.INCLUDE),
                )
