"""One reviewer in memory: what a replay finds, and when."""

import json
from pathlib import Path

import numpy as np
import pytest

from tandem.ranking import metrics
from tandem.ranking.simulate import simulate
from tandem.ranking.simulate_files import (
    UnusableLabels,
    read_labelled,
)
from unit.ranking.screened_files import N_RELEVANT, U4, N, write


class TestReplay:
    def test_the_result_has_the_keys_of_the_contract(self, screened: Path) -> None:
        result = json.loads(json.dumps(simulate(read_labelled(screened), U4, seed=1).to_json()))
        assert list(result) == [
            *("file", "model", "seed", "n", "n_relevant", "priors", "found_at"),
            *("loss", "ndcg", "wss_95", "tnr_95", "recall_10", "recall_20"),
            *("last_relevant", "seconds", "retrains"),
        ]
        assert (result["model"], result["seed"]) == ("elas-u4", 1)
        assert (result["n"], result["n_relevant"]) == (N, N_RELEVANT)

    def test_priors_are_one_of_each_kind_and_counted_nowhere(self, screened: Path) -> None:
        data = read_labelled(screened)
        result = simulate(data, U4, seed=4)
        assert [int(data.labels[row]) for row in result.priors] == [1, 0]
        assert len(result.found_at) == N_RELEVANT - 1
        assert result.n_ordered == N - 2
        assert result.loss == metrics.loss(result.found_at, N - 2)
        assert result.recall_20 == metrics.recall_at(result.found_at, N - 2, 0.2)

    def test_priors_are_drawn_as_by_the_tool_that_we_compare_with(self, screened: Path) -> None:
        labels = read_labelled(screened).labels
        expected = [
            int(np.random.RandomState(9).choice(np.where(labels == value)[0], 1, replace=False)[0])
            for value in (1, 0)
        ]
        assert simulate(read_labelled(screened), U4, seed=9).priors == expected

    def test_it_trains_before_every_record_and_stops_at_the_last_relevant_one(
        self, screened: Path
    ) -> None:
        reports: list[tuple[int, int]] = []
        result = simulate(
            read_labelled(screened), U4, seed=1, on_progress=lambda *now: reports.append(now)
        )
        assert result.retrains == result.last_relevant == result.found_at[-1]
        assert reports[-1] == (result.last_relevant, N_RELEVANT - 1)
        assert [read for read, _ in reports] == list(range(1, result.last_relevant + 1))

    def test_larger_batches_train_less_often(self, screened: Path) -> None:
        result = simulate(read_labelled(screened), U4, seed=1, batch=7)
        assert result.retrains == -(-result.last_relevant // 7)
        assert result.found_at == sorted(set(result.found_at))
        assert len(result.found_at) == N_RELEVANT - 1

    def test_what_is_relevant_is_found_before_chance_would(self, screened: Path) -> None:
        assert simulate(read_labelled(screened), U4, seed=1).loss < 0.3

    def test_the_seed_decides(self, screened: Path) -> None:
        data = read_labelled(screened)
        first, again, other = (simulate(data, U4, seed=seed) for seed in (1, 1, 2))
        assert first.found_at == again.found_at
        assert first.priors != other.priors

    def test_nothing_needs_to_be_known_at_the_start(self, screened: Path) -> None:
        result = simulate(read_labelled(screened), U4, seed=1, priors=(0, 0))
        assert result.priors == []
        assert len(result.found_at) == N_RELEVANT
        assert 0 < result.retrains < result.last_relevant

    def test_more_may_be_known_at_the_start(self, screened: Path) -> None:
        data = read_labelled(screened)
        result = simulate(data, U4, seed=1, priors=(3, 5))
        assert [int(data.labels[row]) for row in result.priors] == [1] * 3 + [0] * 5
        assert len(set(result.priors)) == 8
        assert len(result.found_at) == N_RELEVANT - 3

    @pytest.mark.parametrize(
        ("labels", "priors", "reason"),
        [
            ("000", (0, 0), "has 0 relevant records"),
            ("100", (1, 1), r"has 1 relevant record: with 1 known .* at least 2 are needed"),
            ("110", (1, 1), "has 1 irrelevant record:"),
            ("111", (0, 0), "has 0 irrelevant records"),
            ("11000", (2, 1), "at least 3 are needed"),
            ("", (0, 0), "has 0 relevant records"),
        ],
    )
    def test_where_nothing_is_left_to_find_it_says_so(
        self, tmp_path: Path, labels: str, priors: tuple[int, int], reason: str
    ) -> None:
        data = read_labelled(write(tmp_path / "a.csv", [["A word", "", y] for y in labels]))
        with pytest.raises(UnusableLabels, match=reason):
            simulate(data, U4, seed=1, priors=priors)

    def test_records_without_a_word_can_be_replayed(self, tmp_path: Path) -> None:
        data = read_labelled(write(tmp_path / "a.csv", [["", "", y] for y in "1100110"]))
        assert simulate(data, U4, seed=1).last_relevant <= 5
