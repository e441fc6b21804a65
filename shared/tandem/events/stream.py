"""The Redis Stream `tandem:events`: every event of every review, for other services.

First the events are added to the stream, then the position commits. Whatever is killed between
the two adds them again: at least once, with the same ids. In order per review: one publisher at
a time, by a lease in the database. One that was suspended and wakes up behind its lease may
repeat events, never bring one before its predecessor.

The database remembers which entry came last. Where the stream ends before it, the broker has lost
entries that nobody may have read: then what the stream should hold is added again.
"""

import time
from collections.abc import Sequence
from datetime import timedelta

from redis import Redis
from redis.typing import EncodableT, FieldT

from tandem.db.base import now
from tandem.db.session import Database
from tandem.events import log, positions
from tandem.events.envelope import Envelope
from tandem.events.log import Event
from tandem.events.positions import Place
from tandem.ids import ReviewId
from tandem.log import logger

STREAM = "tandem:events"
CONSUMER = "stream"

_LEASE = timedelta(seconds=10)
"""Longest wait, after a publisher was killed, until another one goes on."""

_MOST_LOGS, _MOST_EACH = 100, 100
"""Of one batch: so that a review with a long backlog does not hold back the others."""

_LOOKED_THROUGH = 1000
"""Entries that are read at a time when those of one review are sought."""

_log = logger(__name__)


class _ClaimLost(Exception):
    """Another publisher has the claim."""


class Publisher:
    """Brings the stream up to date, as one of any number of publishers."""

    def __init__(self, database: Database, redis: Redis, *, maxlen: int) -> None:
        self._database, self._redis, self._maxlen = database, redis, maxlen

    def publish(self) -> int:
        """Add all that is not in the stream yet; return how many events that were.

        Nothing is done, and 0 returned, while another publisher is at it.

        Raises:
            RedisError: The stream cannot be written; nothing is lost.
        """
        with self._database.glance() as session:
            remembered, is_behind = positions.outlook(session, CONSUMER)
        has_lost = self._has_lost(remembered)
        if not has_lost and not is_behind:
            return 0  # without a write: most of the time there is nothing
        # Before the claim: over millions of events this lasts longer than a claim, and of two
        # relays each would take it from the other, for ever.
        again = self._newest() if has_lost else None
        claimed_at = time.monotonic()
        with self._database.write.begin() as session:
            fence = positions.claim(session, CONSUMER, lasting=_LEASE)
        return 0 if fence is None else self._publish_as(fence, claimed_at, again)

    def _publish_as(
        self, fence: int, held_since: float, again: Sequence[Place] | None = None
    ) -> int:
        n_published, goes_on = 0, True
        try:
            # Asked under the claim: another publisher may have made it good just now.
            if again is not None and self._has_lost(self._remembered()):
                self._begin_anew(fence, again)
            while goes_on and (batch := self._read()):
                if time.monotonic() - held_since > _LEASE.total_seconds():
                    break
                if (last_entry := self._add(batch)) is None:
                    self._begin_anew(fence, self._newest())
                    continue
                held_since = time.monotonic()
                goes_on = self._commit(batch, fence, last_entry)
                n_published += len(batch)
        except _ClaimLost:
            _log.warning("another publisher took over")
        finally:
            if goes_on:
                self._give_back(fence)
        return n_published

    def _read(self) -> Sequence[Event]:
        with self._database.glance() as session:
            return [
                event
                for place in positions.behind(session, CONSUMER, limit=_MOST_LOGS)
                for _, event in log.read_after(
                    session,
                    review_id=place.review_id,
                    after=place.seq,
                    limit=_MOST_EACH,
                    only_open=False,
                )
            ]

    def _has_lost(self, remembered: str | None) -> bool:
        return remembered is not None and _end(self._redis) < _numbers(remembered)

    def _remembered(self) -> str | None:
        with self._database.glance() as session:
            return positions.last_entry(session, CONSUMER)

    def _newest(self) -> Sequence[Place]:
        """Return where all begins that would not be trimmed yet."""
        with self._database.read() as session:
            return positions.before_newest(session, self._maxlen)

    def _begin_anew(self, fence: int, places: Sequence[Place]) -> None:
        """Set the positions back, so that the events after these places are added again."""
        _log.warning("the stream has lost entries; adding the newest events again")
        with self._database.write.begin() as session:
            if not positions.keep(session, CONSUMER, fence, until=now() + _LEASE):
                raise _ClaimLost
            positions.set_back(session, CONSUMER, places)
            positions.note_entry(session, CONSUMER, None)

    def _add(self, batch: Sequence[Event]) -> str | None:
        """Add the events to the stream; return the id of the last entry.

        None, and nothing added, where the stream has lost entries: these events would hide it.
        """
        remembered = self._remembered()
        # One transaction there: a part of a batch would be a hole if its first events failed.
        with self._redis.pipeline(transaction=True) as pipeline:
            # A broker that comes back empty after the look is not the one that was looked at:
            # its client would reconnect silently, but not during a watch.
            pipeline.watch(STREAM)  # type: ignore[no-untyped-call]  # redis-py types it in part
            if remembered is not None and _end(pipeline) < _numbers(remembered):
                return None
            pipeline.multi()
            for event in batch:
                pipeline.xadd(STREAM, _fields(event), maxlen=self._maxlen, approximate=True)
            return _text(pipeline.execute()[-1])

    def _commit(self, batch: Sequence[Event], fence: int, last_entry: str) -> bool:
        """Note that these are in the stream; with nothing behind them, give the claim back.

        Returns whether there is more. Raises _ClaimLost, and notes nothing, if it is not ours.
        """
        reached = {event.review_id: event.seq for event in batch}
        with self._database.write.begin() as session:
            # The claim's row first, as everywhere: two publishers that lock positions before it,
            # each in its own order, would wait for each other.
            until = now() + _LEASE
            if not positions.keep(session, CONSUMER, fence, until=until, last_entry=last_entry):
                raise _ClaimLost
            for review_id, seq in reached.items():
                positions.move(session, CONSUMER, Place(review_id, seq))
            goes_on = bool(positions.behind(session, CONSUMER, limit=1))
            if not goes_on:
                positions.keep(session, CONSUMER, fence, until=None)
            return goes_on

    def _give_back(self, fence: int) -> None:
        with self._database.write.begin() as session:
            positions.keep(session, CONSUMER, fence, until=None)


def forget(redis: Redis, review_id: ReviewId) -> int:
    """Remove a review's entries from the stream; return how many there were."""
    n_removed, after = 0, "-"
    while entries := _entries(redis, after):
        its_own = [entry for entry, of_review in entries if of_review == str(review_id)]
        n_removed += int(redis.xdel(STREAM, *its_own)) if its_own else 0
        after = f"({entries[-1][0]}"
    return n_removed


def _entries(redis: Redis, after: str) -> list[tuple[str, str]]:
    """Return the next entries by id, each with the review that it is of."""
    found = redis.xrange(STREAM, min=after, count=_LOOKED_THROUGH) or []
    some: list[tuple[str, str]] = []
    for entry, fields in found:
        decoded = {_text(name): value for name, value in (fields or {}).items()}
        some.append((_text(entry or ""), _text(decoded.get("review_id", ""))))
    return some


def _end(redis: Redis) -> tuple[int, ...]:
    """Return the id of the last entry that was ever added to the stream as it is now."""
    # Checked first: for a missing stream the broker reports an error like any other.
    if not redis.exists(STREAM):
        return (0, 0)
    return _numbers(redis.xinfo_stream(STREAM)["last-generated-id"])


def _text(answer: bytes | str) -> str:
    """Return the broker's answer as text, for clients with and without decoding."""
    return answer.decode() if isinstance(answer, bytes) else answer


def _numbers(entry: bytes | str) -> tuple[int, ...]:
    """Return an entry's id as it is ordered: milliseconds, and a number within them."""
    return tuple(int(part) for part in _text(entry).split("-"))


def _fields(event: Event) -> dict[FieldT, EncodableT]:
    return {
        "event": Envelope.of(event).as_text(),
        "id": str(event.id),
        "review_id": str(event.review_id),
        "seq": event.seq,
        "type": event.type,
    }
