"""Names of the worker's tasks, and the only Celery client.

A message is a hint that saves seconds. It is sent after the commit, by a thread of its own,
and may be lost: the relay finds in the database what is due.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from celery import Celery
from kombu.connection import Connection
from kombu.exceptions import OperationalError
from kombu.transport import redis as redis_transport
from redis import Redis
from redis.exceptions import RedisError

from tandem import heartbeat
from tandem.ids import ImportId, ReviewId
from tandem.message_sender import MessageSender

RERANK = "tandem.rerank"
RERANK_LARGE = "tandem.rerank_large"
ENCODE = "tandem.encode"
IMPORT = "tandem.import_records"
SECOND_LOOKS = "tandem.second_looks"
READ_TEXTS = "tandem.read_texts"
REMOVE_REVIEW = "tandem.remove_review"
QUEUE = "tandem"
"""Rankings. What people wait for stands behind nothing else."""
BULK = "tandem.bulk"
"""Imports, encodings and the like, which may take hours: workers keep other slots for them."""
LARGE = "tandem.large"
"""Rankings of large reviews, which take minutes: they never take the slots of all others."""
QUEUES = {"rankings": QUEUE, "large": LARGE, "bulk": BULK}
"""By the names that operators use."""
NOTIFIER = "tandem:notifier"
"""Channel on which the id of every review with new events is published."""

NOTIFIER_SECONDS = 0.1
"""Between two messages of one process about one review's log. The first one is sent at once."""

PROGRESS = "tandem:progress"
"""Channel on which running work says how far it is: for pages that show a bar. It stands in no
log, and what is lost is lost; see `TaskSignals.progress`."""

PROGRESS_SECONDS = 0.25
"""Between two messages about one piece of work."""

RERANK_SECONDS = 0.5
"""Between two messages of one process about one review's ranking. It is ranked no sooner either:
see `tandem.ranking.pace`. The first one is sent at once."""

_CLOCKS_DIFFER_SECONDS = 0.05

HARD_TIME_LIMIT_SECONDS = 3600
VISIBILITY_TIMEOUT_SECONDS = 2 * HARD_TIME_LIMIT_SECONDS
"""Above the time limit, or the broker would give a task that still runs to a second worker."""


class _Channel(redis_transport.Channel):
    """A channel that says in the right words that its connection is gone.

    When the broker dies while a task runs, Celery's worker closes the channel twice and later
    acknowledges the task on it. In kombu 5.7 both end in an AttributeError, which ends the
    worker's consumer for good; as a lost connection they are expected, and it goes on.
    """

    def _connparams(self, asynchronous: bool = False) -> Any:
        if self.connection is None or self.connection.client is None:
            raise ConnectionError("the connection to the broker is closed")
        return super()._connparams(asynchronous)  # type: ignore[no-untyped-call]


class _Transport(redis_transport.Transport):
    Channel = _Channel


class _Connection(Connection):
    def get_transport_cls(self) -> type[_Transport]:
        return _Transport

    def ensure_connection(self, *args: Any, **options: Any) -> Any:
        # Celery's worker waits two seconds longer each time, up to 30, and has no setting for
        # that: after a long outage half a minute would pass before anybody works again.
        waits = {"interval_start": 0.5, "interval_step": 0.5, "interval_max": 2.0}
        return super().ensure_connection(*args, **(waits | options))  # type: ignore[no-untyped-call]


def celery_app(redis_url: str) -> Celery:
    """Return a Celery application on this broker; sending is tried once, and fails fast."""
    app = Celery("tandem", broker=celery_broker_url(redis_url))
    app.amqp.Connection = _Connection
    app.conf.update(
        accept_content=["json"],
        task_default_queue=QUEUE,
        task_routes={
            RERANK_LARGE: {"queue": LARGE},
            **{
                name: {"queue": BULK}
                for name in (IMPORT, ENCODE, SECOND_LOOKS, READ_TEXTS, REMOVE_REVIEW)
            },
        },
        task_serializer="json",
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_time_limit=HARD_TIME_LIMIT_SECONDS,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "visibility_timeout": VISIBILITY_TIMEOUT_SECONDS,
            "unacked_restore_interval": 10,
            "socket_connect_timeout": 2,
            "socket_timeout": 5,
            "retry_on_timeout": False,
            "health_check_interval": 10,
        },
        task_publish_retry=False,
    )
    return app


def celery_broker_url(redis_url: str) -> str:
    """Return the URL in Celery's own spelling: a Unix socket is `redis+socket://` there."""
    if redis_url.startswith("unix://"):
        return "redis+socket://" + redis_url.removeprefix("unix://")
    return redis_url


@dataclass(frozen=True, slots=True)
class BrokerFigures:
    """Messages that wait for a worker, by queue, and how old each process's last heartbeat is."""

    waiting: Mapping[str, int]
    heartbeats: Mapping[str, Sequence[float]]


class TaskSignals:
    """Tells workers and event readers, in the background, that there may be something new.

    Many signals about one thing become one while an earlier one is still to be sent. Nothing
    waits for it and nothing depends on it.
    """

    def __init__(self, redis_url: str) -> None:
        self._celery = celery_app(redis_url)
        # Else sending waits, trying again, until the broker is back; closing would wait for it.
        self._celery.conf.broker_transport_options |= {"max_retries": 0}
        self._redis = Redis.from_url(redis_url, socket_connect_timeout=2, socket_timeout=5)
        self._last_progress: dict[str, tuple[Mapping[str, object], float]] = {}
        self._sender = MessageSender(unreachable=(OperationalError, RedisError, OSError))

    def has_new_events(self, review_id: ReviewId) -> None:
        """The review has new events."""
        name = str(review_id)
        self._put((NOTIFIER, name), lambda: self._redis.publish(NOTIFIER, name), NOTIFIER_SECONDS)

    def changed(self, review_id: ReviewId) -> None:
        """New events, and perhaps a ranking that is stale now."""
        self.has_new_events(review_id)
        name = str(review_id)
        self._put((RERANK, name), lambda: self._celery.send_task(RERANK, [name]), RERANK_SECONDS)

    def ranks_again(self, review_id: ReviewId, at: datetime) -> None:
        """A ranking is not made before `at`; whatever is stale by then has waited for it."""
        name = str(review_id)
        # A little later: a worker whose clock is behind would find that it is not yet time.
        wait = max(0.0, (at - datetime.now(UTC)).total_seconds()) + _CLOCKS_DIFFER_SECONDS
        self._put(
            (RERANK, f"{name} again"),
            lambda: self._celery.send_task(RERANK, [name], countdown=wait),
        )

    def large_changed(self) -> None:
        """A large review's ranking is stale. Which one is ranked next, the database says."""
        self._put((RERANK_LARGE, ""), lambda: self._celery.send_task(RERANK_LARGE))

    def progress(
        self, review_id: ReviewId, type: str, data: Mapping[str, object], *, about: str
    ) -> None:
        """Send the progress of the work `about` to the review's followers; a few times a second.

        A message in which nothing but the numbers differ from the one before may be left out.
        """
        words = {name: value for name, value in data.items() if not isinstance(value, int)}
        before, at = self._last_progress.get(about, ({}, 0.0))
        if words == before and time.monotonic() - at < PROGRESS_SECONDS:
            return
        self._last_progress = {about: (words, time.monotonic())}
        sent = {"review_id": str(review_id), "type": type, "about": about, "data": data}
        message = json.dumps(sent)
        self._put((PROGRESS, about), lambda: self._redis.publish(PROGRESS, message))

    def uploaded(self, import_id: ImportId, fence: int | None = None) -> None:
        """A file to be read; `fence`: at which the turn before has left it."""
        name = str(import_id)
        self._put(
            (IMPORT, f"{name} {fence}"), lambda: self._celery.send_task(IMPORT, [name, fence])
        )

    def to_encode(self, review_id: ReviewId, fence: int | None = None) -> None:
        """Texts without sentence vectors; `fence`: what the turn before returned."""
        name = str(review_id)
        self._put(
            (ENCODE, f"{name} {fence}"), lambda: self._celery.send_task(ENCODE, [name, fence])
        )

    def to_look_again(self, review_id: ReviewId) -> None:
        """Somebody asked which excluded records look like includes."""
        name = str(review_id)
        self._put((SECOND_LOOKS, name), lambda: self._celery.send_task(SECOND_LOOKS, [name]))

    def to_read(self, review_id: ReviewId) -> None:
        """Files of full texts wait to be read."""
        name = str(review_id)
        self._put((READ_TEXTS, name), lambda: self._celery.send_task(READ_TEXTS, [name]))

    def deleted(self, review_id: ReviewId) -> None:
        """Somebody deleted a review: its followers are disconnected, and its rows removed."""
        self.has_new_events(review_id)
        name = str(review_id)
        self._put((REMOVE_REVIEW, name), lambda: self._celery.send_task(REMOVE_REVIEW, [name]))

    def backlog(self, queue: str = QUEUE) -> int:
        """Return how many messages wait for a worker; 0 where the broker cannot be asked."""
        try:
            return int(self._redis.llen(queue))
        except (RedisError, OSError):
            return 0

    def broker_figures(self) -> BrokerFigures | None:
        """Return what monitoring asks of the broker; None where it cannot be asked."""
        try:
            waiting = {name: int(self._redis.llen(queue)) for name, queue in QUEUES.items()}
            return BrokerFigures(waiting, heartbeat.ages(self._redis))
        except (RedisError, OSError):
            return None

    def close(self) -> None:
        self._sender.close()
        self._redis.close()
        self._celery.close()

    def _put(self, key: tuple[str, str], send: Callable[[], object], every: float = 0.0) -> None:
        self._sender.put(key, send, every)
