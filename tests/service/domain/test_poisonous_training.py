"""A training that fails is tried a few times, then parked until something else changes."""

from datetime import timedelta

import pytest

from service.domain.failing_work import Poison, fail_as_often_as_may_be, job, jobs, row_of
from service.domain.ranked_review import (
    MINUTE,
    RankedReview,
    about_sleep,
    is_stale,
    let_the_lease_run_out,
    let_the_pause_pass,
)
from tandem.config import Settings
from tandem.db.session import Database
from tandem.ranking import (
    rerank,
    training,
)
from tandem.work import attempts
from tandem.work.attempts import DIED, MOST_TRIES, WAITS
from tandem.work.jobs import JobKind, JobState
from world import TA, World

pytestmark = pytest.mark.both_engines


@pytest.mark.usefixtures("poison")
class TestPoisonousTraining:
    def test_it_is_parked_after_five_tries_with_the_cause_kept(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)
        fail_as_often_as_may_be(ranked_review, team.review_id)

        parked = job(database)
        assert (parked.kind, parked.state) == (JobKind.RANKING, JobState.PARKED)
        assert (parked.attempts, parked.is_over) == (MOST_TRIES, True)
        assert parked.cause == "Poison: the third record is too much"
        assert parked.worker == attempts.this_worker()
        assert not is_stale(database, team.review_id), "nobody is asked to try it again"
        assert ranked_review.rerank(team.review_id) == 0

    def test_each_try_waits_longer_than_the_one_before(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)
        waited = []
        for _ in range(MOST_TRIES - 1):
            with pytest.raises(Poison):
                ranked_review.rerank(team.review_id)
            failed = job(database)
            assert failed.state is JobState.FAILED
            assert failed.next_try_at is not None
            waited.append(failed.next_try_at - failed.since)
            assert not is_stale(database, team.review_id)
            let_the_pause_pass(database, team.review_id)

        assert waited == list(WAITS)

    def test_a_new_decision_is_no_reason_to_try_it_again(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)
        fail_as_often_as_may_be(ranked_review, team.review_id)
        world.decide(team.review_id, team.ann, 1, "include")

        assert not is_stale(database, team.review_id)

    @pytest.mark.parametrize("change", ["records", "policy"])
    def test_other_records_or_another_policy_are(
        self, change: str, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)
        fail_as_often_as_may_be(ranked_review, team.review_id)
        if change == "records":
            world.records(team.review_id, team.owner, 1)
        else:
            world.change_policy(team.review_id, team.owner, reviewers_per_record=1)

        assert job(database).state is JobState.QUEUED
        assert is_stale(database, team.review_id)
        with pytest.raises(Poison):
            ranked_review.rerank(team.review_id)
        assert row_of(database, team.review_id).attempts == 1, "with all its tries before it"

    def test_what_succeeds_counts_from_the_beginning_again(
        self,
        world: World,
        database: Database,
        ranked_review: RankedReview,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        team = about_sleep(world)
        for _ in range(MOST_TRIES - 1):
            with pytest.raises(Poison):
                ranked_review.rerank(team.review_id)
            let_the_pause_pass(database, team.review_id)
        monkeypatch.undo()

        assert ranked_review.rerank(team.review_id) == 1
        row = row_of(database, team.review_id)
        assert (row.attempts, row.cause) == (0, None)
        assert jobs(database) == []

    def test_one_review_holds_no_other_back(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        parked, other = about_sleep(world), world.team()
        fail_as_often_as_may_be(ranked_review, parked.review_id)

        assert is_stale(database, other.review_id)
        states = {one.review_id: one.state for one in jobs(database)}
        assert states == {parked.review_id: JobState.PARKED, other.review_id: JobState.QUEUED}


def test_a_ranking_that_cannot_be_stored_tells_why(
    world: World, database: Database, ranked_review: RankedReview, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("no space left on device")

    team = about_sleep(world)
    monkeypatch.setattr(rerank, "_drop_old_orders", fail)
    with pytest.raises(OSError, match="no space"):
        ranked_review.rerank(team.review_id)

    failed = job(database)
    assert (failed.state, failed.cause) == (JobState.FAILED, "OSError: no space left on device")


def test_a_training_that_kills_its_worker_each_time_is_parked(
    world: World, database: Database
) -> None:
    team = world.team()
    for number in range(1, MOST_TRIES + 1):
        assert training.claim(database, team.review_id, TA, lasting=MINUTE), number
        assert training.claim(database, team.review_id, TA, lasting=MINUTE) is None
        let_the_lease_run_out(database, team.review_id)  # as after kill -9

    assert is_stale(database, team.review_id), "somebody has to look once more"
    assert training.claim(database, team.review_id, TA, lasting=MINUTE) is None
    parked = job(database)
    assert (parked.state, parked.cause) == (JobState.PARKED, DIED)
    assert not is_stale(database, team.review_id)


def test_two_killed_workers_cost_no_more_than_their_leases(
    world: World, database: Database, settings: Settings
) -> None:
    lease = timedelta(seconds=settings.ranking_lease_seconds)
    team = world.team()
    for _ in range(2):
        assert training.claim(database, team.review_id, TA, lasting=lease)
        row = row_of(database, team.review_id)
        assert row.lease_until is not None
        assert row.not_before is not None
        assert row.not_before <= row.lease_until
        let_the_lease_run_out(database, team.review_id)


def test_who_has_to_stop_in_the_midst_counts_for_nothing(world: World, database: Database) -> None:
    team = world.team()
    for _ in range(2 * MOST_TRIES):
        held = training.claim(database, team.review_id, TA, lasting=MINUTE)
        assert held
        training.give_back(database, held)

    assert row_of(database, team.review_id).attempts == 0
