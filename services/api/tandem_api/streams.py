"""Server-sent events: who follows a review's log, and what wakes them.

However many clients follow one review, its log and their rights are read once for all of them.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from typing import Any
from uuid import UUID

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from redis import asyncio as aioredis
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from tandem.db.session import Database
from tandem.ids import ReviewId
from tandem.log import logger
from tandem.reviews.models import Review
from tandem.tasks import NOTIFIER, PROGRESS
from tandem_api.feeds import Follower, Update, look
from tandem_api.stream_limits import StreamLimits

HEARTBEAT_SECONDS = 15.0
LOOK_SECONDS = 1.0
"""How often the database is asked, in one query for all readers, whether a log has grown. The
notifier only makes it faster: with Redis down, events come a second later."""

_log = logger(__name__)


class _Subscriber:
    """One client's connection: where it is in the log, and what it has still to be sent.

    It holds one page at most. A client that reads slowly gets the next one when it has taken
    this one, from the log, and costs nobody else anything.
    """

    def __init__(self, follower: Follower) -> None:
        self.follower = follower
        self.is_behind = False
        self._page: bytes | None = None
        self._ended = False
        self._changed = asyncio.Event()

    @property
    def is_free(self) -> bool:
        return self._page is None

    def give(self, update: Update, news: bytes = b"") -> None:
        """Send the new events of the log, and progress messages, which are in no log."""
        self.follower, self.is_behind = update.follower, update.is_behind
        if page := update.page + news:
            self._page = page
            self._changed.set()

    def end(self) -> None:
        self._ended = True
        self._changed.set()

    async def take(self) -> bytes | None:
        """Return the next page, a heartbeat where none comes in time, None at the end."""
        try:
            await asyncio.wait_for(self._changed.wait(), HEARTBEAT_SECONDS)
        except TimeoutError:
            return KEEPALIVE_COMMENT
        page, self._page = self._page, None
        if not self._ended:
            self._changed.clear()
        return page


class _Channel:
    """All who follow one review in this process."""

    def __init__(self, database: Database, review_id: ReviewId) -> None:
        self.wake = asyncio.Event()
        self.subscribers: set[_Subscriber] = set()
        self.news: dict[str, bytes] = {}
        self._database, self._review_id = database, review_id

    async def serve(self) -> None:
        """Hand out what the log has while anybody subscribes."""
        while self.subscribers:
            # Cleared before reading: what is added after the read wakes it again.
            self.wake.clear()
            free = [subscriber for subscriber in self.subscribers if subscriber.is_free]
            for subscriber in self.subscribers.difference(free):
                subscriber.is_behind = True
            # Who has not taken the last page misses this one: the next says all that it does.
            news, self.news = b"".join(self.news.values()), {}
            followers = [subscriber.follower for subscriber in free]
            try:
                updates = await run_in_threadpool(look, self._database, self._review_id, followers)
            except SQLAlchemyError as error:
                _log.warning("event streams ended; their clients will resume", error=str(error))
                return
            for subscriber, one in zip(free, updates, strict=True):
                if one is None:
                    subscriber.end()
                else:
                    subscriber.give(one, news)
            # Rights are checked before each heartbeat: without them a client gets not even that.
            with suppress(TimeoutError):
                await asyncio.wait_for(self.wake.wait(), HEARTBEAT_SECONDS)

    def end(self) -> None:
        for subscriber in self.subscribers:
            subscriber.end()
        self.wake.set()


class EventStreams:
    """Wakes those who follow a review when its log has grown. Lives in the event loop."""

    def __init__(self, database: Database, redis_url: str, limits: StreamLimits) -> None:
        self._database, self._redis_url = database, redis_url
        self.limits = limits
        self._channels: dict[str, _Channel] = {}
        self._seen: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.closing = False
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def n_clients(self) -> int:
        return sum(len(channel.subscribers) for channel in self._channels.values())

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._run(self._listen(), "notifier")
        self._run(self._look(), "look-for-events")

    async def stop(self) -> None:
        self.close()
        for task in list(self._tasks):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def close(self) -> None:
        """End every stream; called in the event loop when the server begins to shut down."""
        self.closing = True
        for channel in self._channels.values():
            channel.end()

    def look_at_rights(self) -> None:
        """Ask at once who of those that follow still may, in this process; from any thread.

        Others ask with their next heartbeat; and nobody gets an event before it was asked.
        """
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake_all)

    def _wake_all(self) -> None:
        for channel in self._channels.values():
            channel.wake.set()

    async def stream(
        self, review_id: ReviewId, follower: Follower, source: str | None
    ) -> AsyncIterator[bytes]:
        """Yield a review's events behind those that the follower has, as they come."""
        subscriber, channel = _Subscriber(follower), self._channel(review_id)
        channel.subscribers.add(subscriber)
        channel.wake.set()
        try:
            with self.limits.counted(source):
                while not self.closing and (page := await subscriber.take()) is not None:
                    yield page
                    if subscriber.is_behind:
                        channel.wake.set()
        finally:
            channel.subscribers.discard(subscriber)
            channel.wake.set()

    def _channel(self, review_id: ReviewId) -> _Channel:
        review = str(review_id)
        if review not in self._channels:
            self._channels[review] = _Channel(self._database, review_id)
            self._run(self._serve(review, self._channels[review]), f"follow {review}")
        return self._channels[review]

    async def _serve(self, review: str, channel: _Channel) -> None:
        try:
            await channel.serve()
        finally:
            # New subscribers get a new channel; those in this one are disconnected.
            del self._channels[review]
            self._seen.pop(review, None)
            channel.end()

    def _wake(self, review: str) -> None:
        if channel := self._channels.get(review):
            channel.wake.set()

    def _hand_on(self, message: str) -> None:
        """Hand on how far some work is. Only the newest of each is kept until it is read."""
        sent = json.loads(message)
        if channel := self._channels.get(sent["review_id"]):
            data = json.dumps(sent["data"], ensure_ascii=False)
            channel.news[sent["about"]] = format_sse_event(data_str=data, event=sent["type"])
            channel.wake.set()

    def _run(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _listen(self) -> None:
        was_heard = True
        async with aioredis.Redis.from_url(self._redis_url, decode_responses=True) as client:
            while True:
                try:
                    async with client.pubsub() as messages:
                        await messages.subscribe(NOTIFIER, PROGRESS)
                        was_heard = True
                        async for message in messages.listen():
                            if message["type"] != "message":
                                continue
                            if message["channel"] == NOTIFIER:
                                self._wake(message["data"])
                                continue
                            try:
                                self._hand_on(message["data"])
                            except (ValueError, KeyError, TypeError) as error:
                                # Of another version, perhaps; the notifier is to go on.
                                _log.warning("a message was not understood", error=repr(error))
                except (RedisError, OSError) as error:
                    if was_heard:
                        _log.warning("notifier not reachable; looking instead", error=str(error))
                    was_heard = False
                    await asyncio.sleep(LOOK_SECONDS)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if not self._channels:
                continue
            try:
                lengths = await run_in_threadpool(self._lengths, list(self._channels))
            except SQLAlchemyError as error:
                _log.warning("could not look for events", error=str(error))
                continue
            for review, length in lengths.items():
                if self._seen.get(review) != length:
                    self._seen[review] = length
                    self._wake(review)

    def _lengths(self, watched: list[str]) -> dict[str, int]:
        with self._database.read() as session:
            ids = [ReviewId(UUID(review)) for review in watched]
            query = select(Review.id, Review.last_seq).where(Review.id.in_(ids))
            return {str(review_id): length for review_id, length in session.execute(query)}
