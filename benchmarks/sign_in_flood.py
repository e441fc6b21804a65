"""Do others wait while somebody guesses passwords?

    python benchmarks/sign_in_flood.py [--parallel 80] [--seconds 12] [--rounds 2] [--most 2.0]

A real installation; one person reads their list of reviews over and over. In turns nobody else is
there, or so many clients guess passwords as fast as they are answered: from one source, and each
guess from a source of its own, so that every one of them would be hashed. Fails where the p95 of
the reads beside a flood is more than `--most` times that of the quiet.
"""

import argparse
import multiprocessing
import statistics
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from multiprocessing.connection import Connection

import httpx

from installation import Installation, running

API = "/api/v1"
_BEAT = 0.02


def _flood(
    url: str, parallel: int, seconds: float, *, one_source: bool, result: Connection
) -> None:
    """Guess for so long, from a process of its own; tell at the end how that was answered."""
    end = time.monotonic() + seconds
    limits = httpx.Limits(max_connections=parallel)
    numbers = count()
    with (
        httpx.Client(base_url=url, timeout=120, trust_env=False, limits=limits) as client,
        ThreadPoolExecutor(parallel) as threads,
    ):

        def guess_on(_: int) -> Counter[int]:
            answers: Counter[int] = Counter()
            while time.monotonic() < end:
                n = next(numbers)
                source = (
                    "203.0.113.7" if one_source else f"198.{n // 62500}.{n // 250 % 250}.{n % 250}"
                )
                body = {"email": f"person{n}@example.org", "password": f"guess {n}"}
                headers = {"X-Forwarded-For": source}
                answer = client.post(f"{API}/auth/login", json=body, headers=headers)
                answers[answer.status_code] += 1
            return answers

        result.send(sum(threads.map(guess_on, range(parallel)), Counter[int]()))


def _read(here: Installation, headers: dict[str, str], *, seconds: float) -> list[float]:
    """Return how many seconds each read took."""
    taken, end = [], time.monotonic() + seconds
    with httpx.Client(base_url=here.url, headers=headers, trust_env=False, timeout=120) as client:
        while (began := time.monotonic()) < end:
            client.get(f"{API}/reviews").raise_for_status()
            taken.append(time.monotonic() - began)
            time.sleep(_BEAT)
    return taken


def _beside(
    here: Installation, headers: dict[str, str], said: argparse.Namespace, *, one_source: bool
) -> tuple[list[float], Counter[int]]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_flood,
        args=(here.url, said.parallel, said.seconds + 4),
        kwargs={"one_source": one_source, "result": theirs},
    )
    process.start()
    time.sleep(4)  # it starts, and its connections are made
    taken = _read(here, headers, seconds=said.seconds)
    answers: Counter[int] = ours.recv()
    process.join()
    return taken, answers


def _p95(taken: list[float]) -> float:
    return statistics.quantiles(taken, n=20)[-1] * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parallel", type=int, default=80)
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--most", type=float, default=2.0)
    said = parser.parse_args()
    quiet: list[float] = []
    beside: dict[bool, list[float]] = {True: [], False: []}
    answers: dict[bool, Counter[int]] = {True: Counter(), False: Counter()}
    with running("sqlite") as here:
        owner = here.add_account("owner")
        headers = {"Authorization": f"Bearer {owner.token}"}
        with httpx.Client(base_url=here.url, headers=headers, trust_env=False) as client:
            for n in range(20):
                client.post(f"{API}/reviews", json={"title": f"Review {n}"}).raise_for_status()
        _read(here, headers, seconds=2)  # warm
        for _ in range(said.rounds):
            for one_source in beside:
                quiet += _read(here, headers, seconds=said.seconds / 2)
                taken, answered = _beside(here, headers, said, one_source=one_source)
                beside[one_source] += taken
                answers[one_source] += answered
    base = _p95(quiet)
    print(f"{'':40}  reads  p50 ms  p95 ms  ratio  answers")
    print(f"{'quiet':40}  {len(quiet):5}  {statistics.median(quiet) * 1000:6.1f}  {base:6.1f}")
    for one_source, taken in beside.items():
        name = "one source" if one_source else "each from its own"
        shown = ", ".join(f"{status}: {n}" for status, n in sorted(answers[one_source].items()))
        print(
            f"{f'{said.parallel} clients guess, {name}':40}  {len(taken):5}"
            f"  {statistics.median(taken) * 1000:6.1f}  {_p95(taken):6.1f}"
            f"  {_p95(taken) / base:5.2f}  {shown}"
        )
    sys.exit(0 if max(map(_p95, beside.values())) <= said.most * base else 1)


if __name__ == "__main__":
    main()
