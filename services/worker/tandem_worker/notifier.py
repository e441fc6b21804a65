"""Wakes threads of this process when some review's log has grown."""

import threading

from redis import Redis
from redis.client import PubSub
from redis.exceptions import RedisError

from tandem.log import logger
from tandem.tasks import NOTIFIER

_LISTEN_SECONDS = 1.0

_log = logger(__name__)


class Notifier:
    """Wakes all who wait when any review's log has grown.

    While the broker is down it is silent: consumers that wait for it also look now and then.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._flags: list[threading.Event] = []
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="notifier", daemon=True)

    def flag(self) -> threading.Event:
        """Return a flag; its consumer clears it before looking for new events."""
        made = threading.Event()
        self._flags.append(made)
        return made

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._thread.join(timeout=2 * _LISTEN_SECONDS)

    def wake(self) -> None:
        for flag in self._flags:
            flag.set()

    def _run(self) -> None:
        was_heard = True
        while not self._closing.is_set():
            try:
                with self._channel() as channel:
                    channel.subscribe(NOTIFIER)
                    self.wake()  # for what came while nobody listened
                    was_heard = True
                    while not self._closing.is_set():
                        if channel.get_message(timeout=_LISTEN_SECONDS) is not None:
                            self.wake()
            except (RedisError, OSError) as error:
                if was_heard:
                    _log.warning("notifier not reachable; looking instead", error=str(error))
                was_heard = False
                self._closing.wait(_LISTEN_SECONDS)

    def _channel(self) -> PubSub:
        made: PubSub = self._redis.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
        return made
