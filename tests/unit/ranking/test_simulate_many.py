"""Many replays beside each other: order, failures, and that no process is left behind."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tandem.ranking.features import Features
from tandem.ranking.learning import Fitted, Labels
from tandem.ranking.presets import Preset
from tandem.ranking.recipes import PRESETS
from tandem.ranking.simulate import simulate
from tandem.ranking.simulate_files import Labelled, UnusableLabels
from tandem.ranking.simulate_many import run_all, to_find
from tandem.ranking.simulate_screening import Team
from tandem.ranking.simulate_team import simulate_team
from tandem.ranking.simulate_workers import How, Task, WorkerLost

U4 = PRESETS["elas-u4"]
ERRING = Team(sensitivity=0.8, specificity=0.9)
NEVER = 600.0
"""Seconds."""


def labelled(file: str, n: int, n_relevant: int = 8) -> Labelled:
    random = np.random.RandomState(n)
    texts = [(f"Title {row}", f"word{random.randint(30)} word{row % 7}") for row in range(n)]
    return Labelled(file, texts, (np.arange(n) < n_relevant).astype(np.int8))


@dataclass(frozen=True)
class Odd(Preset):
    """Does as elas-u4 does, but where it is asked to in a process of `run_all` only."""

    does: str = "nothing"

    def fit(
        self,
        features: Features,
        *,
        labels: Labels,
        draws: NDArray[np.float64],
        random_state: np.random.RandomState,
    ) -> Fitted | None:
        if self.does == "die":
            os._exit(3)
        if self.does == "sleep":
            time.sleep(NEVER)
        if self.does == "tell":
            assert {os.environ[name] for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")} == {
                "1"
            }
        if self.does == "fail":
            raise ZeroDivisionError("by zero")
        return super().fit(features, labels=labels, draws=draws, random_state=random_state)


def odd(does: str) -> How:
    as_u4: dict[str, Any] = {field.name: getattr(U4, field.name) for field in fields(U4)}
    return How(Odd(**as_u4, does=does), batch=10)


def results(tasks: list[Task], how: How, jobs: int) -> list[dict[str, Any]]:
    with closing(run_all(tasks, how, jobs=jobs)) as found:
        return [replace(one, seconds=0).to_json() for one in found]


class TestInOneProcess:
    def test_it_starts_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(multiprocessing, "get_context", None)
        one, two = labelled("a.csv", 40), labelled("b.csv", 30)
        assert len(results([Task(one, 1), Task(two, 1)], How(U4, batch=9), jobs=1)) == 2
        assert len(results([Task(one, 1)], How(U4, batch=9), jobs=8)) == 1

    def test_progress_names_the_task(self) -> None:
        reports: list[tuple[int, int, int]] = []
        tasks = [Task(labelled("a.csv", 40), seed) for seed in (1, 2)]
        how = How(U4, batch=9)
        with closing(
            run_all(tasks, how, jobs=1, on_progress=lambda *n: reports.append(n))
        ) as found:
            last = [(number, one.last_relevant) for number, one in enumerate(found)]
        assert [task for task, _, _ in reports] == sorted(task for task, _, _ in reports)
        for number, last_relevant in last:
            _, read, n_found = [report for report in reports if report[0] == number][-1]
            assert read >= last_relevant
            assert n_found == to_find(tasks[number], how)

    def test_what_is_to_be_found_is_known_before(self) -> None:
        task = Task(labelled("a.csv", 40), 1)
        assert to_find(task, How(U4)) == 7
        team = simulate_team(task.data, U4, ERRING, seed=1, batch=20)
        assert to_find(task, How(U4, team=ERRING)) == len(team.found_at)
        with pytest.raises(UnusableLabels, match="at least 9 are needed"):
            to_find(task, How(U4, priors=(8, 1)))


class TestInSeveralProcesses:
    def test_results_come_in_the_order_asked_for_and_are_the_same(self) -> None:
        slow, fast = labelled("slow.csv", 150), labelled("fast.csv", 20)
        tasks = [Task(slow, 1), Task(fast, 1), Task(fast, 2)]
        how = How(U4, batch=3, team=ERRING)
        assert results(tasks, how, jobs=2) == results(tasks, how, jobs=1)

    def test_each_has_one_thread_and_this_one_keeps_its_own(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OMP_NUM_THREADS", "7")
        monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
        tasks = [Task(labelled("a.csv", 30), seed) for seed in (1, 2)]
        assert len(results(tasks, odd("tell"), jobs=2)) == 2
        assert os.environ["OMP_NUM_THREADS"] == "7"
        assert "OPENBLAS_NUM_THREADS" not in os.environ

    def test_an_error_comes_at_its_turn_and_leaves_no_process(self) -> None:
        fine, bad = labelled("a.csv", 100), labelled("b.csv", 9, n_relevant=1)
        found, how = [], How(U4, batch=5)
        with pytest.raises(UnusableLabels, match=r"b\.csv has 1 relevant record"):  # noqa: PT012
            for one in run_all([Task(fine, 1), Task(bad, 1), Task(fine, 2)], how, jobs=2):
                found.append(one.file)
        assert found == ["a.csv"]
        assert multiprocessing.active_children() == []

    def test_an_unexpected_error_keeps_its_traceback_as_a_note(self) -> None:
        tasks = [Task(labelled("a.csv", 30), seed) for seed in (1, 2)]
        with pytest.raises(ZeroDivisionError) as caught:
            results(tasks, odd("fail"), jobs=2)
        assert "in fit" in caught.value.__notes__[0]

    def test_a_process_that_dies_is_an_error(self) -> None:
        tasks = [Task(labelled("a.csv", 30), seed) for seed in (1, 2)]
        with pytest.raises(WorkerLost, match=r"ended by itself \(exit code 3\)"):
            results(tasks, odd("die"), jobs=2)
        assert multiprocessing.active_children() == []

    def test_closing_ends_them_in_the_midst_of_their_work(self) -> None:
        tasks = [Task(labelled("a.csv", 30), seed) for seed in (1, 2)]
        started = time.monotonic()
        found = run_all(tasks, odd("sleep"), jobs=2)
        previous = signal.signal(signal.SIGALRM, _interrupt)
        signal.setitimer(signal.ITIMER_REAL, 2)
        with pytest.raises(KeyboardInterrupt), closing(found):
            next(found)
        signal.signal(signal.SIGALRM, previous)
        assert time.monotonic() - started < NEVER
        assert multiprocessing.active_children() == []


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.processes
def test_ctrl_c_ends_everything_without_a_traceback(tmp_path: Path) -> None:
    rows = "".join(f"Title {n} word{n % 97},{int(n % 50 == 0)}\n" for n in range(5000))
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("title,label\n" + rows, encoding="utf-8")
    command = [sys.executable, "-m", "tandem", "simulate", "a.csv", "b.csv"]
    running = subprocess.Popen(
        [*command, "--jobs", "2", "--model", "elas-u4", "--json"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    while running.poll() is None and n_children(running.pid) < 2:
        time.sleep(0.05)  # until those that replay have been started
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does: the children get it, too
    out, err = running.communicate()

    assert running.returncode == 130
    assert (out, err.strip()) == (b"", b"")
    assert is_gone(running.pid, within=120)


def n_children(pid: int) -> int:
    """Return how many processes the threads of one have started; 0 once it has ended."""
    try:
        lists = [
            task.joinpath("children").read_text() for task in Path(f"/proc/{pid}/task").iterdir()
        ]
    except FileNotFoundError:
        return 0
    return sum(len(children.split()) for children in lists)


def is_gone(group: int, *, within: float) -> bool:
    """Say whether no process of the group is left, after so many seconds at most."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def test_a_run_alone_equals_a_plain_call() -> None:
    data = labelled("a.csv", 50)
    [through] = results([Task(data, 3)], How(U4, batch=4), jobs=1)
    assert through == replace(simulate(data, U4, seed=3, batch=4), seconds=0).to_json()
