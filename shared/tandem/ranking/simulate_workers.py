"""Processes that replay labelled files, each with one thread."""

import multiprocessing
import os
import pickle
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from threading import current_thread, main_thread

from tandem.errors import TandemError
from tandem.ranking import recipes
from tandem.ranking.recipes import Recipe
from tandem.ranking.simulate import Simulation, simulate
from tandem.ranking.simulate_files import Labelled
from tandem.ranking.simulate_screening import Team
from tandem.ranking.simulate_stops import Stops
from tandem.ranking.simulate_team import simulate_team

_SECONDS_BETWEEN_REPORTS = 0.1

_SECONDS_TO_END = 5.0

_THREAD_LIMITS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)

TaskProgress = Callable[[int, int, int], None]
"""Called with a task's place among all and what `simulate.Progress` is called with."""

_Answer = tuple[int, int] | Simulation | Exception
"""What a worker sends: how far a task is, or how it ended."""


class WorkerLost(TandemError):
    """A process that replays files ended by itself, or was ended from outside."""

    code = "worker_lost"


@dataclass(frozen=True)
class How:
    """What is the same for every file and seed; see `simulate` and `simulate_team`."""

    recipe: Recipe
    priors: tuple[int, int] = (1, 1)
    batch: int = 1
    team: Team | None = None
    stops: Stops | None = None


@dataclass(frozen=True)
class Task:
    """One replay: of which file, with which seed."""

    data: Labelled
    seed: int


def run_task(task: Task, how: How, on_progress: Callable[[int, int], None]) -> Simulation:
    if how.team is None:
        return simulate(
            task.data,
            how.recipe,
            seed=task.seed,
            priors=how.priors,
            batch=how.batch,
            wanted_stops=how.stops,
            on_progress=on_progress,
        )
    return simulate_team(
        task.data,
        how.recipe,
        how.team,
        seed=task.seed,
        priors=how.priors,
        batch=how.batch,
        wanted_stops=how.stops,
        on_progress=on_progress,
    )


class Worker:
    """A process, the file that it has, and the number of the task that it is at."""

    def __init__(self, how: How) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, its_end = context.Pipe()
        self._process = context.Process(target=_work, args=(its_end, _to_send(how)), daemon=True)
        self._process.start()
        its_end.close()  # so that its death shows as the end of the stream here
        self._has: Labelled | None = None
        self.task: int | None = None

    def give(self, number: int, task: Task) -> None:
        with suppress(BrokenPipeError):  # `answer` says what became of it
            self.connection.send((None if task.data is self._has else task.data, task.seed))
        self.task, self._has = number, task.data

    def answer(self) -> _Answer:
        try:
            answer: _Answer = self.connection.recv()
        except (EOFError, ConnectionResetError):
            self._process.join(_SECONDS_TO_END)
            code = self._process.exitcode
            return WorkerLost(f"A process that replays files ended by itself (exit code {code}).")
        return answer

    def end(self) -> None:
        self.connection.close()
        self._process.terminate()
        self._process.join(_SECONDS_TO_END)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()


@contextmanager
def started_workers(n: int, how: How) -> Iterator[list[Worker]]:
    workers: list[Worker] = []
    try:
        with _as_children_should_start():
            workers += (Worker(how) for _ in range(n))
        yield workers
    finally:
        for worker in workers:
            worker.end()


@contextmanager
def _as_children_should_start() -> Iterator[None]:
    """Let processes started here have one thread each, and leave Ctrl-C to this one.

    Both must be set before they begin: libraries read the number of threads when they are
    loaded, and a Ctrl-C in the terminal reaches a process that is still importing, too. They
    inherit that it is blocked; here it waits until they are started, and is not lost.
    """
    before = {name: os.environ.get(name) for name in _THREAD_LIMITS}
    os.environ.update(dict.fromkeys(_THREAD_LIMITS, "1"))
    resource_tracker.ensure_running()  # it unblocks Ctrl-C when it is started with the first child
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with _without_interrupts():
            yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Put a Ctrl-C off to the end: another thread, in which it is not blocked, may get it."""
    if current_thread() is not main_thread():
        yield
        return
    came: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if came:
            signal.raise_signal(signal.SIGINT)


_Sent = How | tuple[str, tuple[int, int], int, Team | None, Stops | None]


def _to_send(how: How) -> _Sent:
    """Return how to replay, with a known recipe as its name: a plug-in may be anything."""
    name = how.recipe.name
    if name in recipes.names() and recipes.recipe(name) is how.recipe:
        return name, how.priors, how.batch, how.team, how.stops
    return how


def _received(sent: _Sent) -> How:
    if isinstance(sent, How):
        return sent
    name, priors, batch, team, stops = sent
    return How(recipes.recipe(name), priors, batch, team, stops)


def _work(connection: Connection, sent: _Sent) -> None:
    """Replay what comes in until nobody listens any more; what a worker process runs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    how = _received(sent)
    data: Labelled | None = None
    with suppress(EOFError, OSError):
        while True:
            fresh, seed = connection.recv()
            data = fresh or data
            assert data is not None  # noqa: S101  # the first task comes with its file
            connection.send(_attempt(Task(data, seed), how, connection))


def _attempt(task: Task, how: How, connection: Connection) -> Simulation | Exception:
    now, told_at = (0, 0), -_SECONDS_BETWEEN_REPORTS

    def report(read: int, found: int) -> None:
        nonlocal now, told_at
        now = read, found
        if time.monotonic() - told_at >= _SECONDS_BETWEEN_REPORTS:
            told_at = time.monotonic()
            connection.send(now)

    try:
        result = run_task(task, how, report)
        connection.send(now)
    except (BrokenPipeError, ConnectionResetError):
        raise  # nobody listens any more
    except Exception as error:
        error.add_note(traceback.format_exc())
        return _that_travels(error)
    return result


def _that_travels(error: Exception) -> Exception:
    """Return the error, or one that says the same where it cannot be sent to a process."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  # our own, made one line above
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
