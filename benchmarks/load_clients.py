"""Clients that keep one connection each and cost little themselves."""

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http.client import HTTPConnection
from typing import Any

import httpx

N_LABELLED_APART = 7
"""Every so many records, one is included: about as many as in real reviews."""


class Refused(Exception):
    """The server has answered something else than what the benchmark is about."""


class Client:
    """One reviewer with a token. Two neighbours decide the same records, so half of them settle."""

    def __init__(self, url: str, token: str, review_id: str, records: Sequence[int]) -> None:
        at = httpx.URL(url)
        self._connection = HTTPConnection(at.host, at.port, timeout=120)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._root = f"/api/v1/reviews/{review_id}"
        self._notes = itertools.count()
        self._records: Iterator[int] = itertools.cycle(records)

    def get(self, path: str) -> Any:
        return self._ask("GET", path)

    def bare(self) -> None:
        self._ask("GET", "/healthz")

    def decide(self) -> None:
        number = next(self._records)
        self._ask("PUT", f"{self._root}/records/{number}/decision", self._said(number))

    def queue(self) -> None:
        self._ask("POST", f"{self._root}/queue", {"limit": 1})

    def waiting(self) -> None:
        self._ask("GET", f"{self._root}/waiting")

    def decide_batch(self, size: int) -> None:
        numbers = [next(self._records) for _ in range(size)]
        items = [{"record_id": str(number), **self._said(number)} for number in numbers]
        answer = self._ask("POST", f"{self._root}/decisions", {"items": items})
        if any(item["status"] != 200 for item in answer["items"]):
            raise Refused(str(answer)[:300])

    def _said(self, number: int) -> dict[str, str]:
        # Each is another one than before: the same again would change nothing.
        verdict = "include" if number % N_LABELLED_APART == 0 else "exclude"
        return {"verdict": verdict, "note": str(next(self._notes))}

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        said = None if body is None else json.dumps(body)
        self._connection.request(method, path, said, self._headers)
        answer = self._connection.getresponse()
        raw = answer.read()
        if answer.status >= 400:
            raise Refused(f"{method} {path}: {answer.status} {raw[:300]!r}")
        return json.loads(raw) if raw.startswith((b"{", b"[")) else raw


def flat_out(
    acts: Sequence[Callable[[], None]], during: float, *, every: float = 0.0
) -> list[float]:
    """Repeat each action in a thread of its own; return how long each repetition took.

    Args:
        acts: One for each client.
        during: Seconds after which none is begun.
        every: Seconds from begin to begin, the clients evenly spread; 0 for no pause.
    """
    took: list[float] = []
    failed: list[BaseException] = []
    ends = time.perf_counter() + during

    def run(act: Callable[[], None], at: float) -> None:
        try:
            while True:
                time.sleep(max(0.0, at - time.perf_counter()))
                began = time.perf_counter()
                if began >= ends or failed:
                    return
                act()
                took.append(time.perf_counter() - began)
                at = at + every if every else began
        except BaseException as error:
            failed.append(error)

    began = time.perf_counter()
    threads = [
        threading.Thread(target=run, args=(act, began + every * i / len(acts)))
        for i, act in enumerate(acts)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return took
