"""Members who leave: what becomes of their decisions and of open conflicts."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from service.domain.tables import assert_in_step, conflicts, events, ledger
from tandem.db.base import now
from tandem.errors import Forbidden, NotFound
from tandem.records.imports import Found
from tandem.records.origin import FoundBy
from tandem.reviews import members
from tandem.reviews.models import Role
from tandem.reviews.policy import Stage
from tandem.screening.lease_models import Lease
from tandem.screening.models import Exposure, Resolution
from tandem.screening.rules import Status, Verdict
from tandem.screening.team import membership, removal
from tandem.screening.team.removal import Departure
from world import Person, Team, World

pytestmark = pytest.mark.both_engines


def leave(
    world: World,
    team: Team,
    person: Person,
    fate: str = "void",
    since: Any = None,
    *,
    by: Person | None = None,
) -> Departure:
    with world.entered(team.review_id, by or team.owner) as (session, review, viewer):
        return removal.leave(
            session,
            review=review,
            viewer=viewer,
            user_id=person.id,
            decisions=fate,  # type: ignore[arg-type]  # one of two words
            since=since,
        )


def test_what_somebody_saw_is_noted_by_one_statement_for_each_stage(world: World) -> None:
    """Of what an earlier statement has written PostgreSQL knows no numbers, and reads all of it."""
    team = world.team(n_records=3)
    for person in (team.ann, team.ben):
        world.decide(team.review_id, person, 1, "include")
    world.merge(team.review_id, team.owner, 1, 2)
    noting: list[str] = []

    def note(*said: Any) -> None:
        if said[2].startswith("INSERT INTO exposure"):
            noting.append(said[2])

    event.listen(world.database.engine, "before_cursor_execute", note)
    try:
        leave(world, team, team.ann, "keep")
    finally:
        event.remove(world.database.engine, "before_cursor_execute", note)

    assert len(noting) == len(Stage)
    with world.database.read() as session:
        seen = session.scalars(
            select(Exposure.record_number).where(Exposure.user_id == team.ann.id)
        )
        assert sorted(seen) == [1, 2]


class TestDepartures:
    def test_kept_decisions_count_on(self, world: World) -> None:
        team = world.team()
        for person in (team.ann, team.ben):
            world.decide(team.review_id, person, 1, "exclude")

        removed = leave(world, team, team.ann, "keep")

        assert (removed.n_decisions_voided, removed.moved) == (0, [])
        assert world.status(team.review_id, 1) is Status.EXCLUDED
        assert_in_step(world.database, team.review_id)

    def test_voided_decisions_are_withdrawn_by_the_owner_and_judged_again(
        self, world: World
    ) -> None:
        team = world.team()
        for number, ben in ((1, "exclude"), (2, "include")):
            world.decide(team.review_id, team.ann, number, "exclude")
            world.decide(team.review_id, team.ben, number, ben)
        world.decide(team.review_id, team.ann, 3, "maybe", reasons=["late"])

        removed = leave(world, team, team.ann)

        assert removed.n_decisions_voided == 3
        assert [(m.record_number, m.before, m.after) for m in removed.moved] == [
            (1, Status.EXCLUDED, Status.AWAITING),
            (2, Status.CONFLICT, Status.AWAITING),
            (3, Status.AWAITING, Status.UNSCREENED),
        ]
        assert (removed.n_conflicts_opened, removed.n_conflicts_closed) == (0, 1)
        voided = ledger(world.database, team.review_id)[-3:]
        assert all(
            (e.reviewer_id, e.verdict, e.entered_by) == (team.ann.id, None, team.owner.id)
            for e in voided
        )
        assert_in_step(world.database, team.review_id)
        with world.database.read() as session, pytest.raises(NotFound):
            members.get_member(session, team.review_id, team.ann.id)

    def test_only_what_was_decided_since_then_is_voided(self, world: World) -> None:
        team = world.team()
        world.decide(team.review_id, team.ann, 1, "include")
        world.decide(team.review_id, team.ann, 2, "include")
        between = now()
        world.decide(team.review_id, team.ann, 2, "exclude")
        world.decide(team.review_id, team.ann, 3, "exclude")

        removed = leave(world, team, team.ann, since=between)

        assert removed.n_decisions_voided == 2
        statuses = [world.status(team.review_id, number) for number in (1, 2, 3)]
        assert statuses == [Status.AWAITING, Status.AWAITING, Status.UNSCREENED]
        assert removed.n_awaiting == 2
        world.decide(team.review_id, team.ben, 2, "include")
        assert world.status(team.review_id, 2) is Status.INCLUDED
        assert_in_step(world.database, team.review_id)

    def test_what_was_said_before_counts_again_with_all_that_was_said(self, world: World) -> None:
        team = world.team()
        world.decide(team.review_id, team.ann, 1, "exclude", reasons=["design"], note="first")
        world.decide(team.review_id, team.ann, 2, "include")
        world.withdraw(team.review_id, team.ann, 2)
        between = now()
        world.decide(team.review_id, team.ann, 1, "exclude", reasons=["design"], labels=["later"])
        world.decide(team.review_id, team.ann, 2, "exclude")

        leave(world, team, team.ann, since=between)

        *_, entry = (e for e in ledger(world.database, team.review_id) if e.record_number == 1)
        assert entry.verdict is Verdict.EXCLUDE
        assert (entry.reasons, entry.note, entry.labels) == (["design"], "first", [])
        assert (entry.entered_by, entry.carried_from) == (team.owner.id, None)
        assert world.status(team.review_id, 1) is Status.AWAITING
        assert world.status(team.review_id, 2) is Status.UNSCREENED
        assert_in_step(world.database, team.review_id)

    @pytest.mark.both_engines
    def test_of_a_vote_changed_on_a_record_that_is_linked_since_the_one_before_counts(
        self, world: World
    ) -> None:
        team = world.team(n_records=4)
        for person in (team.ben, team.eve):
            world.decide(team.review_id, person, 1, "include")  # it is the one that is shown
        world.decide(team.review_id, team.ann, 2, "include", note="first")
        between = now()
        world.decide(team.review_id, team.ann, 2, "exclude")
        world.merge(team.review_id, team.owner, 1, 2)

        leave(world, team, team.ann, since=between)

        *_, entry = (e for e in ledger(world.database, team.review_id) if e.record_number == 1)
        assert (entry.reviewer_id, entry.verdict) == (team.ann.id, Verdict.INCLUDE)
        assert (entry.note, entry.carried_from) == ("first", 2)
        assert world.status(team.review_id, 1) is Status.INCLUDED
        assert_in_step(world.database, team.review_id)

    def test_what_was_carried_counts_from_when_it_was_said(self, world: World) -> None:
        team = world.team(n_records=4)
        for number in (1, 3):  # which makes them the ones that are shown
            for person in (team.ben, team.eve):
                world.decide(team.review_id, person, number, "include")
        world.decide(team.review_id, team.ann, 2, "exclude")
        between = now()
        world.decide(team.review_id, team.ann, 4, "exclude")
        world.merge(team.review_id, team.owner, 1, 2)
        world.merge(team.review_id, team.owner, 3, 4)

        removed = leave(world, team, team.ann, since=between)

        assert removed.n_decisions_voided == 1
        assert [moved.record_number for moved in removed.moved] == [3]
        assert removed.n_conflicts_closed == 1
        assert world.status(team.review_id, 1) is Status.CONFLICT
        assert_in_step(world.database, team.review_id)

    def test_voided_votes_do_not_come_back_when_records_are_parted(self, world: World) -> None:
        team = world.team()
        for person in (team.ben, team.eve):
            world.decide(team.review_id, person, 1, "include")
        world.decide(team.review_id, team.ann, 2, "exclude")
        group = world.merge(team.review_id, team.owner, 1, 2)
        assert world.status(team.review_id, 1) is Status.CONFLICT
        leave(world, team, team.ann)
        assert world.status(team.review_id, 1) is Status.INCLUDED

        world.split(team.review_id, team.owner, group)

        assert world.status(team.review_id, 1) is Status.INCLUDED
        assert world.status(team.review_id, 2) is Status.UNSCREENED
        assert_in_step(world.database, team.review_id)

    def test_a_resolution_goes_on_standing(self, world: World) -> None:
        team = world.team()
        world.decide(team.review_id, team.ann, 1, "exclude")
        world.decide(team.review_id, team.ben, 1, "include")
        world.resolve(team.review_id, team.judge, 1, "include")

        leave(world, team, team.ann)

        assert world.status(team.review_id, 1) is Status.INCLUDED
        with world.database.read() as session:
            (standing,) = session.scalars(select(Resolution)).all()
            assert standing.taken_back_at is None
            assert not standing.is_set_aside
        assert_in_step(world.database, team.review_id)

    def test_what_is_screened_no_more_waits_for_nobody(self, world: World) -> None:
        team = world.team()
        world.decide(team.review_id, team.ann, 1, "exclude")
        world.decide(team.review_id, team.ben, 1, "include")
        world.decide(team.review_id, team.ann, 2, "include")
        found = Found(FoundBy.PREVIOUS)
        earlier = world.records(team.review_id, team.owner, 2, found=found)
        for number, report in zip((1, 2), earlier, strict=True):
            world.merge(team.review_id, team.owner, number, report)

        removed = leave(world, team, team.ann, "keep")

        assert (removed.n_open_conflicts, removed.n_nobody_may_settle) == (0, 0)
        assert removed.n_awaiting == 0

    def test_an_open_conflict_of_who_left_is_settled_as_any_other(self, world: World) -> None:
        team = world.team()
        world.decide(team.review_id, team.ann, 1, "exclude")
        world.decide(team.review_id, team.ben, 1, "include")

        removed = leave(world, team, team.ann, "keep")
        world.resolve(team.review_id, team.judge, 1, "exclude")

        assert (removed.n_open_conflicts, removed.n_nobody_may_settle) == (1, 0)
        assert world.status(team.review_id, 1) is Status.EXCLUDED

    def test_conflicts_that_nobody_left_may_settle_are_counted(self, world: World) -> None:
        team = world.team()
        leave(world, team, team.judge, "keep")
        world.decide(team.review_id, team.ann, 1, "exclude")
        world.decide(team.review_id, team.owner, 1, "include")

        removed = leave(world, team, team.ann, "keep")

        assert (removed.n_open_conflicts, removed.n_nobody_may_settle) == (1, 1)
        # The ways out that the preview names: another rule, or another adjudicator.
        with world.entered(team.review_id, team.owner) as (session, review, viewer):
            membership.put(
                session, review=review, viewer=viewer, user_id=team.ben.id, role=Role.ADJUDICATOR
            )
        world.resolve(team.review_id, team.ben, 1, "exclude")
        assert world.status(team.review_id, 1) is Status.EXCLUDED

    def test_so_are_those_that_only_the_adjudicator_who_leaves_could_settle(
        self, world: World
    ) -> None:
        team = world.team()
        for number in (1, 2):
            world.decide(team.review_id, team.ann, number, "exclude")
        world.decide(team.review_id, team.owner, 1, "include")
        world.decide(team.review_id, team.ben, 2, "include")

        removed = leave(world, team, team.judge, "keep")

        # The owner has voted on the first, and may settle the second.
        assert (removed.n_open_conflicts, removed.n_nobody_may_settle) == (0, 1)

    def test_decisions_of_people_who_are_no_members_can_be_voided(self, world: World) -> None:
        team = world.team()
        world.decide(team.review_id, team.ann, 1, "exclude")
        leave(world, team, team.ann, "keep")

        with pytest.raises(NotFound):
            leave(world, team, team.ann, "keep")
        assert leave(world, team, team.ann, "void").n_decisions_voided == 1
        with pytest.raises(NotFound):
            leave(world, team, team.ann, "void")

    def test_the_last_owner_stays(self, world: World) -> None:
        team = world.team()
        world.decide(team.review_id, team.owner, 1, "exclude")
        with pytest.raises(members.LastOwner):
            leave(world, team, team.owner)
        assert world.status(team.review_id, 1) is Status.AWAITING

    def test_everybody_may_go_themselves_and_their_decisions_stay(self, world: World) -> None:
        team = world.team()
        world.decide(team.review_id, team.ann, 1, "include")
        world.serve(team.review_id, team.ann)

        leave(world, team, team.ann, "keep", by=team.ann)

        with world.database.read() as session:
            with pytest.raises(NotFound):
                members.get_member(session, team.review_id, team.ann.id)
            assert not session.scalars(select(Lease).where(Lease.user_id == team.ann.id)).all()
        assert world.status(team.review_id, 1) is Status.AWAITING
        (removed,) = [
            e for e in events(world.database, team.review_id) if e.type == "tandem.member.removed"
        ]
        assert (removed.subject, removed.detail["by"]) == (str(team.ann.id), str(team.ann.id))

    @pytest.mark.parametrize("who", ["ann", "judge"])
    def test_who_goes_voids_nothing(self, world: World, who: str) -> None:
        team = world.team()
        person: Person = getattr(team, who)
        world.decide(team.review_id, person, 1, "include")
        with pytest.raises(Forbidden, match="void"):
            leave(world, team, person, by=person)
        assert world.status(team.review_id, 1) is Status.AWAITING

    def test_only_owners_remove(self, world: World) -> None:
        team = world.team()
        with (
            pytest.raises(Forbidden),
            world.entered(team.review_id, team.judge) as (session, review, viewer),
        ):
            removal.leave(
                session,
                review=review,
                viewer=viewer,
                user_id=team.ann.id,
                decisions="keep",
                since=None,
            )


def test_who_is_switched_off_settles_nothing(world: World) -> None:
    team = world.team()
    for person, verdict in ((team.ann, "exclude"), (team.ben, "include"), (team.owner, "exclude")):
        world.decide(team.review_id, person, 1, verdict)
    world.switch_off(team.judge)

    assert leave(world, team, team.ann, "keep").n_nobody_may_settle == 1


def test_a_conflict_that_voiding_closes_is_an_event(world: World) -> None:
    team = world.team()
    world.decide(team.review_id, team.ann, 1, "exclude")
    world.decide(team.review_id, team.ben, 1, "include")
    leave(world, team, team.ann)
    (conflict,) = conflicts(world.database, team.review_id)
    assert conflict.resolved_by == "withdrawal"
    assert conflict.resolved_at is not None
    assert conflict.resolved_at - conflict.opened_at < timedelta(minutes=1)
