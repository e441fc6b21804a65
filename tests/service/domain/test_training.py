"""From a changed label to a new order: claims, fences, and which orders are published."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from service.domain.ranked_review import (
    HOUR,
    MINUTE,
    RankedReview,
    about_sleep,
    ask_again,
    ask_otherwise,
    edit_training,
    is_stale,
    labels_seq,
    let_the_lease_run_out,
    let_the_pause_pass,
    newest,
    order_of,
    seed,
    settle_all,
)
from service.domain.tables import events
from service.domain.threads import at_once
from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import ReviewId
from tandem.ranking import from_ledger, pace, rerank, training
from tandem.ranking.from_ledger import MadeRanking
from tandem.ranking.models import Ranking, Training
from tandem.ranking.rerank import KEPT_ORDERS
from tandem.work import lease
from world import TA, Team, World

pytestmark = pytest.mark.both_engines


class TestClaim:
    def test_of_many_who_claim_at_once_one_gets_it(self, world: World, database: Database) -> None:
        team = world.team()

        claims = at_once([lambda: training.claim(database, team.review_id, TA, lasting=MINUTE)] * 8)

        assert sum(claim is not None for claim in claims) == 1

    def test_it_is_free_again_when_its_holder_gave_it_back(
        self, world: World, database: Database
    ) -> None:
        team = world.team()
        first = training.claim(database, team.review_id, TA, lasting=MINUTE)
        assert first
        training.give_back(database, first)

        assert training.claim(database, team.review_id, TA, lasting=MINUTE)

    def test_who_lost_the_lease_is_fenced_off_and_the_newer_wins(
        self, world: World, database: Database
    ) -> None:
        team = world.team()
        old = training.claim(database, team.review_id, TA, lasting=MINUTE)
        let_the_lease_run_out(database, team.review_id)
        new = training.claim(database, team.review_id, TA, lasting=MINUTE)
        assert old
        assert new
        seq = labels_seq(database, team.review_id)

        with database.write.begin() as session:
            late = training.finish(session, old, labels_seq=seq, not_before=now())
        with database.write.begin() as session:
            in_time = training.finish(session, new, labels_seq=seq, not_before=now())

        assert (late, in_time) == (False, True)

    def test_who_lost_it_cannot_renew_or_release_it(self, world: World, database: Database) -> None:
        team = world.team()
        old = training.claim(database, team.review_id, TA, lasting=MINUTE)
        let_the_lease_run_out(database, team.review_id)
        new = training.claim(database, team.review_id, TA, lasting=MINUTE)
        assert old
        assert new

        training.give_back(database, old)

        assert training.claim(database, team.review_id, TA, lasting=MINUTE) is None

    def test_an_older_training_never_replaces_a_newer(
        self, world: World, database: Database
    ) -> None:
        team = world.team()
        held = training.claim(database, team.review_id, TA, lasting=MINUTE)
        assert held
        seq = labels_seq(database, team.review_id)

        with database.write.begin() as session:
            assert training.finish(session, held, labels_seq=seq, not_before=now())
        with database.write.begin() as session:
            assert not training.finish(session, held, labels_seq=seq - 1, not_before=now())

    def test_nothing_is_claimed_where_nothing_is_due(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)
        ranked_review.rerank(team.review_id)

        assert training.claim(database, team.review_id, TA, lasting=MINUTE) is None

    def test_during_the_pause_nobody_trains(self, world: World, database: Database) -> None:
        team = world.team()
        held = training.claim(database, team.review_id, TA, lasting=MINUTE)
        assert held
        with database.write.begin() as session:
            training.finish(session, held, labels_seq=1, not_before=now() + MINUTE)
        world.decide(team.review_id, team.ann, 1, "include")

        assert training.claim(database, team.review_id, TA, lasting=MINUTE) is None
        let_the_pause_pass(database, team.review_id)
        assert training.claim(database, team.review_id, TA, lasting=MINUTE)

    @pytest.mark.parametrize("what", ["lease_until", "not_before"])
    def test_a_clock_that_was_set_back_keeps_nobody_waiting(
        self, what: str, world: World, database: Database
    ) -> None:
        team = world.team()
        assert training.claim(database, team.review_id, TA, lasting=MINUTE)
        let_the_lease_run_out(database, team.review_id)
        in_an_hour = now() + HOUR

        edit_training(database, team.review_id, **{what: in_an_hour})
        assert not is_stale(database, team.review_id)
        edit_training(database, team.review_id, claimed_at=in_an_hour)

        assert is_stale(database, team.review_id)
        assert training.claim(database, team.review_id, TA, lasting=MINUTE)

    def test_while_one_works_the_lease_is_renewed(self, world: World, database: Database) -> None:
        team = world.team()
        short = timedelta(milliseconds=300)
        held = training.claim(database, team.review_id, TA, lasting=short)
        assert held

        with lease.renewed(database, held):
            given = lease_until(database, team.review_id)
            while lease_until(database, team.review_id) <= given:
                pass  # the test's time limit ends a wait in vain

        kept = lease_until(database, team.review_id)
        assert kept > given


def lease_until(database: Database, review_id: ReviewId) -> datetime:
    with database.read() as session:
        until = session.get_one(Training, (review_id, TA)).lease_until
    assert until is not None
    return until


class TestStaleReviews:
    def test_one_that_was_never_trained_is_stale(self, world: World, database: Database) -> None:
        team, empty = world.team(), world.review(world.person())

        assert is_stale(database, team.review_id)
        assert not is_stale(database, empty), "without records there is nothing to rank"

    def test_a_trained_one_is_not(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team, other = about_sleep(world), about_sleep(world)
        ranked_review.rerank(team.review_id)

        assert not is_stale(database, team.review_id)
        assert is_stale(database, other.review_id)

    def test_one_that_is_held_is_not_until_the_lease_runs_out(
        self, world: World, database: Database
    ) -> None:
        team = world.team()
        training.claim(database, team.review_id, TA, lasting=MINUTE)
        assert not is_stale(database, team.review_id)

        let_the_lease_run_out(database, team.review_id)
        assert is_stale(database, team.review_id)

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(lambda w, t: w.decide(t.review_id, t.ann, 3, "include"), id="a decision"),
            pytest.param(
                lambda w, t: w.decide(t.review_id, t.ann, 1, "exclude"), id="a correction"
            ),
            pytest.param(lambda w, t: w.withdraw(t.review_id, t.ann, 1), id="a withdrawal"),
            pytest.param(
                lambda w, t: w.resolve(t.review_id, t.judge, 2, "include"), id="a resolution"
            ),
            pytest.param(
                lambda w, t: w.change_policy(t.review_id, t.owner, maybe="conflict"), id="a policy"
            ),
            pytest.param(lambda w, t: w.records(t.review_id, t.owner, 1), id="new records"),
            pytest.param(lambda w, t: ask_again(w, t), id="being asked"),
            pytest.param(lambda w, t: ask_otherwise(w, t), id="another question"),
            pytest.param(lambda w, t: seed(w, t, "Naps and recall of words"), id="a seed study"),
        ],
    )
    def test_any_change_makes_it_stale_and_is_counted(
        self,
        world: World,
        database: Database,
        ranked_review: RankedReview,
        change: Callable[[World, Team], object],
    ) -> None:
        team = about_sleep(world)
        world.decide(team.review_id, team.ann, 1, "include")
        world.decide(team.review_id, team.ann, 2, "include")
        world.decide(team.review_id, team.ben, 2, "exclude")
        ranked_review.rerank(team.review_id)
        assert not is_stale(database, team.review_id)

        change(world, team)

        assert is_stale(database, team.review_id)
        assert ranked_review.rerank(team.review_id) == 1
        assert newest(database, team.review_id).labels_seq == labels_seq(database, team.review_id)
        assert not is_stale(database, team.review_id)

    def test_what_changes_nothing_does_not(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)
        world.decide(team.review_id, team.ann, 1, "include")
        ranked_review.rerank(team.review_id)

        world.decide(team.review_id, team.ann, 1, "include")
        seed(world, team)
        world.serve(team.review_id, team.ben)

        assert not is_stale(database, team.review_id)


class TestRerank:
    def test_an_update_is_an_event_with_its_counts(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)
        ranked_review.rerank(team.review_id)

        made, last = newest(database, team.review_id), events(database, team.review_id)[-1]
        assert (last.type, last.data) == (
            "tandem.ranking.updated",
            {
                "ranking_id": str(made.id),
                "stage": "title_abstract",
                "labels_seq": labels_seq(database, team.review_id),
            },
        )

    def test_many_changes_during_one_training_become_one_more(
        self,
        world: World,
        database: Database,
        ranked_review: RankedReview,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        team = about_sleep(world)
        seen = self.change_during_the_first(monkeypatch, lambda: settle_all(world, team))

        assert ranked_review.rerank(team.review_id) == 2
        assert seen == [0, 8], "each training learnt what there was when it began"
        assert newest(database, team.review_id).labels_seq == labels_seq(database, team.review_id)

    def test_many_changes_during_the_pause_become_one_more(
        self, world: World, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)
        to_come = iter([settle_all])

        def change() -> None:
            for do in to_come:
                do(world, team)

        made = ranked_review.rerank(team.review_id, during_the_pause=change)

        assert made == 2

    def test_the_pause_grows_while_changes_pour_in(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)
        ranked_review.rerank(team.review_id, during_the_pause=Bursts(world, team, pace.SLOWEST + 1))

        hours = [paused / HOUR for paused in ranked_review.paused]
        assert hours == pytest.approx([1, 2, 3, 4, 5, 6, 7, 8, 8, 8], abs=0.001)
        made = newest(database, team.review_id)
        assert made.labels_seq == labels_seq(database, team.review_id)

    def test_it_is_short_again_after_a_quiet_minute(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)
        ranked_review.rerank(team.review_id, during_the_pause=Bursts(world, team, 3))
        assert ranked_review.paused[-1] / HOUR == pytest.approx(4, abs=0.001)
        with database.write.begin() as session:
            session.execute(update(Ranking).values(created_at=now() - MINUTE))

        ask_again(world, team)
        ranked_review.rerank(team.review_id)

        assert ranked_review.paused[-1] / HOUR == pytest.approx(1, abs=0.001)

    def test_until_the_pause_is_over_the_worker_is_there_for_others(
        self, world: World, ranked_review: RankedReview
    ) -> None:
        busy, other = about_sleep(world), about_sleep(world)
        assert ranked_review.rerank_once(busy.review_id)
        ask_again(world, busy)

        assert ranked_review.rerank_once(busy.review_id) is None
        assert ranked_review.rerank_once(other.review_id)

    def test_one_who_was_overtaken_publishes_nothing(
        self,
        world: World,
        database: Database,
        ranked_review: RankedReview,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        team = about_sleep(world)
        overtaking: list[int] = []

        def overtake() -> None:
            let_the_lease_run_out(database, team.review_id)
            overtaking.append(ranked_review.rerank(team.review_id))

        self.change_during_the_first(monkeypatch, overtake)

        assert ranked_review.rerank(team.review_id) == 0
        assert overtaking == [1]
        types = [event.type for event in events(database, team.review_id)]
        assert types.count("tandem.ranking.updated") == 1

    def test_side_by_side_they_make_one_ranking_of_one_state(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)

        made = at_once([lambda: ranked_review.rerank(team.review_id)] * 4)

        assert sum(made) == 1

    def test_a_training_that_fails_is_free_for_the_next(
        self,
        world: World,
        database: Database,
        ranked_review: RankedReview,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        team = about_sleep(world)

        def fail() -> None:
            raise ZeroDivisionError

        self.change_during_the_first(monkeypatch, fail)

        with pytest.raises(ZeroDivisionError):
            ranked_review.rerank(team.review_id)
        assert not is_stale(database, team.review_id), "not at once"
        let_the_pause_pass(database, team.review_id)
        assert is_stale(database, team.review_id)
        assert ranked_review.rerank(team.review_id) == 1

    def test_only_the_newest_orders_are_kept(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)
        ranked_review.rerank(team.review_id)
        for _ in range(KEPT_ORDERS + 1):
            ask_again(world, team)
            ranked_review.rerank(team.review_id)

        with database.read() as session:
            kept = session.scalars(
                select(Ranking.numbers.is_not(None))
                .where(Ranking.review_id == team.review_id)
                .order_by(Ranking.labels_seq)
            ).all()
        assert [bool(has_order) for has_order in kept] == [False] * 2 + [True] * KEPT_ORDERS
        assert len(order_of(database, team.review_id)) == 8

    def test_of_other_reviews_no_order_is_dropped(
        self,
        world: World,
        database: Database,
        ranked_review: RankedReview,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(rerank, "KEPT_ORDERS", 1)
        one, other = about_sleep(world), about_sleep(world)
        for team in (one, other):
            ranked_review.rerank(team.review_id)

        with database.read() as session:
            n_kept = session.scalar(select(func.count()).where(Ranking.numbers.is_not(None)))
        assert n_kept == 2

    def change_during_the_first(
        self, monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]
    ) -> list[int]:
        """Do `change` while the next training is at work; return how many labels each learnt."""
        really, changes, n_labels = from_ledger.rank_review, [change], list[int]()

        def rank_review(*given: object) -> MadeRanking:
            made = really(*given)  # type: ignore[arg-type]
            n_labels.append(made.n_labels)
            if changes:
                changes.pop()()
            return made

        monkeypatch.setattr(from_ledger, "rank_review", rank_review)
        return n_labels


@dataclass
class Bursts:
    """Asks for another training in each of the next pauses."""

    world: World
    team: Team
    left: int

    def __call__(self) -> None:
        if self.left:
            self.left -= 1
            ask_again(self.world, self.team)
