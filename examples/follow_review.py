"""Keeps a copy of a review's state in a SQLite file of its own, and never misses an event.

    TANDEM_URL=http://127.0.0.1:8000 TANDEM_TOKEN=… python examples/follow_review.py REVIEW_ID

Stop it, kill it, unplug it: started again, it goes on behind the last event it has stored. Each
event changes the copy exactly once, because the change and the event's number are committed
together; an event that comes a second time has a number that is not above the stored one.

Needs `httpx`. The token is that of an owner or adjudicator: to a blinded reviewer outcomes and
conflicts are not in the log.
"""

import json
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx

SILENCE_SECONDS = 40.0
"""A heartbeat comes every 15 s. After more silence than this the connection is taken for dead."""
AGAIN_SECONDS = 1.0

TABLES = """
CREATE TABLE IF NOT EXISTS position (sequence INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS told (sequence INTEGER PRIMARY KEY, id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS record (
    id TEXT, stage TEXT, status TEXT NOT NULL DEFAULT 'open',
    n_decisions INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (id, stage)
);
CREATE TABLE IF NOT EXISTS conflict (id TEXT PRIMARY KEY, record_id TEXT, stage TEXT, kind TEXT);
CREATE TABLE IF NOT EXISTS member (user_id TEXT PRIMARY KEY, role TEXT);
CREATE TABLE IF NOT EXISTS import (id TEXT PRIMARY KEY, state TEXT, n_added INTEGER, error TEXT);
"""

Event = dict[str, Any]


class Gap(Exception):
    """An event was left out. That never happens; if it does, the copy says so and stops."""


class Renumbered(Exception):
    """Another role or policy shows another part of the log with other numbers: start again."""


class Copy:
    """What this program knows of the review."""

    def __init__(self, file: str) -> None:
        self._database = sqlite3.connect(file, isolation_level=None)
        self._database.executescript(TABLES)
        if self._database.execute("SELECT count(*) FROM position").fetchone() == (0,):
            self._database.execute("INSERT INTO position VALUES (0)")

    @property
    def sequence(self) -> int:
        """The number of the last event that is in the copy."""
        (found,) = self._database.execute("SELECT sequence FROM position").fetchone()
        return int(found)

    def take(self, event: Event) -> bool:
        """Let an event take effect; return False if it has had its effect before."""
        number = event["sequence"]
        self._database.execute("BEGIN IMMEDIATE")
        try:
            so_far = self.sequence
            if number > so_far + 1:
                raise Gap(f"event {so_far + 1} is missing: {number} came instead")
            if number <= so_far:
                self._compare(event)
            else:
                self._apply(event["type"].removeprefix("tandem."), event["data"])
                self._run("INSERT INTO told VALUES (:sequence, :id)", event)
                self._database.execute("UPDATE position SET sequence = ?", (number,))
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")
        return bool(number == so_far + 1)

    def _compare(self, event: Event) -> None:
        """Raise Renumbered if what had this number was another event."""
        query = "SELECT id FROM told WHERE sequence = ?"
        (had,) = self._database.execute(query, (event["sequence"],)).fetchone()
        if had != event["id"]:
            raise Renumbered(f"{event['sequence']} is the number of another event than before")

    def _apply(self, kind: str, data: Event) -> None:
        """Change the copy by one event. Types that it does not know do not concern it."""
        match kind:
            case "decision.recorded" if data.get("carried_from") is None:
                self._record(data)
                self._run(
                    "UPDATE record SET n_decisions = n_decisions + 1"
                    " WHERE id = :record_id AND stage = :stage",
                    data,
                )
            case "record.included" | "record.excluded":
                self._record(data)
                self._status(data, kind.removeprefix("record."))
            case "record.reopened":
                self._status(data, "open")
            case "conflict.opened" | "conflict.reopened":
                self._run(
                    "INSERT INTO conflict VALUES (:conflict_id, :record_id, :stage, :kind)", data
                )
            case "conflict.resolved":
                self._run("DELETE FROM conflict WHERE id = :conflict_id", data)
            # The last of these holds: one that failed may be taken up again, and finish.
            case "import.finished":
                self._import(data, state="done", n_added=data["n_added"], error=None)
            case "import.failed":
                self._import(data, state="failed", n_added=None, error=data["error"])
            case "import.retried":
                self._import(data, state="running", n_added=None, error=None)
            case "member.added":
                self._run("INSERT OR REPLACE INTO member VALUES (:user_id, :role)", data)
            case "member.removed":
                self._run("DELETE FROM member WHERE user_id = :user_id", data)

    def _record(self, data: Event) -> None:
        self._run("INSERT OR IGNORE INTO record (id, stage) VALUES (:record_id, :stage)", data)

    def _import(self, data: Event, **fields: Any) -> None:
        self._run(
            "INSERT OR REPLACE INTO import VALUES (:import_id, :state, :n_added, :error)",
            data | fields,
        )

    def _status(self, data: Event, status: str) -> None:
        self._run(
            "UPDATE record SET status = :status WHERE id = :record_id AND stage = :stage",
            data | {"status": status},
        )

    def _run(self, statement: str, values: Event) -> None:
        self._database.execute(statement, values)


def events(client: httpx.Client, review_id: str, after: int) -> Iterator[Event]:
    """Yield events behind number `after` as they come, until the connection ends."""
    headers = {"Accept": "text/event-stream", "Last-Event-ID": str(after)}
    address = f"/api/v1/reviews/{review_id}/events"
    with client.stream("GET", address, headers=headers) as answer:
        answer.raise_for_status()
        for line in answer.iter_lines():
            # What has no number is no part of the log: heartbeats, progress.
            if line.startswith("data:"):
                event = json.loads(line.removeprefix("data:"))
                if "sequence" in event:
                    yield event


def follow(url: str, token: str, review_id: str, file: str) -> None:
    copy = Copy(file)
    headers, timeout = {"Authorization": f"Bearer {token}"}, httpx.Timeout(10, read=SILENCE_SECONDS)
    while True:
        try:
            with httpx.Client(base_url=url, headers=headers, timeout=timeout) as client:
                # The last one again: that it has the number that it had shows that all have.
                for event in events(client, review_id, max(0, copy.sequence - 1)):
                    if copy.take(event):
                        print(event["sequence"], event["type"], flush=True)
        except httpx.TransportError as error:
            print(f"connection lost ({type(error).__name__}), going on", file=sys.stderr)
        except Renumbered as error:
            raise SystemExit(f"{error}: remove {file}, and start again") from None
        except httpx.HTTPStatusError as error:
            if error.response.status_code < 500:
                raise SystemExit(f"refused: {error.response.status_code}") from None
        time.sleep(AGAIN_SECONDS)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(f"usage: {sys.argv[0]} REVIEW_ID")
    review = sys.argv[1]
    follow(os.environ["TANDEM_URL"], os.environ["TANDEM_TOKEN"], review, f"{review}.sqlite3")
