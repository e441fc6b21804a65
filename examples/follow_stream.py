"""Copies every event of every review from the Redis Stream into a SQLite file, each exactly once.

    TANDEM_URL=http://127.0.0.1:8000 TANDEM_TOKEN=… TANDEM_REDIS_URL=redis://… \
        python examples/follow_stream.py events.sqlite3

Stop it, kill it, empty the broker: started again, it has what it missed. The stream is the fast
way; what it does not hold any more, or never did, is read over HTTP.

Needs `httpx` and `redis`. The token is that of an owner or adjudicator of the reviews that it is
to follow: a blinded reviewer's numbers are not those of the stream.
"""

import json
import os
import sqlite3
import sys
import time
from typing import Any

import httpx
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, ResponseError, TimeoutError
from redis.retry import Retry

STREAM, GROUP, CONSUMER = "tandem:events", "copies", "one"
WAIT_SECONDS, AT_ONCE = 5, 200
SILENCE_SECONDS = 15.0
"""More than the wait: a client that gives up sooner takes each quiet stream for a dead one."""
AGAIN_SECONDS = 0.5

TABLES = """
CREATE TABLE IF NOT EXISTS event (
    review_id TEXT, sequence INTEGER, id TEXT UNIQUE, type TEXT, envelope TEXT,
    PRIMARY KEY (review_id, sequence)
);
"""

Event = dict[str, Any]


class Copy:
    """The events that this program has, of each review 1, 2, 3, … up to some number."""

    def __init__(self, file: str) -> None:
        self._database = sqlite3.connect(file, isolation_level=None)
        self._database.executescript(TABLES)

    def last(self, review_id: str) -> int:
        """Return the number of the last event of a review that is in the copy."""
        query = "SELECT coalesce(max(sequence), 0) FROM event WHERE review_id = ?"
        (found,) = self._database.execute(query, (review_id,)).fetchone()
        return int(found)

    def add(self, event: Event) -> None:
        """Store an event and, by the same row, its number."""
        self._database.execute(
            "INSERT INTO event VALUES (?, ?, ?, ?, ?)",
            (review_of(event), event["sequence"], event["id"], event["type"], json.dumps(event)),
        )


class Follower:
    """Keeps a copy up to date with the stream, and with the API where the stream has holes."""

    def __init__(self, copy: Copy, stream: Redis, api: httpx.Client) -> None:
        self._copy, self._stream, self._api = copy, stream, api

    def follow(self) -> None:
        """Go on until the broker or the API breaks off."""
        self.start()
        while True:
            try:
                self.read()
            except ResponseError as error:
                if not str(error).startswith(("NOGROUP", "UNBLOCKED")):
                    raise
                print("the stream was lost", file=sys.stderr)
                self.start()

    def start(self) -> None:
        """Compare all reviews: nobody knows what the stream has lost meanwhile."""
        # The group first: what happens from now on is in the stream for it, or over HTTP below.
        self._make_group()
        for review in self._pages("/api/v1/reviews", {}):
            self._catch_up(review["id"])

    def read(self) -> None:
        """Take what the stream has, or wait for it a while."""
        # First what was handed to this consumer before and never acknowledged: by ">" it does not
        # come again, whether this program was killed with it or it got lost on the way here.
        for start in ("0", ">"):
            found: Any = self._stream.xreadgroup(
                GROUP, CONSUMER, {STREAM: start}, count=AT_ONCE, block=1000 * WAIT_SECONDS
            )
            for _, entries in found:
                for entry_id, fields in entries:
                    if fields:  # else it was trimmed before it was acknowledged
                        self._take(json.loads(fields["event"]))
                    self._stream.xack(STREAM, GROUP, entry_id)

    def _make_group(self) -> None:
        try:
            self._stream.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):  # it is there already
                raise

    def _take(self, event: Event) -> None:
        review_id = review_of(event)
        last = self._copy.last(review_id)
        if event["sequence"] <= last:
            print("again", review_id, event["sequence"], flush=True)
        elif event["sequence"] == last + 1:
            self._store(event)
        else:
            self._catch_up(review_id)

    def _catch_up(self, review_id: str) -> None:
        """Read what a review's log has behind the copy."""
        after = {"after": str(self._copy.last(review_id))}
        try:
            for event in self._pages(f"/api/v1/reviews/{review_id}/events", after):
                self._store(event)
        except httpx.HTTPStatusError as error:
            if error.response.status_code != httpx.codes.NOT_FOUND:
                raise
            # The stream has every review, also those that this token may not read, or no more.
            print("not ours", review_id, file=sys.stderr)

    def _pages(self, path: str, asked: dict[str, str]) -> Any:
        while True:
            answer = self._api.get(path, params={"limit": "500"} | asked)
            page = answer.raise_for_status().json()
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            asked = {"cursor": page["next_cursor"]}

    def _store(self, event: Event) -> None:
        self._copy.add(event)
        print("new", review_of(event), event["sequence"], flush=True)


def review_of(event: Event) -> str:
    return str(event["source"]).removeprefix("/reviews/")


def main(file: str) -> None:
    copy = Copy(file)
    stream = Redis.from_url(
        os.environ["TANDEM_REDIS_URL"],
        socket_timeout=SILENCE_SECONDS,
        retry=Retry(NoBackoff(), 0),  # else it would hide that the broker was away
        decode_responses=True,
    )
    headers = {"Authorization": f"Bearer {os.environ['TANDEM_TOKEN']}"}
    with httpx.Client(base_url=os.environ["TANDEM_URL"], headers=headers) as api:
        while True:
            try:
                Follower(copy, stream, api).follow()
            except (ConnectionError, TimeoutError, httpx.TransportError) as error:
                print(f"connection lost ({type(error).__name__}), going on", file=sys.stderr)
            except httpx.HTTPStatusError as error:
                if error.response.status_code < 500:
                    raise SystemExit(f"refused: {error.response.status_code}") from None
            time.sleep(AGAIN_SECONDS)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(f"usage: {sys.argv[0]} FILE")
    main(sys.argv[1])
