"""A thousand clients follow one review; one event: how long until all of them have it?

    python benchmarks/listeners.py [--clients 1000] [--events 5] [--engine sqlite|postgresql|both]

Each is a connection of its own to one API process, by one of 50 people; half of them are
blinded. Prints the delay from the answer to the decision until the event arrived, and what the
API process holds in memory. Exit code 1 where the 95th percentile is above a second.
"""

import argparse
import asyncio
import statistics
import sys
import time
from pathlib import Path

from rich.console import Console

from installation import ENGINES, Engine, Installation, running
from measures import Line, print_table, quantile
from team import Caller, gather, upload

_PEOPLE = 50
_OPENING_AT_ONCE = 50
_LONGEST_SECONDS = 1.0
_PATIENCE_SECONDS = 30.0


class Listener:
    """One connection; keeps when each event came."""

    def __init__(self, host: str, port: int, path: str, token: str) -> None:
        self._host, self._port = host, port
        self._ask = (
            f"GET /api/v1{path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\n"
            f"Authorization: Bearer {token}\r\n\r\n"
        )
        self.came: list[float] = []
        self._reading: asyncio.Task[None] | None = None

    async def open(self) -> None:
        reader, self._writer = await asyncio.open_connection(self._host, self._port)
        self._writer.write(self._ask.encode())
        status = await asyncio.wait_for(reader.readline(), _PATIENCE_SECONDS)
        if b" 200 " not in status:
            raise RuntimeError(f"a stream was refused: {status!r}")
        self._reading = asyncio.create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            if line.startswith(b"event: tandem.decision.recorded"):
                self.came.append(time.monotonic())

    def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
        self._writer.close()


async def listen(here: Installation, clients: int, events: int) -> list[Line]:
    members = gather(here, _PEOPLE, per_record=2, title="Listeners", question=None)
    table = "title,abstract\n" + "".join(f"Study {n},Text {n}\n" for n in range(1, events + 1))
    upload(members, "corpus.csv", table.encode(), within=60)
    owner = members.owner
    path = f"/reviews/{members.review_id}/events"
    host, port = here.settings.host, here.settings.port
    so_far = {True: _so_far(owner, path), False: _so_far(members.reviewers[0], path)}
    listeners = [
        Listener(
            host,
            port,
            f"{path}?after={so_far[caller is owner]}",
            caller.account.token,
        )
        for n in range(clients)
        # The owner sees everything, reviewers are blinded: two numberings of the log.
        for caller in [owner if n % 2 else members.reviewers[n // 2 % _PEOPLE]]
    ]
    before = _memory(here.pid("api"))
    began = time.monotonic()
    for first in range(0, clients, _OPENING_AT_ONCE):
        await asyncio.gather(*(one.open() for one in listeners[first : first + _OPENING_AT_ONCE]))
    opened = time.monotonic() - began
    held = _memory(here.pid("api"))
    delays: list[float] = []
    for number in range(1, events + 1):
        await asyncio.to_thread(
            owner.call,
            "PUT",
            f"/reviews/{members.review_id}/records/{number}/decision",
            "decide",
            json={"verdict": "include"},
        )
        answered = time.monotonic()
        await _wait_for_all(listeners, number)
        delays += [one.came[number - 1] - answered for one in listeners if len(one.came) >= number]
    reached = sum(len(one.came) == events for one in listeners)
    for one in listeners:
        one.close()
    p95 = quantile(delays, 0.95)
    return [
        Line("clients that got every event", f"{reached}", f"{clients}", reached == clients),
        Line("delay, median", f"{statistics.median(delays):.2f} s"),
        Line("delay, p95", f"{p95:.2f} s", f"≤ {_LONGEST_SECONDS:g} s", p95 <= _LONGEST_SECONDS),
        Line("delay, longest", f"{max(delays):.2f} s"),
        Line("opening them all", f"{opened:.1f} s"),
        Line("memory of the API, before / with them", f"{before} / {held} MB"),
    ]


def _so_far(caller: Caller, path: str) -> int:
    return len(caller.pages(path))


async def _wait_for_all(listeners: list[Listener], number: int) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and any(len(one.came) < number for one in listeners):
        await asyncio.sleep(0.05)


def _memory(pid: int) -> int:
    """Return the resident set of a process, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return round(int(line.split()[1]) / 1024)
    raise RuntimeError("this system does not say how much memory a process holds")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--events", type=int, default=5)
    parser.add_argument("--engine", choices=[*ENGINES, "both"], default="sqlite")
    asked = parser.parse_args()
    engines: tuple[Engine, ...] = ENGINES if asked.engine == "both" else (asked.engine,)
    columns: dict[str, list[Line]] = {}
    for engine in engines:
        Console(stderr=True).print(f"{engine}: {asked.clients:,} clients …")
        with running(engine) as here:
            columns[engine] = asyncio.run(listen(here, asked.clients, asked.events))
    print_table(f"{asked.clients:,} SSE clients, one API process", columns)
    failed = any(line.ok is False for lines in columns.values() for line in lines)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
