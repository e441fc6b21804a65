"""A review's events as its owner gets them over SSE, each with the moment it arrived."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

_SILENCE_SECONDS = 20.0
"""A heartbeat comes every 15 s; after more silence the connection is taken for dead."""
_PAUSE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Seen:
    """One event. `at` is this process's monotonic clock when it arrived."""

    seq: int
    type: str
    data: dict[str, Any]
    at: float
    id: str


class Watch:
    """Follows the log in a thread, from its first event on, and resumes where it broke off."""

    def __init__(self, url: str, token: str, review_id: str) -> None:
        self.events: list[Seen] = []
        self.n_connections = 0
        self._address = f"{url}/api/v1/reviews/{review_id}/events"
        self._token = token
        self._grown = threading.Condition()
        self._closing = False
        threading.Thread(target=self._run, name="watch", daemon=True).start()

    def wait_until(self, true: Callable[[list[Seen]], bool], *, within: float) -> bool:
        """Wait until the events so far satisfy `true`; return whether they did in time."""
        with self._grown:
            return self._grown.wait_for(lambda: true(self.events), timeout=within)

    def close(self) -> None:
        self._closing = True

    def _run(self) -> None:
        timeout = httpx.Timeout(5, read=_SILENCE_SECONDS)
        while not self._closing:
            try:
                with httpx.Client(timeout=timeout, trust_env=False) as client:
                    self._follow(client)
            except httpx.TransportError:
                pass
            time.sleep(_PAUSE_SECONDS)

    def _follow(self, client: httpx.Client) -> None:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "text/event-stream"}
        if self.events:
            headers["Last-Event-ID"] = str(self.events[-1].seq)
        with client.stream("GET", self._address, headers=headers) as answer:
            if answer.status_code != 200:
                return
            self.n_connections += 1
            for line in answer.iter_lines():
                if self._closing:
                    return
                if line.startswith("data:"):
                    event = json.loads(line.removeprefix("data:"))
                    if "sequence" in event:  # else it tells of progress, and is in no log
                        self._note(event)

    def _note(self, event: dict[str, Any]) -> None:
        seen = Seen(event["sequence"], event["type"], event["data"], time.monotonic(), event["id"])
        with self._grown:
            self.events.append(seen)
            self._grown.notify_all()


def moment_of(written: str) -> float:
    """Return the monotonic moment of a time of day, as events and logs write it."""
    return datetime.fromisoformat(written).timestamp() - time.time() + time.monotonic()


def is_gap_free(events: list[Seen]) -> bool:
    """Whether the numbers are 1, 2, 3, …: none lost, none twice, none out of order."""
    return [event.seq for event in events] == list(range(1, len(events) + 1))


def of_type(events: list[Seen], name: str) -> list[Seen]:
    return [event for event in events if event.type == f"tandem.{name}"]


def newest_ranked(events: list[Seen]) -> int:
    """Return up to which change the newest ranking counts; 0 before the first."""
    rankings = of_type(events, "ranking.updated")
    return max((event.data["labels_seq"] for event in rankings), default=0)
