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
from tandem_api.seats import Seats

HEARTBEAT_SECONDS = 15.0
LOOK_SECONDS = 1.0
"""How often the database is asked, in one query for all readers, whether a log has grown. The
notifier only makes it faster: with Redis down, events come a second later."""

_log = logger(__name__)


class _Seat:
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


class _Room:
    """All who follow one review in this process."""

    def __init__(self, database: Database, review_id: ReviewId) -> None:
        self.bell = asyncio.Event()
        self.seats: set[_Seat] = set()
        self.news: dict[str, bytes] = {}
        self._database, self._review_id = database, review_id

    async def serve(self) -> None:
        """Hand out what the log has for those who sit here, for as long as anybody does."""
        while self.seats:
            # Cleared before reading: what is added after the read rings again.
            self.bell.clear()
            free = [seat for seat in self.seats if seat.is_free]
            for seat in self.seats.difference(free):
                seat.is_behind = True
            # Whose seat is not free misses it: the next one says all that this one does.
            news, self.news = b"".join(self.news.values()), {}
            followers = [seat.follower for seat in free]
            try:
                updates = await run_in_threadpool(look, self._database, self._review_id, followers)
            except SQLAlchemyError as error:
                _log.warning("event streams ended; their clients will resume", error=str(error))
                return
            for seat, one in zip(free, updates, strict=True):
                if one is None:
                    seat.end()
                else:
                    seat.give(one, news)
            # Rights are checked before each heartbeat: without them a client gets not even that.
            with suppress(TimeoutError):
                await asyncio.wait_for(self.bell.wait(), HEARTBEAT_SECONDS)

    def end(self) -> None:
        for seat in self.seats:
            seat.end()
        self.bell.set()


class Bells:
    """Wakes those who follow a review when its log has grown. Lives in the event loop."""

    def __init__(self, database: Database, redis_url: str, seats: Seats) -> None:
        self._database, self._redis_url = database, redis_url
        self.seats = seats
        self._rooms: dict[str, _Room] = {}
        self._seen: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.closing = False
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def n_clients(self) -> int:
        return sum(len(room.seats) for room in self._rooms.values())

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
        for room in self._rooms.values():
            room.end()

    def look_at_rights(self) -> None:
        """Ask at once who of those that follow still may, in this process; from any thread.

        Others ask with their next heartbeat; and nobody gets an event before it was asked.
        """
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._ring_all)

    def _ring_all(self) -> None:
        for room in self._rooms.values():
            room.bell.set()

    async def stream(
        self, review_id: ReviewId, follower: Follower, source: str | None
    ) -> AsyncIterator[bytes]:
        """Yield a review's events behind those that the follower has, as they come."""
        seat, room = _Seat(follower), self._room(review_id)
        room.seats.add(seat)
        room.bell.set()
        try:
            with self.seats.taken(source):
                while not self.closing and (page := await seat.take()) is not None:
                    yield page
                    if seat.is_behind:
                        room.bell.set()
        finally:
            room.seats.discard(seat)
            room.bell.set()

    def _room(self, review_id: ReviewId) -> _Room:
        review = str(review_id)
        if review not in self._rooms:
            self._rooms[review] = _Room(self._database, review_id)
            self._run(self._serve(review, self._rooms[review]), f"follow {review}")
        return self._rooms[review]

    async def _serve(self, review: str, room: _Room) -> None:
        try:
            await room.serve()
        finally:
            # New subscribers get a new room; those in this one are disconnected.
            del self._rooms[review]
            self._seen.pop(review, None)
            room.end()

    def _ring(self, review: str) -> None:
        if room := self._rooms.get(review):
            room.bell.set()

    def _tell(self, message: str) -> None:
        """Hand on how far some work is. Only the newest of each is kept until it is read."""
        sent = json.loads(message)
        if room := self._rooms.get(sent["review_id"]):
            data = json.dumps(sent["data"], ensure_ascii=False)
            room.news[sent["about"]] = format_sse_event(data_str=data, event=sent["type"])
            room.bell.set()

    def _run(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _listen(self) -> None:
        was_heard = True
        async with aioredis.Redis.from_url(self._redis_url, decode_responses=True) as client:
            while True:
                try:
                    async with client.pubsub() as channel:
                        await channel.subscribe(NOTIFIER, PROGRESS)
                        was_heard = True
                        async for message in channel.listen():
                            if message["type"] != "message":
                                continue
                            if message["channel"] == NOTIFIER:
                                self._ring(message["data"])
                                continue
                            try:
                                self._tell(message["data"])
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
            if not self._rooms:
                continue
            try:
                lengths = await run_in_threadpool(self._lengths, list(self._rooms))
            except SQLAlchemyError as error:
                _log.warning("could not look for events", error=str(error))
                continue
            for review, length in lengths.items():
                if self._seen.get(review) != length:
                    self._seen[review] = length
                    self._ring(review)

    def _lengths(self, watched: list[str]) -> dict[str, int]:
        with self._database.read() as session:
            ids = [ReviewId(UUID(review)) for review in watched]
            query = select(Review.id, Review.last_seq).where(Review.id.in_(ids))
            return {str(review_id): length for review_id, length in session.execute(query)}
