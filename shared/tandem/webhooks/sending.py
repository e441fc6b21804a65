"""One POST to one address: no proxy, no redirect, no second look-up, within 15 seconds.

http.client, because it does nothing unasked: it reads no proxy from the environment, follows
nothing and keeps nothing open.
"""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from tandem import __version__
from tandem.webhooks import addresses
from tandem.webhooks.addresses import Destination, Resolve, Rules, UnsafeUrl

LIMIT_SECONDS = 15.0
"""For everything together: name, connection, sending, answer."""

_CONNECT_SECONDS = 5.0
_KEPT_BYTES = 1024
_KEPT_OF_ERRORS = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status with the beginning of the body, or an error instead."""

    seconds: float
    status: int | None = None
    excerpt: str = ""
    error: str | None = None

    @property
    def is_taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        return self.status == http.HTTPStatus.GONE


class _Final(http.client.HTTPResponse):
    """The answer behind those that only say that it will come (RFC 9110, 15.2)."""

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]  # not in typeshed
        # Of these, http.client passes over 100 alone: 103 would be taken for the answer.
        interim = 100 <= status < 200 and status != http.HTTPStatus.SWITCHING_PROTOCOLS
        return version, http.HTTPStatus.CONTINUE if interim else status, reason


class TooSlow(OSError):
    """The time is over."""


class Deadline:
    """An instant by which all has to be over."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._started = seconds, time.monotonic()

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._started

    def remaining(self) -> float:
        """Return the seconds left, more than 0, or raise TooSlow."""
        left = self._seconds - self.elapsed
        if left <= 0:
            raise TooSlow(f"no answer within {self._seconds:g} seconds")
        return left


def post(
    url: str,
    body: str,
    headers: Mapping[str, str],
    *,
    rules: Rules,
    resolve: Resolve = addresses.lookup,
    limit_seconds: float = LIMIT_SECONDS,
) -> Answer:
    """Send `body`; whatever goes wrong is in the answer."""
    deadline = Deadline(limit_seconds)
    try:
        destination = addresses.parse(url, rules)
        found = addresses.resolved(destination, rules, resolve=resolve, within=deadline.remaining())
        with _connection(destination, found, deadline) as connection:
            status, excerpt = _exchange(connection, destination, body, headers)
            deadline.remaining()
    except (OSError, http.client.HTTPException, UnsafeUrl, ValueError) as error:
        # ValueError: http.client lets some broken numbers of an answer through.
        return Answer(deadline.elapsed, error=_failure(error, deadline))
    return Answer(deadline.elapsed, status, excerpt)


def _exchange(
    connection: http.client.HTTPConnection,
    destination: Destination,
    body: str,
    headers: Mapping[str, str],
) -> tuple[int, str]:
    own = {
        "Content-Type": "application/cloudevents+json; charset=utf-8",
        "User-Agent": f"Tandem/{__version__}",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    connection.request("POST", destination.target, body.encode(), own | dict(headers))
    with connection.getresponse() as answer:
        return answer.status, _readable(answer.read(_KEPT_BYTES).decode(errors="replace"))


def _readable(text: str) -> str:
    """Return text that every database stores and every terminal survives."""
    return "".join(char if char.isprintable() or char in "\n\t" else "\N{REPLACEMENT CHARACTER}"
                   for char in text)  # fmt: skip


@contextmanager
def _connection(
    destination: Destination, found: Sequence[str], deadline: Deadline
) -> Iterator[http.client.HTTPConnection]:
    """Yield a connection to one of these addresses that is cut when the time is over."""
    connection = http.client.HTTPConnection(destination.host, destination.port)
    connection.default_port = addresses.PORTS[destination.scheme]  # left out of the Host header
    connection.response_class = _Final
    connection.auto_open = 0  # else it would connect by itself, to wherever the name leads then
    # A second handle on the same connection: the first is taken over by TLS.
    with _connected(found, destination.port, deadline) as plain, plain.dup() as handle:
        # Timeouts of a socket are for each step: an endpoint that drips a byte a second has many.
        cutter = threading.Timer(deadline.remaining(), _cut, [handle])
        cutter.daemon = True
        cutter.start()
        try:
            plain.settimeout(deadline.remaining())
            connection.sock = (
                _tls().wrap_socket(plain, server_hostname=destination.host)
                if destination.scheme == "https"
                else plain
            )
            yield connection
        finally:
            cutter.cancel()
            connection.close()


def _connected(found: Sequence[str], port: int, deadline: Deadline) -> socket.socket:
    failure: OSError = OSError("the name has no address")
    for address in found:
        timeout = min(_CONNECT_SECONDS, deadline.remaining())
        try:
            return socket.create_connection((address, port), timeout=timeout)
        except OSError as error:
            failure = error
    raise failure


def _cut(handle: socket.socket) -> None:
    try:
        handle.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it is closed already, which is all that was wanted


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _failure(error: Exception, deadline: Deadline) -> str:
    try:
        deadline.remaining()
    except TooSlow as late:
        return str(late)
    # What an endpoint answers instead of HTTP is in it, up to 64 KiB.
    return _readable(str(error).strip()[:_KEPT_OF_ERRORS]) or type(error).__name__
