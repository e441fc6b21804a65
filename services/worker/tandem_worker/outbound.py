"""What brings the event logs out of the house unasked: the stream's publisher, the webhooks.

All that they do stands in the database: what is killed here is gone on with by whichever relay
looks next.
"""

import queue
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from functools import partial

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from tandem.config import Settings
from tandem.db.base import now
from tandem.db.session import Database
from tandem.events.stream import Publisher
from tandem.ids import ReviewId, WebhookId
from tandem.log import logger
from tandem.webhooks import delivery, sending, signing
from tandem.webhooks.addresses import Rules
from tandem.webhooks.delivery import Held
from tandem.webhooks.sending import Answer
from tandem_worker.notifier import Notifier

TURN_SECONDS = 20.0
"""After so long a webhook with a long backlog stands behind the others."""

SLOW_SECONDS = 2.0
"""An endpoint whose last answer took longer gets no more than half of the threads."""

GAP_SECONDS = 0.5
"""From begin to begin of two looks. A look costs the same for one event as for a hundred."""

_MOST_DUE = 1000
_LOOP_ENDS_WITHIN, _DELIVERIES_END_WITHIN = 2.0, 4.0
"""Together less than the ten seconds after which `tandem up` and Docker kill."""

_log = logger(__name__)

Send = Callable[[Held], Answer]


def send_signed(held: Held, *, rules: Rules) -> Answer:
    """Send what is held, signed at this moment."""
    headers = signing.headers(held.body, event_id=held.event_id, at=now(), keys=held.secrets)
    return sending.post(held.url, held.body, headers, rules=rules)


class Loop:
    """A thread that does `work` when it is woken, and every so many seconds anyway.

    It begins no more often than every `gap` seconds: what rings meanwhile is done in one.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], object],
        *,
        wake: threading.Event,
        every: float,
        gap: float = GAP_SECONDS,
    ) -> None:
        self._work, self._wake, self._every, self._gap = work, wake, every, gap
        self._stopping = threading.Event()
        self._is_failing = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def stop(self, *, within: float) -> None:
        self._stopping.set()
        self._wake.set()
        self._thread.join(within)

    def _run(self) -> None:
        while not self._stopping.is_set():
            # Cleared before looking: what comes after the look rings again.
            self._wake.clear()
            began = time.monotonic()
            self._try()
            # After a failure being woken is no reason to try again at once.
            (self._stopping if self._is_failing else self._wake).wait(self._every)
            self._stopping.wait(max(0.0, began + self._gap - time.monotonic()))

    def _try(self) -> None:
        try:
            self._work()
        except (SQLAlchemyError, RedisError, OSError) as error:
            if not self._is_failing:  # once for an outage
                _log.error(f"{self._thread.name} failed; trying again", error=str(error))
            self._is_failing = True
        except Exception:
            # A thread that ends would silently take a way out with it.
            _log.error(f"{self._thread.name} failed", exception=traceback.format_exc())
            self._is_failing = True
        else:
            self._is_failing = False


class Deliverers:
    """Threads that send to webhooks: each webhook has one of them at a time."""

    def __init__(
        self,
        database: Database,
        send: Send,
        *,
        threads: int,
        again: Callable[[], object],
    ) -> None:
        """Start the threads.

        Args:
            database: What is due, and what came of it.
            send: Sends one message, in at most `sending.LIMIT_SECONDS`.
            threads: So many messages under way at a time.
            again: Called when there may be more to do at once.
        """
        self._database, self._send, self._again = database, send, again
        self._waiting: queue.SimpleQueue[WebhookId | None] = queue.SimpleQueue()
        # Else as many slow endpoints as there are threads, and one review may have more, would
        # have every other one wait for as long as a turn lasts.
        self._slow_waiting = self._waiting if threads == 1 else queue.SimpleQueue()
        self._slow: set[WebhookId] = set()
        self._taken: set[WebhookId] = set()
        self._abandoned: Mapping[WebhookId, ReviewId] = {}
        self._guard = threading.Lock()
        self._stopping = False
        self._threads = [
            threading.Thread(
                target=self._run,
                args=(self._slow_waiting if i < threads // 2 else self._waiting,),
                name=f"webhooks-{i}",
                daemon=True,
            )
            for i in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def look(self) -> int:
        """Hand out what is due; return how many webhooks that are."""
        with self._database.glance() as session:
            if not delivery.is_used(session):
                return 0
            due = delivery.due(session, limit=_MOST_DUE)
            abandoned = {
                webhook_id: review_id for review_id, webhook_id in delivery.abandoned(session)
            }
        with self._guard:
            self._abandoned = abandoned
            new = [each for each in (*due, *abandoned) if each not in self._taken]
            self._taken.update(new)
        for webhook_id in new:
            (self._slow_waiting if webhook_id in self._slow else self._waiting).put(webhook_id)
        return len(new)

    def stop(self, *, within: float) -> None:
        """End after the messages that are under way, or leave them where they are.

        Those are sent again by the next process after their claim has expired.
        """
        self._stopping = True
        for _ in self._threads:
            self._waiting.put(None)
            self._slow_waiting.put(None)
        give_up_at = time.monotonic() + within
        for thread in self._threads:
            thread.join(max(0.0, give_up_at - time.monotonic()))

    def _run(self, waiting: "queue.SimpleQueue[WebhookId | None]") -> None:
        while (webhook_id := waiting.get()) is not None:
            if self._stopping:
                continue
            if self._try(webhook_id):
                # Its turn may have ended before its backlog, or with an event of its own.
                self._again()

    def _try(self, webhook_id: WebhookId) -> bool:
        try:
            self._serve(webhook_id)
        except (SQLAlchemyError, OSError) as error:
            _log.error("delivery failed; trying again", error=str(error))
        except Exception:
            # The claim stays taken until it runs out: what cannot be sent is not sent in a
            # circle, and the other webhooks keep this thread.
            _log.error("delivery failed", exception=traceback.format_exc())
        else:
            return True
        finally:
            with self._guard:
                self._taken.discard(webhook_id)
        return False

    def _serve(self, webhook_id: WebhookId) -> None:
        # Here, not where all are handed out: it waits for its review, which may be long at work.
        if (review_id := self._abandoned.get(webhook_id)) is not None:
            delivery.switch_off_abandoned(self._database, review_id, webhook_id)
            return
        turn_ends = time.monotonic() + TURN_SECONDS
        held = delivery.claim(self._database, webhook_id)
        while held is not None:
            answer = self._send(held)
            is_slow, was_slow = answer.seconds > SLOW_SECONDS, webhook_id in self._slow
            (self._slow.add if is_slow else self._slow.discard)(webhook_id)
            go_on = not self._stopping and time.monotonic() < turn_ends and is_slow <= was_slow
            held = delivery.settle(self._database, held, answer, go_on=go_on)


class WaysOut:
    """Everything of this module, running: on the notifier, and every `sweep_seconds`."""

    def __init__(self, config: Settings, database: Database) -> None:
        self._redis = Redis.from_url(
            config.resolved_redis_url(), socket_connect_timeout=2, socket_timeout=5
        )
        self._notifier = Notifier(self._redis)
        self._publishing, self._delivering = self._notifier.flag(), self._notifier.flag()
        rules = Rules(
            allow_private=config.webhooks_allow_private, allow_http=config.webhooks_allow_http
        )
        self._deliverers = Deliverers(
            database,
            partial(send_signed, rules=rules),
            threads=config.webhook_threads,
            again=self._notifier.wake,
        )
        publisher = Publisher(database, self._redis, maxlen=config.stream_maxlen)
        every = config.sweep_seconds
        self._loops = [
            Loop("publisher", publisher.publish, wake=self._publishing, every=every),
            Loop("webhooks", self._deliverers.look, wake=self._delivering, every=every),
        ]
        self._notifier.start()

    def close(self) -> None:
        """End within seconds; what is under way then is done again by another relay."""
        for loop in self._loops:
            loop.stop(within=_LOOP_ENDS_WITHIN)
        self._deliverers.stop(within=_DELIVERIES_END_WITHIN)
        self._notifier.close()
        self._redis.close()
