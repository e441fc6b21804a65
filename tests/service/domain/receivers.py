"""Real HTTP servers on this machine, which note what they are sent and answer as the test says."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from service.domain.threads import PATIENCE

Reply = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""

OK: Reply = (204, {}, b"")


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: str

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.body)
        return event


@dataclass
class Receiver:
    """`answer` is asked for each message, in its own thread; at first it takes everything."""

    port: int = 0
    received: list[Received] = field(default_factory=list)
    answer: Callable[[Received], Reply] = lambda _: OK
    names: list[str | None] = field(default_factory=list)
    """By which names clients asked for its certificate."""
    came: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def note(self, message: Received) -> Reply:
        with self.came:
            self.received.append(message)
            self.came.notify_all()
        return self.answer(message)

    def wait_for(self, n: int, seconds: float = PATIENCE) -> None:
        """Return once `n` different messages have come, however often."""
        with self.came:
            came = self.came.wait_for(lambda: self._n_different() >= n, seconds)
        assert came, f"{self._n_different()} messages came, not {n}"

    def _n_different(self) -> int:
        return len({message.id for message in self.received})

    @property
    def sequences(self) -> list[int]:
        return [message.event["sequence"] for message in self.received]


@contextmanager
def listening(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, extra, text = receiver.note(Received(self.path, headers, body))
            self.send_response(status)
            for name, value in extra.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None: ...

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Clients that hang up early are part of these tests."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        tls.sni_callback = lambda _, name, __: receiver.names.append(name)
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def answering(raw: bytes) -> Iterator[str]:
    """Yield the URL of a server that answers one request with these very bytes, then hangs up."""

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(raw)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        thread.join(PATIENCE)
