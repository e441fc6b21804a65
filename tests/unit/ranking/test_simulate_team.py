"""Two reviewers in memory: what they are served, what the rules make of it, what it costs."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import typer
from numpy.typing import NDArray
from typer.testing import CliRunner

from tandem.cli.simulate import simulate as command
from tandem.ranking import simulate_screening
from tandem.ranking.plot import recall_curve
from tandem.ranking.recipes import recipe
from tandem.ranking.simulate import simulate
from tandem.ranking.simulate_files import Labelled, UnusableLabels
from tandem.ranking.simulate_screening import (
    ReviewerQueue,
    Screening,
    Team,
    Truth,
    read_everything_twice,
    truth_of,
)
from tandem.ranking.simulate_team import TeamSimulation, simulate_team, start_of
from tandem.reviews.policy import changed
from tandem.screening import streams
from tandem.screening.streams import Stream

U4 = recipe("elas-u4")
ERRING = Team(sensitivity=0.8, specificity=0.9)
PERFECT = Team()
N = 80


def labelled(n: int = N, *, relevant_every: int = 5) -> Labelled:
    """Relevant records share words that the others lack, in part."""
    random = np.random.RandomState(0)
    words = [f"word{number}" for number in range(200)]
    labels = (np.arange(n) % relevant_every == 0).astype(np.int8)
    texts = [
        (f"Title {row}", " ".join([*random.choice(words[:20] if y else words[10:60], 5),
                                   *random.choice(words, 15)]))
        for row, y in enumerate(labels)
    ]  # fmt: skip
    return Labelled("some.csv", texts, labels)


DATA = labelled()


def truth(
    relevant: str, ann: str, ben: str, known: NDArray[np.int64] | tuple[int, ...] = ()
) -> Truth:
    """Spell out a truth: one letter a record, `i` for relevant or included, `x` for not."""
    ann_, ben_, relevant_ = (np.array([y == "i" for y in text]) for text in (ann, ben, relevant))
    is_known = np.isin(np.arange(len(relevant)), known)
    return Truth(relevant_, is_known, np.stack([ann_, ben_]))


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


class TestReplay:
    def test_it_ends_when_all_is_found_that_reading_everything_twice_finds(self) -> None:
        result = simulate_team(DATA, U4, ERRING, seed=2)
        start = start_of(DATA, ERRING, seed=2)
        assert len(result.found_at) == len(result.decisions_at) == np.sum(start.wanted)
        assert result.decisions == result.decisions_100 == result.decisions_at[-1]
        assert result.decisions_95 <= result.decisions_97 <= result.decisions_100
        assert result.decisions <= result.decisions_double == 2 * (N - 2)
        assert result.conflicts <= result.conflicts_double == start.double.conflicts
        assert result.included <= result.included_double == np.sum(start.double.included)
        assert result.recall_truth == result.recall_truth_double < 1
        assert 0 < result.recall_team <= 1

    def test_the_result_has_the_keys_of_one_reviewer_first(self) -> None:
        alone = simulate(DATA, U4, seed=1).to_json()
        result = json.loads(json.dumps(simulate_team(DATA, U4, PERFECT, seed=1).to_json()))
        assert list(result)[: len(alone)] == list(alone)
        assert list(result)[len(alone) :] == [
            *("reviewers", "sensitivity", "specificity", "decisions", "decisions_at"),
            *("decisions_95", "decisions_97", "decisions_100", "decisions_double"),
            *("conflicts", "conflicts_double", "included", "included_double"),
            *("recall_team", "recall_truth", "recall_truth_double"),
        ]
        assert result["priors"] == alone["priors"]
        assert result["n_relevant"] == alone["n_relevant"]

    def test_places_count_double_readings(self) -> None:
        result = simulate_team(DATA, U4, ERRING, seed=1)
        assert result.found_at == [-(-made // 2) for made in result.decisions_at]
        assert result.found_at == sorted(result.found_at)
        assert all(place >= k for k, place in enumerate(result.found_at, start=1))
        assert 0 <= result.loss <= 1

    def test_who_never_errs_has_no_conflicts_and_finds_all(self) -> None:
        result = simulate_team(DATA, U4, PERFECT, seed=1, batch=4)
        assert result.conflicts == result.conflicts_double == 0
        assert result.recall_truth_double == result.recall_truth == result.recall_team == 1
        assert len(result.found_at) == np.sum(DATA.labels == 1) - 1

    def test_the_same_seed_gives_the_same_result(self) -> None:
        first, again, other = (
            replace(simulate_team(DATA, U4, ERRING, seed=seed, batch=5), seconds=0)
            for seed in (1, 1, 2)
        )
        assert first == again
        assert first.decisions_at != other.decisions_at

    def test_batches_count_decisions(self) -> None:
        reports: list[tuple[int, int]] = []
        result = simulate_team(
            DATA, U4, ERRING, seed=1, batch=7, on_progress=lambda *now: reports.append(now)
        )
        assert [made for made, _ in reports[:-1]] == list(range(7, result.decisions, 7))
        assert reports[-1] == (result.decisions, len(result.found_at))
        assert result.retrains == len(reports)

    def test_nothing_needs_to_be_known_at_the_start(self) -> None:
        result = simulate_team(DATA, U4, PERFECT, seed=1, priors=(0, 0), batch=3)
        assert result.priors == []
        assert len(result.found_at) == np.sum(DATA.labels == 1)

    def test_it_comes_to_an_end_when_the_adjudicator_is_slow(self) -> None:
        slow = replace(ERRING, adjudicated_after=1000)
        result = simulate_team(DATA, U4, slow, seed=1, batch=1)
        assert result.decisions == result.decisions_double
        assert result.recall_truth == result.recall_truth_double

    def test_what_both_miss_cannot_be_found(self) -> None:
        with pytest.raises(UnusableLabels, match="both reviewers miss every relevant record"):
            simulate_team(DATA, U4, Team(sensitivity=1e-9), seed=1)

    def test_ranking_saves_decisions(self) -> None:
        shares = [
            result.decisions_95 / result.decisions_double
            for result in (
                simulate_team(labelled(200), U4, ERRING, seed=seed, batch=10) for seed in (1, 2, 3)
            )
        ]
        assert np.mean(shares) < 0.7


def test_the_plot_says_that_decisions_are_counted() -> None:
    runs: list[TeamSimulation] = [
        simulate_team(DATA, U4, ERRING, seed=seed, batch=20) for seed in (1, 2)
    ]
    shown = [element.text for element in ET.fromstring(recall_curve(runs)).iter()]
    assert "decisions spent, of reading everything twice" in shown
    assert "included, of what that finds" in shown
    assert "some, mean of 2 seeds" in shown


class TestCommand:
    @pytest.fixture
    def screened(self, tmp_path: Path) -> Path:
        path = tmp_path / "screened.csv"
        rows = [
            f'"{title}","{text}",{y}'
            for (title, text), y in zip(DATA.texts, DATA.labels, strict=True)
        ]
        path.write_text("\n".join(["title,abstract,label_included", *rows]), encoding="utf-8")
        return path

    def run(self, *arguments: object) -> tuple[int, str]:
        app = typer.Typer()
        app.callback()(lambda: None)
        app.command("simulate")(command)
        result = CliRunner().invoke(app, ["simulate", *map(str, arguments)])
        return result.exit_code, result.stdout

    def test_json_has_what_a_team_adds(self, screened: Path) -> None:
        code, out = self.run(
            screened, "--reviewers", 2, "--sensitivity", 0.8, "--specificity", 0.9, "--json",
            "--batch", 20, "--model", "elas-u4",
        )  # fmt: skip
        result = json.loads(out)
        assert code == 0
        assert (result["reviewers"], result["sensitivity"], result["specificity"]) == (2, 0.8, 0.9)
        expected = simulate_team(DATA, U4, ERRING, seed=1, batch=20)
        assert result["decisions_at"] == expected.decisions_at

    def test_without_rates_they_never_err(self, screened: Path) -> None:
        code, out = self.run(
            screened, "--reviewers", 2, "--json", "--batch", 20, "--model", "elas-u4"
        )
        assert code == 0
        assert json.loads(out)["conflicts_double"] == 0

    def test_people_get_a_table(self, screened: Path) -> None:
        code, out = self.run(
            screened, "--reviewers", 2, "--specificity", 0.9, "--batch", 20, "--model", "elas-u4"
        )
        result = simulate_team(DATA, U4, Team(1, 0.9), seed=1, batch=20)
        assert code == 0
        for figure in (result.decisions_95, result.decisions_97, result.decisions_100):
            assert str(figure) in out
        assert str(result.decisions_double) in out
