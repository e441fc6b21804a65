"""`tandem simulate` on files: what is printed, and what is refused."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from tandem.cli.simulate import simulate as command
from tandem.errors import TandemError
from tandem.ranking.plot import recall_curve
from tandem.ranking.simulate import simulate
from tandem.ranking.simulate_files import (
    UnreadableFile,
    read_labelled,
)
from unit.ranking.screened_files import U4


class TestCommand:
    @pytest.fixture
    def app(self) -> typer.Typer:
        app = typer.Typer()
        app.callback()(lambda: None)
        app.command("simulate")(command)
        return app

    def run(self, app: typer.Typer, *arguments: object) -> tuple[int, str, str]:
        result = CliRunner().invoke(app, ["simulate", *map(str, arguments)])
        if isinstance(result.exception, TandemError):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    def test_json_is_one_object_a_line_per_file_and_seed(
        self, app: typer.Typer, screened: Path
    ) -> None:
        code, out, err = self.run(
            app, screened, screened, "--seed", 1, "--seed", "2-3", "--json", "--batch", 10
        )
        lines = [json.loads(line) for line in out.splitlines()]
        assert code == 0
        assert [(line["file"], line["seed"]) for line in lines] == [
            (str(screened), seed) for seed in (1, 2, 3, 1, 2, 3)
        ]
        assert err == "", "no progress bar where nobody looks"

    def test_on_a_terminal_one_bar_goes_over_all_and_stays_out_of_the_results(
        self, app: typer.Typer, screened: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("FORCE_COLOR", "1")  # makes rich believe that it has a terminal
        code, out, err = self.run(
            app, screened, "--seed", "1-2", "--json", "--batch", 10, "--jobs", 1
        )
        assert code == 0
        assert [json.loads(line)["seed"] for line in out.splitlines()] == [1, 2]
        assert "1 of 2 replays" in err
        assert "relevant found in" in err

    def test_people_get_a_table_and_a_plot(
        self, app: typer.Typer, screened: Path, tmp_path: Path
    ) -> None:
        code, out, _ = self.run(
            app, screened, "--batch", 10, "--model", "elas-u4", "--plot", tmp_path / "recall.svg"
        )
        result = simulate(read_labelled(screened), U4, seed=1, batch=10)
        assert code == 0
        assert "screened" in out
        assert f"{result.loss:.3f}" in out
        assert (tmp_path / "recall.svg").read_text(encoding="utf-8") == recall_curve([result])

    @pytest.mark.parametrize(
        "wrong",
        [
            ["--prior", "1"],
            ["--prior", "1+-1"],
            ["--prior", "1 + 1"],
            ["--model", "elas-u5"],
            ["--batch", "0"],
            ["--seed", "-1"],
            ["--seed", "4294967296"],
            ["--seed", "one"],
            ["--seed", "3-2"],
            ["--seed", "1-"],
            ["--seed", "0-4294967295"],
            ["--jobs", "0"],
            ["--plot", "no/such/folder/recall.svg"],
            ["--reviewers", "0"],
            ["--reviewers", "3"],
            ["--sensitivity", "0.9"],
            ["--specificity", "1", "--reviewers", "1"],
            ["--sensitivity", "0", "--reviewers", "2"],
            ["--sensitivity", "-0.1", "--reviewers", "2"],
            ["--specificity", "1.01", "--reviewers", "2"],
            ["--specificity", "nan", "--reviewers", "2"],
        ],
        ids=" ".join,
    )
    def test_wrong_usage_is_exit_code_two(
        self, app: typer.Typer, screened: Path, wrong: list[str]
    ) -> None:
        code, out, err = self.run(app, screened, *wrong)
        assert (code, out) == (2, "")
        assert wrong[0] in err

    def test_a_missing_file_fails_before_anything_is_replayed(
        self, app: typer.Typer, screened: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(UnreadableFile, match="There is no file"):
            self.run(app, screened, "nothing.csv", "--json")
        assert capsys.readouterr().out == ""
