from datetime import timedelta

import pytest
from sqlalchemy import update

from service.domain.threads import at_once
from tandem.db.base import now
from tandem.db.session import Database
from tandem.errors import Forbidden
from tandem.ids import RecordNumber
from tandem.records.models import Record
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from tandem.screening.lease_models import Lease
from tandem.screening.queue import service as queue
from tandem.screening.queue.service import Queue, QueueState
from world import TA, Person, Team, World

pytestmark = pytest.mark.both_engines

ALONE = {"reviewers_per_record": 1}
"""Nobody shares the queue: it goes by rank alone."""


def numbers(served: Queue) -> list[int]:
    return [item.record_number for item in served.items]


def served(world: World, team: Team, person: Person, limit: int = 1) -> list[int]:
    return numbers(world.serve(team.review_id, person, limit=limit))


def put_off(world: World, team: Team, person: Person, number: int) -> None:
    with world.entered(team.review_id, person) as (session, review, viewer):
        queue.put_off(
            session, review=review, viewer=viewer, record_number=RecordNumber(number), stage=TA
        )


def let_leases_run_out(database: Database, *people: Person) -> None:
    with database.write.begin() as session:
        session.execute(
            update(Lease)
            .where(Lease.user_id.in_([person.id for person in people]))
            .values(expires_at=now() - timedelta(seconds=1))
        )


class TestOrder:
    def test_the_best_come_first_with_where_they_stood(self, world: World) -> None:
        team = world.team(n_records=4, policy=ALONE)
        ranking = world.rank(team.review_id, 3, 1, 4, 2)

        found = world.serve(team.review_id, team.ann, limit=3)

        assert [
            (item.record_number, item.rank, item.score, item.ranking_id) for item in found.items
        ] == [(3, 1, 4.0, ranking.id), (1, 2, 3.0, ranking.id), (4, 3, 2.0, ranking.id)]

    def test_the_newest_ranking_counts(self, world: World) -> None:
        team = world.team(n_records=3, policy=ALONE)
        world.rank(team.review_id, 1, 2, 3)
        world.rank(team.review_id, 3, 2, 1)

        assert served(world, team, team.ann, 2) == [3, 2]

    def test_before_any_ranking_records_come_as_they_were_added(self, world: World) -> None:
        team = world.team(n_records=3)

        found = world.serve(team.review_id, team.ann, limit=3)

        assert numbers(found) == [1, 2, 3]
        assert {item.rank for item in found.items} == {None}

    def test_unranked_records_follow_the_ranked_ones(self, world: World) -> None:
        team = world.team(n_records=2)
        world.rank(team.review_id, 2, 1)
        world.records(team.review_id, team.owner, 2)

        found = world.serve(team.review_id, team.ann, limit=9)

        assert numbers(found) == [2, 1, 3, 4]
        assert [item.rank for item in found.items] == [1, 2, None, None]

    def test_far_behind_the_head_of_the_order_there_is_more(self, world: World) -> None:
        team = world.team(n_records=400, policy=ALONE)
        order = list(range(400, 0, -1))
        world.rank(team.review_id, *order)

        assert served(world, team, team.ann, 390) == order[:390]
        assert served(world, team, team.ben, 20) == order[390:]


class TestHolding:
    def test_asking_again_gives_the_same_and_renews_it(self, world: World) -> None:
        team = world.team(n_records=3)
        first = world.serve(team.review_id, team.ann, lasting=timedelta(minutes=1))
        again = world.serve(team.review_id, team.ann, lasting=timedelta(minutes=9))

        assert numbers(first) == numbers(again) == [1]
        longer = again.items[0].expires_at - first.items[0].expires_at
        assert longer > timedelta(minutes=7)

    def test_what_one_holds_comes_first_also_before_a_better_ranking(self, world: World) -> None:
        team = world.team(n_records=4, policy=ALONE)
        world.rank(team.review_id, 1, 2, 3, 4)
        served(world, team, team.ann, 2)
        world.rank(team.review_id, 4, 3, 2, 1)

        assert served(world, team, team.ann, 3) == [1, 2, 4]

    def test_two_may_hold_one_record_but_not_a_third(self, world: World) -> None:
        team = world.team(n_records=2)

        assert served(world, team, team.ann) == [1]
        assert served(world, team, team.ben) == [1]
        assert served(world, team, team.eve) == [2]

    def test_a_decision_leaves_one_place_less(self, world: World) -> None:
        team = world.team(n_records=2)
        world.decide(team.review_id, team.ann, 1, "include")

        assert served(world, team, team.ben) == [1]
        assert served(world, team, team.eve) == [2]

    def test_nobody_gets_again_what_they_have_decided(self, world: World) -> None:
        team = world.team(n_records=2)
        world.decide(team.review_id, team.ann, 1, "include")

        assert served(world, team, team.ann, 9) == [2]

    def test_who_withdrew_may_have_it_again(self, world: World) -> None:
        team = world.team(n_records=1)
        world.decide(team.review_id, team.ann, 1, "include")
        world.withdraw(team.review_id, team.ann, 1)

        assert served(world, team, team.ann) == [1]

    @pytest.mark.parametrize("verdict", ["include", "exclude"])
    def test_a_record_with_its_quota_is_never_served(self, world: World, verdict: str) -> None:
        team = world.team(n_records=2)
        world.decide(team.review_id, team.ann, 1, "include")
        world.decide(team.review_id, team.ben, 1, verdict)  # settled, or a conflict

        assert served(world, team, team.eve, 9) == [2]

    def test_nor_one_that_a_single_include_settled(self, world: World) -> None:
        policy = {"single_include_advances": True, "blind": False}
        team = world.team(n_records=2, policy=policy)
        world.decide(team.review_id, team.ann, 1, "include")

        assert served(world, team, team.eve, 9) == [2]

    @pytest.mark.parametrize("verdict", ["include", "exclude"])
    def test_while_blind_the_queue_does_not_tell_whether_one_did(
        self, world: World, verdict: str
    ) -> None:
        team = world.team(n_records=2, policy={"single_include_advances": True})
        world.decide(team.review_id, team.ann, 1, verdict)

        assert served(world, team, team.eve, 9) == [1, 2]

    def test_what_was_settled_while_one_held_it_is_gone_from_their_queue(
        self, world: World
    ) -> None:
        team = world.team(n_records=2)
        assert served(world, team, team.eve) == [1]
        world.decide(team.review_id, team.ann, 1, "include")
        world.decide(team.review_id, team.ben, 1, "include")

        assert served(world, team, team.eve, 9) == [2]

    def test_a_duplicate_is_never_served(self, world: World, database: Database) -> None:
        team = world.team(n_records=2)
        served(world, team, team.ben, 2)
        with database.write.begin() as session:
            session.get_one(Record, (team.review_id, 2)).duplicate_of = RecordNumber(1)

        assert served(world, team, team.ann, 9) == [1]
        assert served(world, team, team.ben, 9) == [1], "nor to who holds it"

    def test_a_lease_that_ran_out_leaves_its_place_to_others(
        self, world: World, database: Database
    ) -> None:
        team = world.team(n_records=1)
        served(world, team, team.ann)
        served(world, team, team.ben)
        assert served(world, team, team.eve) == []

        let_leases_run_out(database, team.ann)

        assert served(world, team, team.eve) == [1]
        assert served(world, team, team.ann) == [], "two others hold it now"

    def test_a_lease_that_ran_out_may_be_had_again(self, world: World, database: Database) -> None:
        team = world.team(n_records=2)
        world.rank(team.review_id, 1, 2)
        served(world, team, team.ann)
        let_leases_run_out(database, team.ann)
        newer = world.rank(team.review_id, 2, 1)

        again = world.serve(team.review_id, team.ann, limit=2)

        assert numbers(again) == [2, 1]
        assert {item.ranking_id for item in again.items} == {newer.id}

    def test_who_left_holds_nothing(self, world: World, database: Database) -> None:
        team = world.team(n_records=1)
        served(world, team, team.ann)
        served(world, team, team.ben)

        with database.write.begin() as session:
            queue.release_all(session, review_id=team.review_id, user_id=team.ann.id)

        assert served(world, team, team.eve) == [1]

    def test_an_observer_is_served_nothing(self, world: World) -> None:
        team = world.team()

        with pytest.raises(Forbidden):
            world.serve(team.review_id, team.observer)

    @pytest.mark.parametrize("quota", [1, 2, 3])
    def test_twenty_who_ask_at_once_never_get_more_than_a_record_needs(
        self, world: World, database: Database, quota: int
    ) -> None:
        team = world.team(n_records=30, policy={"reviewers_per_record": quota})
        reviewers = self.reviewers(world, team, 20)

        def ask(person: Person) -> list[int]:
            return served(world, team, person, 4)

        got = at_once([lambda person=person: ask(person) for person in reviewers])  # type: ignore[misc]

        assert all(len(set(found)) == len(found) for found in got)
        holders = [sum(number in found for found in got) for number in range(1, 31)]
        assert sum(holders) == min(20 * 4, 30 * quota)
        assert holders == sorted(holders, reverse=True), "the first are filled first"
        assert max(holders) == quota

    def reviewers(self, world: World, team: Team, n: int) -> list[Person]:
        people = world.people(*(f"reviewer{i}" for i in range(n)))
        with world.entered(team.review_id, team.owner) as (session, review, _):
            for person in people:
                reviews.set_member(session, review, user_id=person.id, role=Role.REVIEWER)
        return people


class TestPuttingOff:
    def test_what_was_put_off_comes_last(self, world: World) -> None:
        team = world.team(n_records=3)
        served(world, team, team.ann)
        put_off(world, team, team.ann, 1)

        assert served(world, team, team.ann) == [2]
        assert served(world, team, team.ann, 9) == [2, 3, 1]

    def test_the_longest_ago_first(self, world: World) -> None:
        team = world.team(n_records=3)
        served(world, team, team.ann, 3)
        for number in (3, 1, 2):
            put_off(world, team, team.ann, number)

        assert served(world, team, team.ann, 2) == [3, 1]

    def test_taken_up_again_it_is_held_like_any_other(self, world: World) -> None:
        team = world.team(n_records=2)
        served(world, team, team.ann, 2)
        put_off(world, team, team.ann, 1)
        assert served(world, team, team.ann, 2) == [2, 1]

        assert served(world, team, team.ann, 2) == [1, 2]

    def test_it_is_free_for_others_at_once(self, world: World) -> None:
        team = world.team(n_records=1)
        served(world, team, team.ann)
        served(world, team, team.ben)
        put_off(world, team, team.ann, 1)

        assert served(world, team, team.eve) == [1]
        assert served(world, team, team.ann) == [], "while two others hold it"

    def test_what_one_does_not_hold_cannot_be_put_off(self, world: World) -> None:
        team = world.team(n_records=2)
        put_off(world, team, team.ann, 1)

        assert served(world, team, team.ann) == [1]


class TestWhatRemains:
    def test_what_this_reviewer_can_still_decide_is_counted(self, world: World) -> None:
        team = world.team(n_records=5)
        world.decide(team.review_id, team.ann, 1, "include")
        for person in (team.ben, team.eve):
            world.decide(team.review_id, person, 2, "include")
        world.decide(team.review_id, team.ben, 3, "include")

        assert world.serve(team.review_id, team.ann, limit=2).remaining == 3
        assert world.serve(team.review_id, team.ben, limit=2).remaining == 3
        assert world.serve(team.review_id, team.judge).remaining == 4

    def test_a_withdrawal_gives_one_back(self, world: World) -> None:
        team = world.team(n_records=2)
        for person in (team.ann, team.ben):
            world.decide(team.review_id, person, 1, "include")
        assert world.serve(team.review_id, team.ann).remaining == 1

        world.withdraw(team.review_id, team.ann, 1)

        assert world.serve(team.review_id, team.ann).remaining == 2

    def test_a_duplicate_is_not_counted(self, world: World, database: Database) -> None:
        team = world.team(n_records=3)
        with database.write.begin() as session:
            session.get_one(Record, (team.review_id, 3)).duplicate_of = RecordNumber(1)

        assert world.serve(team.review_id, team.ann).remaining == 2

    def test_an_empty_review_is_empty(self, world: World) -> None:
        owner = world.person()
        found = world.serve(world.review(owner), owner)

        assert (found.items, found.remaining, found.state) == ([], 0, QueueState.EMPTY)

    def test_ready_waiting_finished(self, world: World) -> None:
        team = world.team(n_records=1, policy=ALONE)

        ready = world.serve(team.review_id, team.ann)
        waiting = world.serve(team.review_id, team.ben)
        world.decide(team.review_id, team.ann, 1, "include")
        finished = world.serve(team.review_id, team.ben)

        assert (numbers(ready), ready.remaining, ready.state) == ([1], 1, QueueState.READY)
        assert (numbers(waiting), waiting.remaining, waiting.state) == ([], 1, QueueState.WAITING)
        assert (numbers(finished), finished.remaining, finished.state) == (
            [],
            0,
            QueueState.FINISHED,
        )

    def test_who_has_decided_everything_is_finished_before_the_others(self, world: World) -> None:
        team = world.team(n_records=1)
        world.decide(team.review_id, team.ann, 1, "include")

        assert world.serve(team.review_id, team.ann).state is QueueState.FINISHED
        assert world.serve(team.review_id, team.ben).state is QueueState.READY
