"""Replays of two reviewers: what they find, and what it costs."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from tandem.cli.simulate import simulate as command
from tandem.ranking.plot import recall_curve
from tandem.ranking.simulate import simulate
from tandem.ranking.simulate_files import UnusableLabels
from tandem.ranking.simulate_screening import (
    Team,
)
from tandem.ranking.simulate_team import TeamSimulation, simulate_team, start_of
from unit.ranking.two_reviewers import DATA, ERRING, PERFECT, U4, N, labelled


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
