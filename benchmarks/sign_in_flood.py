"""Do others wait while somebody guesses passwords?

    python benchmarks/sign_in_flood.py [--parallel 80] [--bursts 8] [--most 2.0]

A real installation; one person reads their list of reviews over and over. First nobody else is
there; then come bursts of wrong sign-ins at once, from one source, and from as many sources as
there are sign-ins, so that every one of them would be hashed. Fails where the p95 of the reads,
taken while sign-ins are unanswered, is more than `--most` times that of the quiet.
"""

import argparse
import multiprocessing
import statistics
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection

import httpx

from installation import Installation, running

API = "/api/v1"
_PAUSE = 0.5


@dataclass(frozen=True)
class Burst:
    """One burst: when it began and ended, and how it was answered."""

    began: float
    ended: float
    answers: Counter[int]


def _flood(url: str, parallel: int, bursts: int, *, one_source: bool, told: Connection) -> None:
    """Send the bursts, from a process of its own; tell of them at the end."""
    said = []
    limits = httpx.Limits(max_connections=parallel)
    with (
        httpx.Client(base_url=url, timeout=120, trust_env=False, limits=limits) as client,
        ThreadPoolExecutor(parallel) as threads,
    ):

        def guess(n: int) -> int:
            source = "203.0.113.7" if one_source else f"198.51.{n // 250}.{n % 250}"
            body = {"email": f"person{n}@example.org", "password": f"guess {n}"}
            headers = {"X-Forwarded-For": source}
            return client.post(f"{API}/auth/login", json=body, headers=headers).status_code

        for burst in range(bursts):
            began = time.monotonic()
            numbers = range(burst * parallel, (burst + 1) * parallel)
            answers = Counter(threads.map(guess, numbers))
            said.append(Burst(began, time.monotonic(), answers))
            time.sleep(_PAUSE)
    told.send(said)


def _read(here: Installation, headers: dict[str, str], until: "Until") -> list[tuple[float, float]]:
    """Return when each read began and how many seconds it took."""
    taken = []
    with httpx.Client(base_url=here.url, headers=headers, trust_env=False, timeout=120) as client:
        while not until():
            began = time.monotonic()
            client.get(f"{API}/reviews").raise_for_status()
            taken.append((began, time.monotonic() - began))
            time.sleep(0.01)
    return taken


class Until:
    """True when a process has ended, or after some seconds where there is none."""

    def __init__(
        self, process: "multiprocessing.process.BaseProcess | None", seconds: float
    ) -> None:
        self._process, self._end = process, time.monotonic() + seconds

    def __call__(self) -> bool:
        if self._process is not None:
            return not self._process.is_alive()
        return time.monotonic() > self._end


def _during(
    here: Installation, headers: dict[str, str], parallel: int, bursts: int, *, one_source: bool
) -> tuple[list[float], list[Burst]]:
    ours, theirs = multiprocessing.Pipe()
    spawned = multiprocessing.get_context("spawn")
    process = spawned.Process(
        target=_flood,
        args=(here.url, parallel, bursts),
        kwargs={"one_source": one_source, "told": theirs},
    )
    process.start()
    taken = _read(here, headers, Until(process, 0))
    process.join()
    found: list[Burst] = ours.recv()
    inside = [
        seconds
        for began, seconds in taken
        if any(began < burst.ended and began + seconds > burst.began for burst in found)
    ]
    return inside, found


def _p95(taken: list[float]) -> float:
    return statistics.quantiles(taken, n=20)[-1] * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parallel", type=int, default=80)
    parser.add_argument("--bursts", type=int, default=8)
    parser.add_argument("--most", type=float, default=2.0)
    said = parser.parse_args()
    with running("sqlite") as here:
        owner = here.add_account("owner")
        headers = {"Authorization": f"Bearer {owner.token}"}
        with httpx.Client(base_url=here.url, headers=headers, trust_env=False) as client:
            for n in range(20):
                client.post(f"{API}/reviews", json={"title": f"Review {n}"}).raise_for_status()
        _read(here, headers, Until(None, 2))  # warm
        quiet = [seconds for _, seconds in _read(here, headers, Until(None, 15))]
        print(f"{'':34}  reads  p50 ms  p95 ms  ratio  answers")
        base = _p95(quiet)
        print(f"{'quiet':34}  {len(quiet):5}  {statistics.median(quiet) * 1000:6.1f}  {base:6.1f}")
        worst = 0.0
        for one_source, name in ((True, "one source"), (False, "each from its own")):
            taken, bursts = _during(
                here, headers, said.parallel, said.bursts, one_source=one_source
            )
            ratio = _p95(taken) / base
            worst = max(worst, ratio)
            answers = sum((burst.answers for burst in bursts), Counter[int]())
            shown = ", ".join(f"{status}: {n}" for status, n in sorted(answers.items()))
            label = f"{said.parallel} wrong sign-ins, {name}"
            print(
                f"{label:34}  {len(taken):5}  {statistics.median(taken) * 1000:6.1f}"
                f"  {_p95(taken):6.1f}  {ratio:5.2f}  {shown}"
            )
    sys.exit(0 if worst <= said.most else 1)


if __name__ == "__main__":
    main()
