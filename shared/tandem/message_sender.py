"""Sends messages to the broker in a thread of its own, the same one no more often than needed."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from tandem.log import logger

_END_SECONDS = 5.0

Key = tuple[str, str]
"""What a message is about: its kind, and of what."""

_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class _Message:
    """`at`: not to be sent before, on the monotonic clock; `every`: as `put` has it."""

    send: Callable[[], object]
    at: float
    every: float


class MessageSender:
    """Many messages about one thing become one while an earlier one is still to be sent.

    Nobody waits for it. What cannot be sent is lost, and says so once for each outage.
    """

    def __init__(self, *, unreachable: tuple[type[Exception], ...]) -> None:
        """Start the thread; `unreachable`: what sending raises while the broker is away."""
        self._unreachable = unreachable
        self._waiting: dict[Key, _Message] = {}
        self._free_at: dict[Key, float] = {}
        self._changed = threading.Condition()
        self._looks_at = inf
        self._closing = False
        self._is_down = False
        self._thread = threading.Thread(target=self._run, name="task_signals", daemon=True)
        self._thread.start()

    def put(self, key: Key, send: Callable[[], object], every: float = 0.0) -> None:
        """Send a message soon, in place of one about the same that still waits.

        Args:
            key: What it is about.
            send: Sends it.
            every: Seconds that pass before another one about the same is sent. That one is sent
                then, so what was put last is always sent.
        """
        with self._changed:
            at = self._free_at.get(key, 0.0)
            self._waiting[key] = _Message(send, at, every)
            if at < self._looks_at:
                self._changed.notify()

    def close(self) -> None:
        """Send at once what still waits, and end."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout=_END_SECONDS)

    def _run(self) -> None:
        while due := self._next():
            for message in due:
                self._try(message.send)

    def _next(self) -> list[_Message]:
        """Wait until something is to be sent, and take it; nothing, when all is sent at the end."""
        with self._changed:
            while True:
                now = time.monotonic()
                due = {
                    key: message
                    for key, message in self._waiting.items()
                    if message.at <= now or self._closing
                }
                if due or self._closing:
                    break
                first = min((message.at for message in self._waiting.values()), default=None)
                self._looks_at = inf if first is None else first
                self._changed.wait(None if first is None else first - now)
                self._looks_at = -inf
            for key, message in due.items():
                del self._waiting[key]
                if message.every:
                    self._free_at[key] = now + message.every
            self._free_at = {key: at for key, at in self._free_at.items() if at > now}
            return list(due.values())

    def _try(self, send: Callable[[], object]) -> None:
        try:
            send()
        except self._unreachable as error:
            if not self._is_down:
                _log.warning("broker not reachable; the relay will catch up", error=str(error))
            self._is_down = True
        except Exception:
            # Else the thread would end, and no message be sent until the process begins again.
            _log.exception("a message could not be sent")
        else:
            self._is_down = False
