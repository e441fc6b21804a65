"""A receiver of webhooks that fails at times, in every way that receivers do.

Run as a program of its own: `python receiving.py PORT FILE SEED`. The webhook's secret is the
first line of its standard input; the line `calm` ends its failures. Each attempt is a line of
FILE, which is also its memory: it fails an event only the first time that it comes, because the
second retry is made five minutes later.
"""

import json
import os
import random
import signal
import sys
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

FAULTS = ("refuses", "takes it and refuses", "hangs up", "dies", "is silent")
_QUIET_SECONDS = 12.0
"""Between two failures: the retry after 5 s is over by then, the one after a silence not yet."""
_SILENT_SECONDS = 16.0
"""More than the 15 s that a delivery may take."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One message. `at` is the monotonic moment, `taken` whether the receiver worked on it."""

    id: str
    sequence: int
    type: str
    at: float
    taken: bool
    valid: bool
    fault: str


class Memory:
    """Every attempt so far, in a file that survives its writer."""

    def __init__(self, file: Path, dice: random.Random) -> None:
        earlier = attempts_in(file) if file.exists() else []
        self._known = {attempt.id for attempt in earlier}
        self._n_faults = sum(attempt.fault != "" for attempt in earlier)
        self._quiet_until = time.monotonic() + _QUIET_SECONDS / 2
        self._order = [fault for _ in range(20) for fault in dice.sample(FAULTS, len(FAULTS))]
        # Unbuffered: what is written is the system's, whatever becomes of this process.
        self._file = file.open("ab", buffering=0)
        self._guard = threading.Lock()
        self.is_calm = False

    def note(self, event: dict[str, Any], *, valid: bool) -> str:
        """Note an attempt, and return the way in which it has to fail, if any."""
        with self._guard:
            fault = self._fault(event["id"])
            taken = valid and fault not in ("refuses", "hangs up")
            attempt = {
                "id": event["id"],
                "sequence": event["sequence"],
                "type": event["type"],
                "at": time.monotonic(),
                "taken": taken,
                "valid": valid,
                "fault": fault,
            }
            self._file.write(json.dumps(attempt).encode() + b"\n")
            return fault

    def _fault(self, id: str) -> str:
        is_new = id not in self._known
        self._known.add(id)
        if self.is_calm or not is_new or time.monotonic() < self._quiet_until:
            return ""
        fault = self._order[self._n_faults % len(self._order)]
        self._n_faults += 1
        self._quiet_until = time.monotonic() + _QUIET_SECONDS
        return fault


def attempts_in(file: Path) -> list[Attempt]:
    return [Attempt(**json.loads(line)) for line in file.read_text().splitlines()]


def serve(port: int, memory: Memory) -> None:
    secret, knows_secret = "", threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            knows_secret.wait()
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            valid = _is_valid(secret, body, headers)
            fault = memory.note(json.loads(body), valid=valid)
            if fault == "dies":
                os.kill(os.getpid(), signal.SIGKILL)
            if fault == "is silent":
                time.sleep(_SILENT_SECONDS)
            if fault in ("hangs up", "is silent"):
                self.close_connection = True
                return
            self.send_response(500 if fault else 204 if valid else 400)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    # It listens before it has read anything: a client that comes now waits, and is not refused.
    server = Server(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for line in sys.stdin:  # ends with the benchmark
        if line.strip() == "calm":
            memory.is_calm = True
        else:
            secret = line.strip()
            knows_secret.set()


def _is_valid(secret: str, body: bytes, headers: dict[str, str]) -> bool:
    from standardwebhooks import Webhook, WebhookVerificationError

    try:
        Webhook(secret).verify(body, headers)
    except WebhookVerificationError:
        return False
    return bool(json.loads(body)["id"] == headers["webhook-id"])


if __name__ == "__main__":
    serve(
        int(sys.argv[1]), Memory(Path(sys.argv[2]), random.Random(f"{sys.argv[3]} {sys.argv[1]}"))
    )
