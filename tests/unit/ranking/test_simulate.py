import csv
import gzip
import json
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import typer
from numpy.typing import NDArray
from scipy.stats import binomtest
from typer.testing import CliRunner

from tandem.cli.simulate import simulate as command
from tandem.errors import TandemError
from tandem.ranking import metrics
from tandem.ranking.plot import _curve, _mean, recall_curve
from tandem.ranking.recipes import recipe
from tandem.ranking.simulate import simulate
from tandem.ranking.simulate_files import (
    LABEL_COLUMNS,
    UnreadableFile,
    UnusableLabels,
    read_labelled,
)
from tandem.ranking.simulate_stops import Screened, Stops, stops

U4 = recipe("elas-u4")
N, N_RELEVANT = 60, 12


def records(n: int = N, *, relevant_every: int = 5) -> list[tuple[str, str, str]]:
    """Relevant records share words that the others lack, in part."""
    random = np.random.RandomState(0)
    words = [f"word{number}" for number in range(200)]

    def record(row: int) -> tuple[str, str, str]:
        relevant = row % relevant_every == 0
        topic = words[:20] if relevant else words[10:60]
        text = [*random.choice(topic, 5), *random.choice(words, 15)]
        return f"Title {row}", " ".join(text), "1" if relevant else "0"

    return [record(row) for row in range(n)]


def write(
    path: Path,
    rows: Iterable[Iterable[str]] | None = None,
    header: str = "title,abstract,label_included",
) -> Path:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", encoding="utf-8", newline="") as file:
        file.write(header + "\n")
        csv.writer(file).writerows(records() if rows is None else rows)
    return path


@pytest.fixture
def screened(tmp_path: Path) -> Path:
    return write(tmp_path / "screened.csv")


class TestReading:
    def test_plain_and_packed_files_are_the_same(self, tmp_path: Path, screened: Path) -> None:
        packed = read_labelled(write(tmp_path / "screened.csv.gz"))
        plain = read_labelled(screened)
        assert packed.texts == plain.texts
        assert packed.labels.tolist() == plain.labels.tolist()
        assert plain.labels.sum() == N_RELEVANT
        assert plain.file == str(screened)

    def test_cells_that_pandas_takes_for_missing_are_empty(self, tmp_path: Path) -> None:
        rows = [["NA", "none", "1"], ["", "null", "0"], ["Nano", "n/a", "0"]]
        read = read_labelled(write(tmp_path / "a.csv", rows))
        assert read.texts == [("", "none"), ("", ""), ("Nano", "")]

    def test_quoted_line_breaks_and_a_byte_order_mark_are_understood(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_bytes('\ufefftitle,label\r\n"One, ""two""\r\nthree",1\r\n\r\nü,0\r\n'.encode())
        read = read_labelled(path)
        assert read.texts == [('One, "two"\r\nthree', ""), ("ü", "")]
        assert read.labels.tolist() == [1, 0]

    @pytest.mark.parametrize("mark", [";", "\t"])
    def test_tables_of_a_european_excel_are_understood(self, tmp_path: Path, mark: str) -> None:
        path = tmp_path / "a.csv"
        rows = [
            ("title", "abstract", "label"),
            ("One, two", '"a, b, c, d"', "1"),
            ("Three", "", "0"),
        ]
        path.write_text("\r\n".join(mark.join(row) for row in rows), "utf-8")
        read = read_labelled(path)
        assert read.texts == [("One, two", "a, b, c, d"), ("Three", "")]
        assert read.labels.tolist() == [1, 0]

    def test_a_packed_file_may_shout(self, tmp_path: Path) -> None:
        path = tmp_path / "A.CSV.GZ"
        path.write_bytes(gzip.compress(b"title,label\nA,1\n"))
        assert read_labelled(path).texts == [("A", "")]

    @pytest.mark.parametrize("column", LABEL_COLUMNS)
    def test_any_of_the_label_columns_will_do(self, tmp_path: Path, column: str) -> None:
        path = write(tmp_path / "a.csv", [["A", "1.0"], ["B", "False"]], f"title,{column}")
        assert read_labelled(path).labels.tolist() == [1, 0]

    def test_the_first_label_column_counts(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.csv", [["A", "0", "1"]], "title,label,label_included")
        assert read_labelled(path).labels.tolist() == [1]

    @pytest.mark.parametrize("label", ["2", "-1", "", "yes", "0.5", "nan"])
    def test_other_labels_are_refused_by_the_number_of_their_record(
        self, tmp_path: Path, label: str
    ) -> None:
        path = write(tmp_path / "a.csv", [["A", "", "1"], ["B", "", label]])
        with pytest.raises(UnusableLabels, match=f"label of record 2 is '{label}'"):
            read_labelled(path)

    def test_for_a_file_without_labels_the_error_names_the_columns(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.csv", [["A", "B"]], "title,abstract")
        with pytest.raises(UnusableLabels, match="label_included, included, label"):
            read_labelled(path)

    def test_a_file_without_texts_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableFile, match="neither a title nor an abstract"):
            read_labelled(write(tmp_path / "a.csv", [["A", "1"]], "name,label"))

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableFile, match=r"There is no file .*nothing\.csv"):
            read_labelled(tmp_path / "nothing.csv")

    @pytest.mark.parametrize(
        ("name", "content", "reason"),
        [
            ("a.csv", b"title,label\nA\xff,1\n", "not in UTF-8"),
            ("a.csv", b"title,label\nA,1,2\n", "record 1 has more cells"),
            ("a.csv", b'title,label\n"A,1\n', "not a well-formed CSV"),
            ("a.csv.gz", b"title,label\nA,1\n", "cannot be read"),
            ("a.csv.gz", gzip.compress(b"title,label\nA,1\n")[:-9], "cannot be read"),
            ("a.csv", b"", "no label column"),
        ],
        ids=["encoding", "ragged", "open quote", "not packed", "cut off", "empty"],
    )
    def test_a_broken_file_is_one_clear_sentence(
        self, tmp_path: Path, name: str, content: bytes, reason: str
    ) -> None:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(TandemError, match=reason) as caught:
            read_labelled(tmp_path / name)
        assert "\n" not in str(caught.value)


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
