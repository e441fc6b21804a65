"""How long a client may take, and how many connections there may be.

The server waits for nobody for ever: headers have a time limit; bodies, and answers that are read,
must move at a least rate, so that a large file over a slow line takes as long as it takes. What
happens before a request is complete is known to uvicorn's protocol alone, so this is a part of it.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from tandem.config import Settings
from tandem_api.addresses import is_trusted, source_of
from tandem_api.problems import PROBLEM

_LOOKS = 4
"""How often a connection is looked at within the shortest of its time limits."""

_DRAIN = 3
"""What is still sent after its answer is read and dropped for so many times the limit of headers,
or a client that reads nothing before it has sent all would see a broken connection."""


class Phase(Enum):
    """What a connection waits for."""

    IDLE = "the next request; uvicorn itself ends this"
    HEAD = "the headers of a request"
    BODY = "the rest of a body"
    DRAIN = "the rest of a body that was answered already"
    ANSWER = "our answer"


@dataclass(slots=True)
class Guard:
    """The limits of this process, and who is connected."""

    settings: Settings
    n_of: Counter[str] = field(default_factory=Counter)

    def source(self, host: str) -> str | None:
        """Return by what to count a client; None for a trusted proxy, which brings many people."""
        return None if is_trusted(host, self.settings.trusted_proxies) else source_of(host)

    def admits(self, new: "Guarded", connections: Iterable["Guarded"]) -> bool:
        """Whether there is room for one more; the one that has waited longest makes room."""
        most = self.settings.max_connections_per_source
        if new.source is not None and self.n_of[new.source] >= most:
            return False
        others = [one for one in connections if not one.is_stream]
        if len(others) <= self.settings.max_connections:
            return True
        waiting = [one for one in others if one is not new and one.makes_room]
        if not waiting:
            return False
        min(waiting, key=lambda one: one.began).give_up()
        return True

    @property
    def tick(self) -> float:
        limits = self.settings.request_head_seconds, self.settings.request_stall_seconds
        return min(limits) / _LOOKS


class _Metered:
    """A transport that knows how many bytes were written to it."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.n_written = 0

    def write(self, data: bytes) -> None:
        self.n_written += len(data)
        self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Guarded(H11Protocol):
    """uvicorn's protocol, with an end to everything that a client can leave half done."""

    def __init__(self, *args: Any, guard: Guard, **named: Any) -> None:
        super().__init__(*args, **named)
        self._guard = guard
        self._is_counted = False
        self._timer: asyncio.TimerHandle | None = None
        self._phase = Phase.HEAD
        self._n_received = 0
        self._window = (0.0, 0)
        self._unsent: tuple[float, int, int] | None = None
        self.source: str | None = None
        self.began = 0.0

    @property
    def is_stream(self) -> bool:
        """Whether this is an event stream: those have limits of their own."""
        cycle = self.cycle
        return cycle is not None and bool(cycle.scope["state"].get("is_stream"))

    @property
    def makes_room(self) -> bool:
        return self._now() in (Phase.IDLE, Phase.HEAD)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        metered = cast(asyncio.Transport, _Metered(transport))
        super().connection_made(metered)
        self.began = time.monotonic()
        self._window = (self.began, 0)
        self.source = self._guard.source(self.client[0] if self.client else "")
        if not self._guard.admits(self, cast("set[Guarded]", self.connections)):
            self._refuse(503, "busy", "There are too many connections. Try again later.")
            return
        if self.source is not None:
            self._guard.n_of[self.source] += 1
            self._is_counted = True
        self._timer = self.loop.call_later(self._guard.tick, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._is_counted and self.source is not None:
            self._guard.n_of[self.source] -= 1
            if not self._guard.n_of[self.source]:
                del self._guard.n_of[self.source]
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._n_received += len(data)
        before = self._now()
        super().data_received(data)
        self._note(before)

    def give_up(self) -> None:
        """End the connection at once."""
        self.transport.abort()

    def _now(self) -> Phase:
        theirs = self.conn.their_state
        if theirs is h11.IDLE:
            return Phase.HEAD if self.timeout_keep_alive_task is None else Phase.IDLE
        if theirs is h11.SEND_BODY:
            return Phase.DRAIN if self.cycle.response_complete else Phase.BODY
        return Phase.ANSWER

    def _note(self, before: Phase) -> None:
        """Begin the time of a phase when it begins, and not when it is next looked at."""
        if before is not self._phase or self._now() is not before:
            self._begin(self._now())

    def _begin(self, phase: Phase) -> None:
        self._phase, self.began = phase, time.monotonic()
        self._window = (self.began, self._n_received)

    def _look(self) -> None:
        now = time.monotonic()
        if self._now() is not self._phase:
            self._begin(self._now())
        if self._is_unread(now):
            self.give_up()
        elif self._is_late(now):
            seconds = self._guard.settings.request_head_seconds
            self._refuse(408, "request_timeout", f"The headers took longer than {seconds:g} s.")
        elif self._is_stalled(now):
            rate = self._guard.settings.request_min_rate
            self._refuse(408, "request_timeout", f"Less than {rate} bytes a second were sent.")
        else:
            self._timer = self.loop.call_later(self._guard.tick, self._look)

    def _is_late(self, now: float) -> bool:
        limit = self._guard.settings.request_head_seconds
        if self._phase is Phase.DRAIN:
            return now - self.began > _DRAIN * limit
        return self._phase is Phase.HEAD and now - self.began > limit

    def _is_stalled(self, now: float) -> bool:
        """Whether too little of a body has come, though we were reading."""
        if self._phase is not Phase.BODY:
            return False
        began, received = self._window
        if self.flow.read_paused or self.cycle.waiting_for_100_continue:
            self._window = (now, self._n_received)
        elif now - began >= self._guard.settings.request_stall_seconds:
            self._window = (now, self._n_received)
            return self._n_received - received < self._least(now - began)
        return False

    def _is_unread(self, now: float) -> bool:
        """Whether the client has read too little of what it was sent."""
        left = self.transport.get_write_buffer_size()
        written = cast(_Metered, self.transport).n_written
        if not left:
            self._unsent = None
        elif self._unsent is None:
            self._unsent = (now, left, written)
        elif now - self._unsent[0] >= self._guard.settings.request_stall_seconds:
            began, left_then, written_then = self._unsent
            self._unsent = (now, left, written)
            taken = written - written_then - (left - left_then)
            return taken < min(left_then, self._least(now - began))
        return False

    def _least(self, seconds: float) -> float:
        return seconds * self._guard.settings.request_min_rate

    def _refuse(self, status: int, code: str, detail: str) -> None:
        """Answer without the application, which sees a disconnected client."""
        begun = self.cycle is not None and not self.cycle.response_complete
        if begun and self.cycle.response_started:
            self.give_up()
            return
        title = {408: "Request Timeout", 503: "Service Unavailable"}[status]
        problem = {"type": "about:blank", "title": title, "status": status, "code": code}
        body = json.dumps(problem | {"detail": detail}).encode()
        head = (
            f"HTTP/1.1 {status} {title}\r\nContent-Type: {PROBLEM}\r\n"
            f"Content-Length: {len(body)}\r\nRetry-After: 5\r\nConnection: close\r\n\r\n"
        )
        if begun:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.write(head.encode() + body)
        self.transport.close()
        # A client that does not read this either is not waited for.
        self._timer = self.loop.call_later(self._guard.tick, self.give_up)


def guarded(settings: Settings) -> type[asyncio.Protocol]:
    """Return the protocol for uvicorn's `http`."""
    made = partial(Guarded, guard=Guard(settings))
    return cast(type[asyncio.Protocol], made)  # uvicorn only ever calls it
