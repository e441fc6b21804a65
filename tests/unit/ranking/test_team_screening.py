"""Two reviewers in memory: what they are served, and what the rules make of it."""

import numpy as np
import pytest

from tandem.ranking import simulate_screening
from tandem.ranking.simulate_screening import (
    ReviewerQueue,
    Screening,
    Team,
    read_everything_twice,
    truth_of,
)
from tandem.reviews.policy import changed
from tandem.screening import streams
from tandem.screening.streams import Stream
from unit.ranking.two_reviewers import DATA, ERRING, PERFECT, N, truth


class TestVerdicts:
    def test_they_are_fixed_by_seed_reviewer_and_row(self) -> None:
        relevant = DATA.labels == 1
        first, again, other = (
            truth_of(relevant, np.array([0]), ERRING, seed).includes for seed in (1, 1, 2)
        )
        np.testing.assert_array_equal(first, again)
        assert np.any(first != other)
        assert np.any(first[0] != first[1])
        more = truth_of(np.append(relevant, True), np.array([0]), ERRING, 1).includes
        np.testing.assert_array_equal(more[:, :-1], first)

    def test_the_shares_of_right_ones_are_those_asked_for(self) -> None:
        relevant = np.arange(40_000) % 2 == 0
        team = Team(sensitivity=0.87, specificity=0.97)
        includes = truth_of(relevant, np.array([], dtype=np.int64), team, 1).includes
        for reviewer in includes:
            assert np.mean(reviewer[relevant]) == pytest.approx(0.87, abs=0.01)
            assert np.mean(~reviewer[~relevant]) == pytest.approx(0.97, abs=0.005)
        both = np.mean(includes[:, relevant].all(axis=0))
        assert both == pytest.approx(0.87**2, abs=0.01), "they err independently"

    def test_who_never_errs_includes_what_is_relevant(self) -> None:
        relevant = DATA.labels == 1
        for reviewer in truth_of(relevant, np.array([0]), PERFECT, 1).includes:
            np.testing.assert_array_equal(reviewer, relevant)


class TestDoubleReading:
    def test_it_goes_by_the_rules(self) -> None:
        read = read_everything_twice(
            truth("iiiixxxxi", ann="iixxiixxi", ben="ixixixixi", known=(8,)), PERFECT.policy
        )
        assert read.included.tolist() == [True, True, True, False, True] + [False] * 4
        assert read.conflicts == 4
        assert read.decisions == 16

    def test_a_screening_to_the_end_comes_to_the_same(self) -> None:
        drawn = truth_of(DATA.labels == 1, np.array([0, 1]), ERRING, 3)
        screening = Screening(drawn, ERRING)
        for row in np.flatnonzero(screening.lacks_decisions()).tolist():
            screening.decide(0, row)
            screening.decide(1, row)
        read = read_everything_twice(drawn, ERRING.policy)
        np.testing.assert_array_equal(screening.included, read.included)
        assert (screening.decisions, screening.conflicts) == (read.decisions, read.conflicts)


class TestScreening:
    def test_labels_follow_the_rules_and_rows(self) -> None:
        at_once = Team(policy=changed(Team().policy, {"ranking_learns_from": "all"}))
        screening = Screening(truth("ixixi", ann="ixiix", ben="ixxix", known=(4,)), at_once)
        screening.decide(0, 3)
        screening.decide(0, 0)
        screening.decide(1, 0)
        screening.decide(1, 1)
        assert screening.labels().rows.tolist() == [0, 1, 3, 4]
        assert screening.labels().values.tolist() == [1, 0, 0.76, 1]
        assert screening.included.tolist() == [True] + [False] * 4
        assert screening.lacks_decisions().tolist() == [False, True, True, True, False]
        assert screening.half_done().tolist() == [False, True, False, True, False]

    def test_a_conflict_is_settled_by_the_truth(self) -> None:
        screening = Screening(truth("ix", ann="ix", ben="xi"), PERFECT)
        for row in (0, 1):
            screening.decide(0, row)
            screening.decide(1, row)
        assert screening.conflicts == 2
        assert screening.included.tolist() == [True, False]
        assert screening.labels().values.tolist() == [1, 0]

    def test_the_adjudicator_may_come_later(self) -> None:
        screening = Screening(truth("ixxx", ann="ixxx", ben="xxxx"), Team(adjudicated_after=2))
        screening.decide(0, 0)
        screening.decide(1, 0)
        assert screening.labels().values.tolist() == [0.3]
        screening.decide(0, 1)
        assert not screening.included[0]
        screening.decide(1, 1)
        assert screening.included[0]
        assert screening.labels().values.tolist() == [1, 0]


@pytest.fixture
def meant(monkeypatch: pytest.MonkeyPatch) -> list[Stream]:
    """Set what the next pick is meant to be, instead of what is drawn."""
    kinds = [Stream.RANKING]
    monkeypatch.setattr(streams, "kind_of_pick", lambda *_: kinds[0])
    return kinds


class TestReviewerQueue:
    SEED = 5
    ANN, BEN = 0, 1
    ORDER = np.arange(N)[::-1].copy()

    @pytest.fixture
    def screening(self) -> Screening:
        return Screening(truth("x" * N, ann="x" * N, ben="x" * N, known=(N - 1,)), PERFECT)

    def reviewer_queue(self, screening: Screening) -> ReviewerQueue:
        order = self.ORDER[screening.lacks_decisions()[self.ORDER]]
        return ReviewerQueue(screening, order, self.SEED)

    def test_a_new_record_is_the_first_of_the_reviewers_own_order(
        self, screening: Screening, meant: list[Stream]
    ) -> None:
        stage = simulate_screening._STAGE

        def own_place(place: int, row: int, reviewer: int) -> float:
            who = simulate_screening.REVIEWERS[reviewer]
            return streams.own_place(self.SEED, stage, who, row + 1, place)

        best = range(N - 2, N - 2 - 2 * streams.SPREAD, -1)  # the known one is the last row
        for reviewer in (self.ANN, self.BEN):
            places = {row: own_place(place, row, reviewer) for place, row in enumerate(best)}
            assert self.reviewer_queue(screening).next_for(reviewer) == min(
                places, key=places.__getitem__
            )

    def test_a_half_done_record_is_one_the_other_has_decided(
        self, screening: Screening, meant: list[Stream]
    ) -> None:
        meant[0] = Stream.HALF_DONE
        for row in (70, 3, 40):
            screening.decide(self.BEN, row)
        reviewer_queue = self.reviewer_queue(screening)
        served = []
        for _ in range(3):
            half_done = reviewer_queue.next_for(self.ANN)
            assert half_done is not None
            screening.decide(self.ANN, half_done)
            served.append(half_done)
        assert served == [70, 3, 40], "the best first, and last what was finished last"

    def test_where_none_is_half_done_a_new_one_is_served_and_the_other_way_round(
        self, screening: Screening, meant: list[Stream]
    ) -> None:
        meant[0] = Stream.HALF_DONE
        new = self.reviewer_queue(screening).next_for(self.ANN)
        assert new is not None
        meant[0] = Stream.RANKING
        for row in range(N - 1):
            screening.decide(self.BEN, row)
        assert self.reviewer_queue(screening).next_for(self.ANN) is not None
        assert self.reviewer_queue(screening).next_for(self.BEN) is None

    def test_the_random_stream_is_the_same_for_both(
        self, screening: Screening, meant: list[Stream]
    ) -> None:
        meant[0] = Stream.RANDOM
        reviewer_queue = self.reviewer_queue(screening)
        served: dict[int, list[int]] = {self.ANN: [], self.BEN: []}
        for reviewer in (self.ANN, self.ANN, self.BEN, self.ANN, self.BEN):
            row = reviewer_queue.next_for(reviewer)
            assert row is not None
            screening.decide(reviewer, row)
            served[reviewer].append(row)
        stream = streams.random_stream(self.SEED, simulate_screening._STAGE, N) - 1
        due = [row for row in stream.tolist() if row != N - 1]
        assert served == {self.ANN: due[:3], self.BEN: due[:2]}

    def test_beyond_the_cap_nobody_begins_new_ones(
        self, screening: Screening, meant: list[Stream], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(streams, "half_done_cap", lambda _: 1)
        screening.decide(self.BEN, 0)
        assert self.reviewer_queue(screening).next_for(self.ANN) != 0
        screening.decide(self.BEN, 1)
        assert self.reviewer_queue(screening).next_for(self.ANN) == 0

    def test_nobody_gets_a_record_twice_or_a_known_one(self, screening: Screening) -> None:
        for _ in range(N - 1):
            for reviewer in (self.ANN, self.BEN):
                row = self.reviewer_queue(screening).next_for(reviewer)
                assert row is not None
                assert not screening.decided[reviewer, row]
                assert row != N - 1
                screening.decide(reviewer, row)
        assert not np.any(screening.lacks_decisions())
