"""Server-sent events: waiting for a review's log to grow, without holding a database session."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
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
from tandem.tasks import DOORBELL
from tandem_api.schemas.events import EventOut

HEARTBEAT_SECONDS = 15.0
LOOK_SECONDS = 1.0
"""How often the database is asked, in one query for all readers, whether a log has grown. The
doorbell only makes it faster: with Redis down, events come a second later."""

_log = logger(__name__)


class Bells:
    """Wakes the readers of a review when its log has grown. Lives in the event loop."""

    def __init__(self, database: Database, redis_url: str) -> None:
        self._database, self._redis_url = database, redis_url
        self._readers: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._seen: dict[str, int] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.closing = False

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._listen(), name="doorbell"),
            asyncio.create_task(self._look(), name="look-for-events"),
        ]

    async def stop(self) -> None:
        self.close()
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def close(self) -> None:
        """End every stream; called in the event loop when the server begins to shut down."""
        self.closing = True
        for review in list(self._readers):
            self._ring(review)

    @contextmanager
    def reader(self, review_id: ReviewId) -> Iterator[asyncio.Event]:
        """Give a bell that rings when there may be new events."""
        bell, review = asyncio.Event(), str(review_id)
        self._readers[review].add(bell)
        try:
            yield bell
        finally:
            self._readers[review].discard(bell)
            if not self._readers[review]:
                del self._readers[review]
                self._seen.pop(review, None)

    def _ring(self, review: str) -> None:
        for bell in self._readers.get(review, ()):
            bell.set()

    async def _listen(self) -> None:
        was_heard = True
        async with aioredis.Redis.from_url(self._redis_url, decode_responses=True) as client:
            while True:
                try:
                    async with client.pubsub() as channel:
                        await channel.subscribe(DOORBELL)
                        was_heard = True
                        async for message in channel.listen():
                            if message["type"] == "message":
                                self._ring(message["data"])
                except (RedisError, OSError) as error:
                    if was_heard:
                        _log.warning("doorbell not reachable; looking instead", error=str(error))
                    was_heard = False
                    await asyncio.sleep(LOOK_SECONDS)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if not self._readers:
                continue
            try:
                lengths = await run_in_threadpool(self._lengths, list(self._readers))
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


async def stream(
    bells: Bells,
    review_id: ReviewId,
    *,
    read: Callable[[], Sequence[EventOut] | None],
) -> AsyncIterator[bytes]:
    """Yield a review's events for as long as they are read.

    Args:
        bells: Of this process.
        review_id: Whose events.
        read: Returns the events behind those it returned before, at most a page of them; None
            once the client has lost the right to see them. Called in a thread.
    """
    with bells.reader(review_id) as bell:
        while not bells.closing:
            # Cleared before reading: what is added after the read rings again.
            bell.clear()
            try:
                events = await run_in_threadpool(read)
            except SQLAlchemyError as error:
                _log.warning("event stream ended; its client will resume", error=str(error))
                return
            if events is None:
                return
            page = b""
            for event in events:
                page += format_sse_event(
                    data_str=event.model_dump_json(exclude_none=True),
                    event=event.type,
                    id=str(event.sequence),
                )
            if events:
                yield page
                continue
            try:
                await asyncio.wait_for(bell.wait(), HEARTBEAT_SECONDS)
            except TimeoutError:
                yield KEEPALIVE_COMMENT
