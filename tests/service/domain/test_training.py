"""From a changed label to a new order: claims, fences, and what an order rests on."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select, update

from service.domain.ranked_review import (
    HOUR,
    MINUTE,
    SLEEP,
    SOIL,
    TEXTS,
    RankedReview,
    about_sleep,
    edit_training,
    is_stale,
    labels_seq,
    let_the_lease_run_out,
    let_the_pause_pass,
    newest,
    order_of,
    settle,
    settle_all,
)
from service.domain.tables import events
from service.domain.threads import at_once
from tandem.artifacts import Artifacts
from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import ReviewId
from tandem.ranking import feature_store, from_ledger, pace, rerank, serving, training
from tandem.ranking.feature_store import Corpus
from tandem.ranking.from_ledger import MadeRanking
from tandem.ranking.models import Ranking, Training
from tandem.ranking.rerank import KEPT_ORDERS
from tandem.reviews import service as reviews
from tandem.reviews import texts
from tandem.reviews.policy import Stage
from tandem.work import lease
from world import FT, TA, Team, World

pytestmark = pytest.mark.both_engines


@pytest.fixture
def ranked_review(database: Database, tmp_path: Path) -> RankedReview:
    return RankedReview(database, Artifacts(str(tmp_path / "artifacts")), tmp_path / "cache")


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


def ask_again(world: World, team: Team) -> None:
    with world.entered(team.review_id, team.owner) as (_, review, _):
        serving.ask_for_training(review)


def ask_otherwise(world: World, team: Team) -> None:
    with world.entered(team.review_id, team.owner) as (session, review, _):
        changes = {"question": "Soil, nitrogen, earthworms, fields"}
        texts.change(session, review, changes, by=team.owner.id)


def seed(world: World, team: Team, *given: str) -> None:
    with world.entered(team.review_id, team.owner) as (session, review, _):
        texts.change(session, review, {"seed_studies": [*given]}, by=team.owner.id)


class TestOrder:
    def test_text_first_then_a_model_once_there_are_labels_of_both_kinds(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)

        ranked_review.rerank(team.review_id)
        assert newest(database, team.review_id).kind == "text"
        assert sorted(order_of(database, team.review_id)) == list(range(1, 9))
        assert set(order_of(database, team.review_id)[:4]) == {2, 4, 6, 8}

        settle(world, team, 2, "include")
        ranked_review.rerank(team.review_id)
        assert newest(database, team.review_id).kind == "text", "one kind of label is not enough"

        settle(world, team, 1, "exclude")
        ranked_review.rerank(team.review_id)
        made = newest(database, team.review_id)
        assert (made.kind, made.n_labels, made.n_relevant, made.n_ranked) == ("model", 2, 1, 6)
        assert set(order_of(database, team.review_id)[:3]) == {4, 6, 8}

    def test_the_model_follows_the_reviewers_against_the_question(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)
        settle(world, team, 1, "include")
        settle(world, team, 2, "exclude")
        ranked_review.rerank(team.review_id)

        assert set(order_of(database, team.review_id)[:3]) == {3, 5, 7}

    def test_without_a_question_chance_decides_by_the_reviews_seed(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        orders: dict[int, list[int]] = {}
        for seed in (1, 1, 2, 3):
            team = about_sleep(world, question=None, seed=seed)
            ranked_review.rerank(team.review_id)
            assert newest(database, team.review_id).kind == "random"
            found = order_of(database, team.review_id)
            assert orders.setdefault(seed, found) == found, "the same seed, the same order"
        assert len({tuple(found) for found in orders.values()}) > 1

    def test_settled_records_leave_the_order_and_half_done_ones_stay(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)
        settle(world, team, 2, "include")
        settle(world, team, 1, "exclude")
        world.decide(team.review_id, team.ann, 3, "include")
        world.decide(team.review_id, team.ben, 3, "exclude")  # a conflict
        world.decide(team.review_id, team.ann, 4, "include")  # half done
        ranked_review.rerank(team.review_id)

        assert sorted(order_of(database, team.review_id)) == [4, 5, 6, 7, 8]
        assert newest(database, team.review_id).n_labels == 3, "the half-done one teaches later"

        world.change_policy(team.review_id, team.owner, ranking_learns_from="all")
        ranked_review.rerank(team.review_id)
        assert newest(database, team.review_id).n_labels == 4

    def test_a_half_done_record_stands_where_it_does_however_it_was_voted(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        places = []
        for verdict in ("include", "exclude"):
            team = about_sleep(world)
            settle(world, team, 2, "include")
            settle(world, team, 1, "exclude")
            world.decide(team.review_id, team.ann, 4, verdict)
            ranked_review.rerank(team.review_id)
            with database.read() as session:
                found = serving.newest_order(session, team.review_id, TA)
            scores = dict(zip(found.numbers.tolist(), found.scores.tolist(), strict=True))
            places.append(scores[4])

        assert places[0] == places[1]

    def test_a_withdrawn_record_comes_back(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)
        settle(world, team, 2, "include")
        ranked_review.rerank(team.review_id)
        assert 2 not in order_of(database, team.review_id)

        world.withdraw(team.review_id, team.ann, 2)
        ranked_review.rerank(team.review_id)

        assert 2 in order_of(database, team.review_id)

    def test_a_correction_turns_the_order_round(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)
        settle(world, team, 2, "include")
        settle(world, team, 1, "exclude")
        ranked_review.rerank(team.review_id)
        settle(world, team, 2, "exclude")
        settle(world, team, 1, "include")
        ranked_review.rerank(team.review_id)

        assert set(order_of(database, team.review_id)[:3]) == {3, 5, 7}

    def test_a_corrected_click_leaves_no_trace(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        made = []
        for first_clicks in (["exclude", "maybe", "include"], ["include"]):
            team = about_sleep(world)
            settle(world, team, 1, "exclude")
            settle(world, team, 4, "include")
            for verdict in first_clicks:
                world.decide(team.review_id, team.ann, 2, verdict)
                ranked_review.rerank(team.review_id)
            with database.read() as session:
                made.append(serving.newest_order(session, team.review_id, TA))

        np.testing.assert_array_equal(made[0].numbers, made[1].numbers)
        np.testing.assert_array_equal(made[0].scores, made[1].scores)

    def test_a_resolution_leaves_no_trace_of_the_error(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        made = []
        for is_careless in (True, False):
            team = about_sleep(world)
            settle(world, team, 1, "exclude")
            settle(world, team, 4, "include")
            world.decide(team.review_id, team.ann, 3, "include" if is_careless else "exclude")
            world.decide(team.review_id, team.ben, 3, "exclude")
            ranked_review.rerank(team.review_id)
            if is_careless:
                world.resolve(team.review_id, team.judge, 3, "exclude")
                ranked_review.rerank(team.review_id)
            with database.read() as session:
                made.append(serving.newest_order(session, team.review_id, TA))

        np.testing.assert_array_equal(made[0].numbers, made[1].numbers)
        np.testing.assert_array_equal(made[0].scores, made[1].scores)

    def test_a_resolution_is_learnt_instead_of_the_votes(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)
        settle(world, team, 1, "exclude")
        world.decide(team.review_id, team.ann, 2, "include")
        world.decide(team.review_id, team.ben, 2, "exclude")
        ranked_review.rerank(team.review_id)
        assert newest(database, team.review_id).n_relevant == 1

        world.resolve(team.review_id, team.judge, 2, "exclude")
        ranked_review.rerank(team.review_id)
        assert newest(database, team.review_id).n_relevant == 0

    def test_the_same_labels_give_the_same_order_in_any_sequence(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        verdicts = {2: "include", 1: "exclude", 34: "include", 33: "exclude"}
        made = []
        for numbers in (list(verdicts), list(reversed(verdicts))):
            team = about_sleep(world)
            world.records(team.review_id, team.owner, texts=TEXTS * 4)
            for number in numbers:
                settle(world, team, number, verdicts[number])
            world.decide(team.review_id, team.eve, 5, "exclude")
            ranked_review.rerank(team.review_id)
            with database.read() as session:
                made.append(serving.newest_order(session, team.review_id, TA))

        np.testing.assert_array_equal(made[0].numbers, made[1].numbers)
        np.testing.assert_array_equal(made[0].scores, made[1].scores)

    def test_asked_again_it_is_made_again_the_same(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)
        settle(world, team, 2, "include")
        settle(world, team, 1, "exclude")
        ranked_review.rerank(team.review_id)
        first = order_of(database, team.review_id)
        ask_again(world, team)
        ranked_review.rerank(team.review_id)

        assert order_of(database, team.review_id) == first

    def test_a_review_without_records_has_an_empty_order(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = world.team(n_records=0)
        ask_otherwise(world, team)

        assert ranked_review.rerank(team.review_id) == 1
        assert order_of(database, team.review_id) == []
        assert not is_stale(database, team.review_id)


class TestSeedStudies:
    """Eighty records on soil; 81 and 82 are on sleep."""

    def review(self, world: World, **review: Any) -> Team:
        team = world.team(n_records=0, **review)
        fields = [
            (title, f"{text} Field {n} of the year.") for n in range(20) for title, text in SOIL
        ]
        world.records(team.review_id, team.owner, texts=[*fields, *SLEEP[:2]])
        return team

    def test_what_is_like_a_seed_comes_first_before_anybody_has_decided(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = self.review(world, seed_studies=["SLEEP AND MEMORY - in older adults."])

        ranked_review.rerank(team.review_id)

        made, order = newest(database, team.review_id), order_of(database, team.review_id)
        assert (made.kind, made.n_labels, made.n_relevant) == ("model", 1, 1)
        assert sorted(order) == list(range(1, 83)), "the seed is screened like all others"
        assert next(number for number in order if number != 81) == 82

    def test_a_title_that_is_no_record_is_part_of_the_question(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = self.review(world, seed_studies=["Sleep loss of older nurses", "10.1000/not.here"])

        ranked_review.rerank(team.review_id)

        made = newest(database, team.review_id)
        assert (made.kind, made.n_labels) == ("text", 0)
        assert set(order_of(database, team.review_id)[:2]) == {81, 82}

    def test_an_identifier_that_is_no_record_changes_nothing(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        orders = []
        for seed_studies in ([], ["10.1000/not.here", "PMID: 99"]):
            team = self.review(world, seed_studies=seed_studies)
            ranked_review.rerank(team.review_id)
            assert newest(database, team.review_id).kind == "random"
            orders.append(order_of(database, team.review_id))

        assert orders[0] == orders[1]

    def test_decisions_and_resolutions_take_its_place_until_they_are_withdrawn(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        at_once = {"ranking_learns_from": "all"}
        team = self.review(world, seed_studies=["Sleep loss in nurses"], policy=at_once)
        settle(world, team, 1, "exclude")

        def n_relevant() -> int:
            ranked_review.rerank(team.review_id)
            made = newest(database, team.review_id)
            assert made.n_labels == 2, "the seed study and record 1"
            return made.n_relevant

        assert n_relevant() == 1
        world.decide(team.review_id, team.ann, 82, "exclude")
        assert n_relevant() == 0
        world.decide(team.review_id, team.ben, 82, "include")
        assert n_relevant() == 1
        world.resolve(team.review_id, team.judge, 82, "exclude")
        assert n_relevant() == 0

    def test_a_decided_seed_leaves_no_trace(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        orders = []
        for seed_studies in (["Sleep loss in nurses"], []):
            at_once = {"ranking_learns_from": "all"}
            team = self.review(world, seed_studies=seed_studies, policy=at_once)
            world.decide(team.review_id, team.ann, 82, "maybe")
            world.decide(team.review_id, team.ann, 1, "exclude")
            ranked_review.rerank(team.review_id)
            orders.append(order_of(database, team.review_id))

        assert orders[0] == orders[1]

    def test_withdrawn_decisions_leave_the_seed(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = self.review(world, seed_studies=["Sleep loss in nurses"])
        ranked_review.rerank(team.review_id)
        before = order_of(database, team.review_id)
        world.decide(team.review_id, team.ann, 82, "exclude")
        world.withdraw(team.review_id, team.ann, 82)
        ranked_review.rerank(team.review_id)

        assert newest(database, team.review_id).n_relevant == 1
        assert order_of(database, team.review_id) == before

    def test_nothing_but_the_ranking_tells(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = self.review(world, seed_studies=["Sleep loss in nurses"])
        ranked_review.rerank(team.review_id)

        assert world.status(team.review_id, 82) == "unscreened"
        types = [event.type for event in events(database, team.review_id)]
        assert types[-1] == "tandem.ranking.updated"
        assert not [kind for kind in types if kind.startswith(("tandem.record", "tandem.decision"))]
        for person in (team.ann, team.ben):
            served = world.serve(team.review_id, person, limit=100)
            assert 82 in [item.record_number for item in served.items]


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

    def test_a_training_sees_one_state_of_the_review(
        self,
        world: World,
        database: Database,
        ranked_review: RankedReview,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        team = about_sleep(world)
        really, to_come = feature_store.load_or_build, [settle_all]

        def load_or_build(*given: Any) -> Corpus:
            corpus = really(*given)
            if to_come:  # between the texts and the labels
                to_come.pop()(world, team)
            return corpus

        monkeypatch.setattr("tandem.ranking.from_ledger.load_or_build", load_or_build)
        ranked_review.rerank(team.review_id)

        with database.read() as session:
            made = serving.list_rankings(session, review_id=team.review_id, limit=9)
        assert [(ranking.n_labels, ranking.n_ranked) for ranking in made] == [(8, 0), (0, 8)]

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


class TestFeatures:
    def folders(self, ranked_review: RankedReview, team: Team) -> list[str]:
        return ranked_review.artifacts.list(f"features/{team.review_id}")

    def test_they_are_made_once_for_many_trainings(
        self, world: World, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)
        ranked_review.rerank(team.review_id)
        (folder,) = self.folders(ranked_review, team)
        written = self.written(ranked_review, team, folder)

        settle(world, team, 2, "include")
        settle(world, team, 1, "exclude")
        ranked_review.rerank(team.review_id)

        assert self.folders(ranked_review, team) == [folder]
        assert self.written(ranked_review, team, folder) == written

    def test_new_records_ask_for_new_ones_and_the_old_are_removed(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)
        ranked_review.rerank(team.review_id)
        before = self.folders(ranked_review, team)

        world.records(team.review_id, team.owner, texts=[("Dreams", "Sleep, dreams and memory")])
        ranked_review.rerank(team.review_id)

        assert 9 in order_of(database, team.review_id)
        (after,) = self.folders(ranked_review, team)
        assert after not in before

    def test_another_question_compares_again(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)
        ranked_review.rerank(team.review_id)
        ask_otherwise(world, team)
        ranked_review.rerank(team.review_id)

        assert set(order_of(database, team.review_id)[:4]) == {1, 3, 5, 7}

    def test_workers_elsewhere_find_them_in_a_store_that_is_no_folder(
        self, world: World, database: Database, ranked_review: RankedReview, tmp_path: Path
    ) -> None:
        far = Artifacts(f"memory://{tmp_path.name}")
        team = about_sleep(world)
        ranked_review.artifacts, ranked_review.cache = far, tmp_path / "one"
        ranked_review.rerank(team.review_id)
        first = order_of(database, team.review_id)
        ask_again(world, team)

        ranked_review.cache = tmp_path / "other"
        ranked_review.rerank(team.review_id)

        assert order_of(database, team.review_id) == first
        names = [folder.name for folder in (tmp_path / "other").glob("features/*/*")]
        assert names == self.folders(ranked_review, team)

    def written(self, ranked_review: RankedReview, team: Team, folder: str) -> set[tuple[str, int]]:
        path = ranked_review.artifacts.local_path(f"features/{team.review_id}/{folder}")
        assert path
        return {(file.name, file.stat().st_mtime_ns) for file in path.iterdir()}


def test_full_texts_teach_no_ranking_and_keep_the_order_of_title_and_abstract(
    world: World, database: Database, ranked_review: RankedReview
) -> None:
    team = about_sleep(world)
    world.to_full_text(team, 1)
    ranked_review.rerank(team.review_id)

    for person in (team.ann, team.ben):
        world.decide(team.review_id, person, 1, "include", stage=FT)

    with database.read() as session:
        assert training.stale_reviews(session) == []
        review = reviews.get_review(session, team.review_id)
        assert (review.stale_since, review.taught_seq) == (None, review.labels_seq - 2)
        first, full = (serving.newest_order(session, team.review_id, stage) for stage in Stage)
        assert first is full
    world.decide(team.review_id, team.ann, 2, "exclude")
    with database.read() as session:
        assert training.stale_reviews(session) == [team.review_id]
