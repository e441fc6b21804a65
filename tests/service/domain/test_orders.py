"""What an order rests on: labels, seed studies, features."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.domain.ranked_review import (
    SLEEP,
    SOIL,
    TEXTS,
    RankedReview,
    about_sleep,
    ask_again,
    ask_otherwise,
    is_stale,
    newest,
    order_of,
    settle,
)
from service.domain.tables import events
from tandem.artifacts import Artifacts
from tandem.db.session import Database
from tandem.ranking import ranker, serving, training
from tandem.records.imports import Found
from tandem.records.origin import FoundBy
from tandem.reviews import service as reviews
from tandem.reviews.policy import Stage
from world import FT, TA, Team, World

pytestmark = pytest.mark.both_engines


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

    def test_an_exclude_of_what_is_an_earlier_report_teaches_nothing(
        self,
        world: World,
        database: Database,
        ranked_review: RankedReview,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """It is included in the review's previous version, which was imported after that."""
        relevant, real = list[list[int]](), ranker.rank

        def noting(*args: Any, **asked: Any) -> ranker.Ranked:
            relevant.append(asked["relevant"].tolist())
            return real(*args, **asked)

        monkeypatch.setattr(ranker, "rank", noting)
        team = about_sleep(world)
        settle(world, team, 2, "include")
        settle(world, team, 4, "exclude")
        settle(world, team, 6, "include")
        settle(world, team, 1, "exclude")
        earlier = world.records(team.review_id, team.owner, 2, found=Found(FoundBy.PREVIOUS))
        groups = [
            world.merge(team.review_id, team.owner, *pair)
            for pair in zip((4, 6), earlier, strict=True)
        ]
        ranked_review.rerank(team.review_id)

        made = newest(database, team.review_id)
        assert (made.n_labels, made.n_relevant) == (3, 2), "the include of record 6 teaches"
        assert {3, 5} <= set(relevant[-1]), "or they would be presumed to be excludes"

        world.split(team.review_id, team.owner, groups[0])
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
