"""Many files and seeds: in processes beside each other, results in the order asked for."""

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from functools import partial
from multiprocessing.connection import wait

import numpy as np

from tandem.ranking.simulate import Simulation, draw_priors
from tandem.ranking.simulate_team import start_of
from tandem.ranking.simulate_workers import (
    How,
    Task,
    TaskProgress,
    Worker,
    run_task,
    started_workers,
)


def to_find(task: Task, how: How) -> int:
    """Return how many records the replay of a task ends with having found.

    Raises:
        UnusableLabels: The task cannot be replayed.
    """
    if how.team is None:
        draw_priors(task.data, how.priors, task.seed)
        return int(np.sum(task.data.labels == 1)) - how.priors[0]
    start = start_of(task.data, how.team, seed=task.seed, priors=how.priors)
    return int(np.sum(start.wanted))


def run_all(
    tasks: Sequence[Task], how: How, *, jobs: int, on_progress: TaskProgress | None = None
) -> Generator[Simulation, None, None]:
    """Yield the result of each task, in the order of tasks, as soon as its turn comes.

    Args:
        tasks: Those of one file one after the other: then each process makes a file's features
            no more than once.
        how: What is common to them.
        jobs: Processes at once, ≥ 1, each with one thread. With one, or for one task, none is
            started. They end when the generator is closed, whatever they are doing.
        on_progress: Called now and then.

    Raises:
        WorkerLost: A process ended without an answer.
        Exception: What the first task in order that failed has raised; after a failure no
            further task is begun.
    """
    report = on_progress or (lambda *_: None)
    if min(jobs, len(tasks)) <= 1:
        for number, task in enumerate(tasks):
            yield run_task(task, how, partial(report, number))
        return
    with started_workers(min(jobs, len(tasks)), how) as workers:
        yield from _in_order(tasks, workers, report)


def _in_order(
    tasks: Sequence[Task], workers: Sequence[Worker], report: TaskProgress
) -> Iterator[Simulation]:
    waiting = deque(enumerate(tasks))
    done: dict[int, Simulation | Exception] = {}
    for turn in range(len(tasks)):
        while turn not in done:
            for worker in workers:
                if worker.task is None and waiting:
                    worker.give(*waiting.popleft())
            for worker, number in _that_answer(workers):
                answer = worker.answer()
                if isinstance(answer, tuple):
                    report(number, *answer)
                    continue
                done[number], worker.task = answer, None
                if isinstance(answer, Exception):
                    waiting.clear()
        result = done.pop(turn)
        if isinstance(result, Exception):
            raise result
        yield result


def _that_answer(workers: Sequence[Worker]) -> list[tuple[Worker, int]]:
    """Wait for workers that are at a task; return those that have something to say, and it."""
    busy = [(worker, worker.task) for worker in workers if worker.task is not None]
    ready = wait([worker.connection for worker, _ in busy])
    return [(worker, number) for worker, number in busy if worker.connection in ready]
