"""Where rules would have stopped a replay, and what they cost."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import typer
from numpy.typing import NDArray
from scipy.stats import binomtest
from typer.testing import CliRunner

from tandem.cli.simulate import simulate as command
from tandem.ranking.simulate import simulate
from tandem.ranking.simulate_files import (
    read_labelled,
)
from tandem.ranking.simulate_stops import Screened, Stops, stops
from unit.ranking.screened_files import N_RELEVANT, U4, N


class TestStopping:
    RULES = "certificate,run-5,run-5000,share-20,knee,hypergeometric"

    def stops(self, screened: Path, *more: str) -> list[dict[str, object]]:
        app = typer.Typer()
        app.command()(command)
        arguments = [str(screened), "--batch", "5", "--jobs", "1", "--json", *more]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
        (line,) = result.stdout.splitlines()
        found = json.loads(line)
        assert (found["n"], found["n_relevant"]) == (N, N_RELEVANT)
        stops: list[dict[str, object]] = found.get("stops", [])
        return stops

    def test_each_rule_tells_where_it_would_have_stopped(self, screened: Path) -> None:
        asked = ["--stop", self.RULES, "--target", "0.8", "--confidence", "0.9"]
        stops = self.stops(screened, *asked)
        assert [stop["rule"] for stop in stops] == self.RULES.split(",")
        for stop in stops:
            assert (stop["target"], stop["confidence"]) == (0.8, 0.9)
            assert stop["recall"] == stop["found"] / N_RELEVANT  # type: ignore[operator]
        read = {stop["rule"]: stop["read"] for stop in stops}
        assert read["run-5000"] == N
        assert read["run-5"] <= read["share-20"] < N  # type: ignore[operator]
        assert stops == self.stops(screened, *asked)

    def test_several_targets_are_as_each_by_itself(self, screened: Path) -> None:
        asked = ["--stop", self.RULES, "--confidence", "0.9", "--target"]
        together = self.stops(screened, *asked, "0.8, 0.95")
        apart = [self.stops(screened, *asked, target) for target in ("0.8", "0.95")]
        assert together == [stop for both in zip(*apart, strict=True) for stop in both]

    def test_two_reviewers_are_measured_by_what_they_include(self, screened: Path) -> None:
        pair = ["--reviewers", "2", "--sensitivity", "0.8", "--specificity", "0.95"]
        stops = self.stops(screened, *pair, "--stop", "run-5000,certificate", "--target", "0.8")
        everything, certificate = stops
        assert (everything["read"], everything["recall"]) == (N, 1)
        assert 0 < everything["recall_truth"] < 1  # type: ignore[operator]
        assert certificate["recall"] >= 0.8  # type: ignore[operator]
        perfect = self.stops(screened, "--reviewers", "2", "--stop", "run-5000")[0]
        assert perfect["found"] == N_RELEVANT
        assert perfect["recall_truth"] == 1

    def test_nothing_else_changes(self, screened: Path) -> None:
        plain = simulate(read_labelled(screened), U4, seed=3, batch=5)
        with_stops = simulate(
            read_labelled(screened),
            U4,
            seed=3,
            batch=5,
            wanted_stops=Stops(("knee", "certificate"), (Fraction("0.9"),), Fraction("0.9")),
        )
        assert replace(with_stops, stops=[], seconds=0) == replace(plain, seconds=0)

    def test_the_certificate_misses_no_more_often_than_it_says(self) -> None:
        """With a ranking that has the last includes at its very end, over many orders of draws."""
        labels = np.zeros(300, dtype=np.int8)
        labels[:18] = labels[-3:] = 1
        wanted = Stops(("certificate", "run-50"), (Fraction("0.9"),), Fraction("0.8"))

        def ranked(read: NDArray[np.int64]) -> list[int]:
            return sorted(set(range(300)).difference(read.tolist()))[:25]

        known = np.array([0, 40])
        found = [
            stops(
                wanted, Screened(labels, known), seed, ranked=ranked, ranked_for_certificate=ranked
            )
            for seed in range(300)
        ]
        missed = sum(certificate.recall < 0.9 for certificate, _ in found)
        assert binomtest(missed, 300, 0.2, alternative="greater").pvalue > 0.01
        assert missed > 0
        assert all(run.recall < 0.9 for _, run in found)

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["--stop", "knees"], "There are: certificate"),
            (["--stop", "knee", "--target", "1"], "between 0 and 1"),
            (["--stop", "knee", "--confidence", "x"], "between 0 and 1"),
            (["--stop", "knee", "--target", "0.9,"], "between 0 and 1"),
        ],
    )
    def test_what_makes_no_sense_is_refused(
        self, screened: Path, arguments: list[str], says: str
    ) -> None:
        app = typer.Typer()
        app.command()(command)
        result = CliRunner().invoke(app, [str(screened), *arguments], env={"COLUMNS": "300"})
        assert result.exit_code == 2
        assert says in result.output

    def test_the_table_says_what_each_rule_costs(self, screened: Path) -> None:
        app = typer.Typer()
        app.command()(command)
        result = CliRunner().invoke(
            app, [str(screened), "--batch", "5", "--jobs", "1", "--stop", "knee,run-5000"]
        )
        assert "misses" in result.output
        assert "run-5000" in result.output
        assert "100%" in result.output.split("run-5000")[1]
