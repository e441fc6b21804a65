"""Many reviews that are screened at the same time: how fresh their rankings are, and how evenly.

    python benchmarks/many_reviews.py --reviews 200 --records 2000 --processes 1,2,4

A fresh installation on loopback; its worker is started again for each number of processes
(`TANDEM_WORKER_CONCURRENCY`). Every review is ranked once; then people decide `--rate` times a
second in all, each time in a review drawn by chance, two for each record. Each second all reviews
are looked at: a review is stale since the first change that its newest ranking does not count.
Fairness is Jain's index of the trainings of reviews that had a decision: 1 where all had as many,
and the share that had any where none had two. Linux only: it reads /proc.
"""

import argparse
import random
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf

import httpx
from redis import Redis
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from installation import ENGINES, Account, Installation, running
from load import Processes
from load_data import Filled, add_review, words_of
from tandem import heartbeat
from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import ReviewId
from tandem.ranking.models import Ranking
from tandem.reviews.models import Review

_CLIENTS = 4
_LOOK_SECONDS = 1.0
_INCLUDED_APART = 7
_MOST_SECONDS = 300.0
"""Until a worker is ready."""


@dataclass
class Seen:
    """What one number of processes came to."""

    processes: int
    minutes: float = 0.0
    n_decisions: int = 0
    trainings: Counter[ReviewId] = field(default_factory=Counter)
    decided: Counter[ReviewId] = field(default_factory=Counter)
    ages: list[float] = field(default_factory=list)
    """Of each stale review at each look, in seconds."""
    looks: int = 0
    cpu: dict[str, float] = field(default_factory=dict)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reviews", type=int, default=200)
    parser.add_argument("--records", type=int, default=2000)
    parser.add_argument("--processes", default="1,2,4")
    parser.add_argument("--rate", type=float, default=10.0, help="decisions a second in all")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--within", type=float, default=3600.0, help="for all first rankings")
    parser.add_argument("--engine", choices=ENGINES, default="sqlite")
    asked = parser.parse_args()
    found = []
    with running(asked.engine) as here:
        owner, people = here.add_account("owner"), [here.add_account(f"r{i}") for i in range(2)]
        reviews = [
            add_review(here, owner, people, n_records=asked.records, fields=words_of)
            for _ in range(asked.reviews)
        ]
        database = here.open_database()
        try:
            wait_until_fresh(database, len(reviews), asked.within)
            screening = _People(here, reviews, asked.rate)
            for processes in map(int, asked.processes.split(",")):
                _restart_worker(here, processes)
                found.append(_watched(here, database, screening, processes, asked.seconds))
                wait_until_fresh(database, len(reviews), asked.within)
        finally:
            database.close()
    show(found, f"{asked.reviews} reviews of {asked.records:,} records, {asked.engine}")


def _restart_worker(here: Installation, processes: int) -> None:
    here.kill("worker")
    here.settings = here.settings.model_copy(update={"worker_concurrency": processes})
    began = time.monotonic()
    here.start("worker")
    with Redis.from_url(here.settings.resolved_redis_url()) as broker:
        while min(heartbeat.ages(broker).get("worker", [inf])) > time.monotonic() - began:
            if time.monotonic() > began + _MOST_SECONDS:
                raise TimeoutError("the worker does not start; see its log")
            time.sleep(_LOOK_SECONDS)


def wait_until_fresh(database: Database, n: int, within: float) -> None:
    """Wait until every review has a ranking that counts all."""
    give_up_at = time.monotonic() + within
    ranked = select(func.count(Ranking.review_id.distinct()))
    stale = select(func.count()).where(Review.stale_since.is_not(None))
    while True:
        with database.read() as session:
            n_ranked, n_stale = session.scalar(ranked) or 0, session.scalar(stale)
        print(f"\r{n_ranked} of {n} ranked, {n_stale} stale   ", end="", file=sys.stderr)
        if n_ranked >= n and not n_stale:
            return
        if time.monotonic() > give_up_at:
            raise TimeoutError("not every review has a fresh ranking; see --within")
        time.sleep(_LOOK_SECONDS)


def _watched(
    here: Installation, database: Database, people: "_People", processes: int, seconds: float
) -> Seen:
    seen, began_at = Seen(processes), now()
    cpu = Processes(here)
    cpu.begin()
    began = time.monotonic()
    people.start()
    try:
        while time.monotonic() - began < seconds:
            _look(database, seen)
            time.sleep(_LOOK_SECONDS)
    finally:
        seen.decided = people.stop()
    seen.minutes = (time.monotonic() - began) / 60
    seen.cpu, seen.n_decisions = cpu.spent(), seen.decided.total()
    with database.read() as session:
        made = select(Ranking.review_id).where(Ranking.created_at > began_at)
        seen.trainings.update(session.scalars(made))
    return seen


def _look(database: Database, seen: Seen) -> None:
    with database.read() as session:
        stale = session.scalars(select(Review.stale_since)).all()
    at = now()
    seen.ages += [(at - since).total_seconds() for since in stale if since is not None]
    seen.looks += 1


class _People:
    """Decides in all reviews at a rate, over HTTP."""

    def __init__(self, here: Installation, reviews: Sequence[Filled], rate: float) -> None:
        self._here, self._reviews, self._rate = here, reviews, rate
        self._dice, self._turns = random.Random(1), Counter[ReviewId]()
        self._lock = threading.Lock()

    def start(self) -> None:
        self._over, self._decided = threading.Event(), Counter[ReviewId]()
        self._failed: list[Exception] = []
        self._threads = [threading.Thread(target=self._run) for _ in range(_CLIENTS)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> Counter[ReviewId]:
        """Return how many decisions there were in each review since the start."""
        self._over.set()
        for thread in self._threads:
            thread.join()
        if self._failed:
            raise self._failed[0]
        return self._decided

    def _run(self) -> None:
        url = f"{self._here.url}/api/v1"
        try:
            with httpx.Client(base_url=url, timeout=120, trust_env=False) as client:
                due = time.monotonic()
                while not self._over.wait(max(0.0, due - time.monotonic())):
                    self._decide(client)
                    due += _CLIENTS / self._rate
        except Exception as error:  # it is raised where the threads are joined
            self._failed.append(error)

    def _decide(self, client: httpx.Client) -> None:
        with self._lock:
            review = self._dice.choice(self._reviews)
            turn = self._turns[review.review_id]
            self._turns[review.review_id] += 1
            self._decided[review.review_id] += 1
        number, who = turn // 2 + 1, review.reviewers[turn % 2]
        verdict = "include" if number % _INCLUDED_APART == 0 else "exclude"
        client.put(
            f"/reviews/{review.review_id}/records/{number}/decision",
            json={"verdict": verdict},
            headers=_headers(who),
        ).raise_for_status()


def _headers(who: Account) -> dict[str, str]:
    return {"Authorization": f"Bearer {who.token}"}


def fairness(trainings: Counter[ReviewId], decided: Counter[ReviewId]) -> float:
    """Return Jain's index of the trainings of reviews that had a decision; 1 is even."""
    shares = [trainings[review] for review in decided]
    squares = sum(share * share for share in shares)
    return sum(shares) ** 2 / (len(shares) * squares) if squares else 1.0


def _range(numbers: Sequence[int]) -> str:
    return f"{min(numbers, default=0)}–{max(numbers, default=0)}"


def show(found: Sequence[Seen], title: str) -> None:
    table = Table(title=title, title_justify="left")
    for name in (
        "worker's processes",
        "decisions a second",
        "trainings a minute",
        "stale at a time",
        "stale, s: median / p95 / most",
        "a review's trainings, least–most",
        "fairness",
        "worker's CPU, s a training",
    ):
        table.add_column(name, justify="right")
    for seen in found:
        ages, n = sorted(seen.ages) or [0.0], max(1, seen.trainings.total())
        p95 = ages[min(len(ages) - 1, int(0.95 * len(ages)))]
        table.add_row(
            str(seen.processes),
            f"{seen.n_decisions / (60 * seen.minutes):.1f}",
            f"{seen.trainings.total() / seen.minutes:.0f}",
            f"{len(seen.ages) / max(1, seen.looks):.1f}",
            f"{statistics.median(ages):.1f} / {p95:.1f} / {ages[-1]:.1f}",
            _range([seen.trainings[review] for review in seen.decided]),
            f"{fairness(seen.trainings, seen.decided):.2f}",
            f"{seen.cpu['worker'] / n:.2f}",
        )
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
