"""Everybody who waits for a review's events, by every way out: what came to them, and when."""

import json
import os
import socket
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis import Redis

import receiving
from installation import Installation, free_port
from programs import Program
from tandem.events.stream import STREAM
from team import Caller, Members
from watching import Watch

_START_SECONDS = 30.0
_EXAMPLES = Path(__file__).parents[1] / "examples"
OUTCOMES = (
    "tandem.record.included",
    "tandem.record.excluded",
    "tandem.record.reopened",
    "tandem.conflict.opened",
    "tandem.conflict.resolved",
    "tandem.conflict.reopened",
)


@dataclass
class Came:
    """What came by one way. `order`: the numbers as they came, the first time that they did."""

    order: list[int] = field(default_factory=list)
    at: dict[int, float] = field(default_factory=dict)
    n_again: int = 0

    @classmethod
    def of(cls, numbers: Iterable[tuple[int, float]]) -> "Came":
        came = cls()
        for number, at in numbers:
            if number in came.at:
                came.n_again += 1
            else:
                came.order.append(number)
                came.at[number] = at
        return came


class Endpoint:
    """A webhook, and the receiver that it leads to."""

    def __init__(
        self, here: Installation, owner: Caller, review_id: str, *, types: Sequence[str], seed: int
    ) -> None:
        port = free_port()
        self._file = here.folder / f"receiver-{port}.jsonl"
        command = [sys.executable, receiving.__file__, str(port), str(self._file), str(seed)]
        self.program = Program(
            f"receiver-{port}", command, folder=here.folder, env=dict(os.environ)
        )
        # One that is refused twice is left alone for five minutes.
        _wait_until_open(port)
        asked = {"url": f"http://127.0.0.1:{port}/hook", "types": list(types), "after": 0}
        path = f"/reviews/{review_id}/webhooks"
        made = owner.call("POST", path, "setup", once=True, json=asked).json()
        self.program.tell(made["secret"])

    def attempts(self) -> list[receiving.Attempt]:
        return receiving.attempts_in(self._file) if self._file.exists() else []

    def came(self) -> Came:
        return Came.of((each.sequence, each.at) for each in self.attempts() if each.taken)

    def faults(self) -> Counter[str]:
        return Counter(each.fault for each in self.attempts() if each.fault)

    @property
    def n_invalid(self) -> int:
        return sum(not each.valid for each in self.attempts())


class Followers:
    """All of them at one review: two by SSE, the examples, two webhooks."""

    def __init__(self, here: Installation, members: Members, *, seed: int) -> None:
        self._here, self._review = here, members.review_id
        owner = members.owner
        self.owners = Watch(here.url, owner.account.token, members.review_id)
        self.blinded = Watch(here.url, members.reviewers[0].account.token, members.review_id)
        env = os.environ | {
            "TANDEM_URL": here.url,
            "TANDEM_TOKEN": owner.account.token,
            "TANDEM_REDIS_URL": here.settings.resolved_redis_url(),
        }
        self._stream_file = here.folder / "events.sqlite3"
        self.stream = Program(
            "follow_stream",
            [sys.executable, str(_EXAMPLES / "follow_stream.py"), str(self._stream_file)],
            folder=here.folder,
            env=env,
        )
        self.copy = Program(
            "follow_review",
            [sys.executable, str(_EXAMPLES / "follow_review.py"), members.review_id],
            folder=here.folder,
            env=env,
        )
        self.everything = Endpoint(here, owner, members.review_id, types=(), seed=seed)
        self.outcomes = Endpoint(here, owner, members.review_id, types=OUTCOMES, seed=seed)

    @property
    def programs(self) -> list[Program]:
        return [self.stream, self.copy, self.everything.program, self.outcomes.program]

    @property
    def copy_file(self) -> Path:
        return self._here.folder / f"{self._review}.sqlite3"

    def calm(self) -> None:
        """Have the receivers fail no more."""
        for endpoint in (self.everything, self.outcomes):
            endpoint.program.tell("calm")

    def close(self) -> None:
        for watch in (self.owners, self.blinded):
            watch.close()
        for program in self.programs:
            program.stop()

    def has_come(self, number: int, outcome: int) -> dict[str, Callable[[], bool]]:
        """Return by way how to ask whether it has come to this number, or this outcome, yet."""
        return {
            "SSE": lambda: bool(self.owners.events) and self.owners.events[-1].seq >= number,
            "stream": lambda: _reached(self._stream_file, "event") >= number,
            "copy": lambda: _reached(self.copy_file, "position") >= number,
            "webhook": lambda: number in self.everything.came().at,
            "outcomes": lambda: outcome in self.outcomes.came().at,
        }

    def sse_came(self) -> Came:
        return Came.of((event.seq, event.at) for event in list(self.owners.events))

    def stream_came(self) -> Came:
        """What follow_stream.py said that it stored, and how often it had something already."""
        said = [(at, line.split()) for at, line in list(self.stream.lines)]
        came = Came.of((int(number), at) for at, (word, _, number) in said if word == "new")
        came.n_again += sum(word == "again" for _, (word, _, _) in said)
        return came

    def copy_came(self) -> Came:
        return Came.of((int(line.split()[0]), at) for at, line in list(self.copy.lines))

    def stored_from_stream(self) -> list[dict[str, Any]]:
        """Return the envelopes that follow_stream.py has of the review, in their order."""
        query = "SELECT envelope FROM event WHERE review_id = ? ORDER BY sequence"
        with closing(sqlite3.connect(self._stream_file)) as database:
            return [json.loads(text) for (text,) in database.execute(query, (self._review,))]

    def entries(self) -> Came:
        """What is in the stream itself at this moment."""
        redis = Redis.from_url(self._here.settings.resolved_redis_url(), decode_responses=True)
        with redis:
            found: Any = redis.xrange(STREAM)
        mine = [fields for _, fields in found if fields["review_id"] == self._review]
        return Came.of((int(fields["seq"]), 0.0) for fields in mine)


def _wait_until_open(port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def _reached(file: Path, table: str) -> int:
    """Return the highest number in an example's file."""
    with closing(sqlite3.connect(file)) as database:
        (found,) = database.execute(f"SELECT max(sequence) FROM {table}").fetchone()
        return int(found or 0)
