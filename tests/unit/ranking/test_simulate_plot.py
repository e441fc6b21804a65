"""The picture of replays."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tandem.ranking.plot import _curve, _mean, recall_curve
from tandem.ranking.simulate import simulate
from tandem.ranking.simulate_files import (
    read_labelled,
)
from unit.ranking.screened_files import U4


def texts_of(svg: str) -> list[str]:
    return [element.text for element in ET.fromstring(svg).iter() if element.text]


class TestPlot:
    def test_it_is_an_svg_that_names_what_it_shows(self, screened: Path) -> None:
        shown = texts_of(recall_curve([simulate(read_labelled(screened), U4, seed=1)]))
        assert {"screened, seed 1", "at random", "perfect order"} <= set(shown)
        assert {"records read", "relevant records found"} <= set(shown)

    def test_several_seeds_of_a_file_are_one_entry(self, screened: Path) -> None:
        runs = [simulate(read_labelled(screened), U4, seed=seed, batch=9) for seed in (1, 2, 3)]
        shown = texts_of(recall_curve(runs))
        assert "screened, mean of 3 seeds" in shown
        assert not any("seed 1" in text for text in shown)

    def test_of_very_many_files_the_last_are_counted(self, screened: Path) -> None:
        run = simulate(read_labelled(screened), U4, seed=1, batch=20)
        many = [replace(run, file=f"file-{number}.csv") for number in range(30)]
        shown = texts_of(recall_curve(many))
        assert "file-19, seed 1" in shown
        assert "file-20, seed 1" not in shown
        assert "and 10 more files" in shown
        assert "perfect order" not in shown, "each file has another one"

    def test_the_mean_of_equal_curves_is_the_curve(self, screened: Path) -> None:
        run = simulate(read_labelled(screened), U4, seed=1, batch=9)
        heights = _mean([_curve(run)] * 3)
        assert heights == pytest.approx(_mean([_curve(run)]))
        assert heights[0] == 0
        assert heights[-1] == 1
        assert heights == sorted(heights)

    def test_the_same_results_give_the_same_file(self, screened: Path) -> None:
        data = read_labelled(screened)
        runs = [simulate(data, U4, seed=seed, batch=5) for seed in (1, 2)]
        first, again = (recall_curve(runs) for _ in range(2))
        assert first == again
        assert "<dc:date>" not in first
