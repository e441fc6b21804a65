"""Do clients that never finish hold up anybody, and does a slow upload still arrive?

    python benchmarks/slow_clients.py [--halves 300] [--mb 20] [--rate-mb 1]

Starts a real API process with its own settings. Half-sent bodies and half-sent headers are opened
at once; beside them run ordinary requests and one upload that is slow but moves. Fails where a
half-sent request is still open after 30 s, where a request is not answered, or the upload fails.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from tandem import migrate
from tandem.accounts import service as accounts
from tandem.db.session import Database

API = "/api/v1"
WITHIN = 30.0
BODY = (
    b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b'Content-Length: 100\r\n\r\n{"email": '
)
HEAD = b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nX-More: "


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--halves", type=int, default=300, help="of each kind")
    parser.add_argument("--mb", type=int, default=20)
    parser.add_argument("--rate-mb", type=float, default=1.0, help="of the upload, a second")
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(_run(Path(folder), said.halves, said.mb, said.rate_mb))


def _run(folder: Path, halves: int, mb: int, rate_mb: float) -> int:
    url = f"sqlite:///{folder}/tandem.sqlite3"
    migrate.upgrade(url)
    database = Database(url)
    with database.write.begin() as session:
        user = accounts.add_user(
            session, email="you@example.org", name="You", password=None, is_admin=True
        )
        _, token = accounts.add_token(session, user_id=user.id, name="benchmark", expires_at=None)
    database.close()
    port = _free_port()
    env = os.environ | {
        "TANDEM_DATA_DIR": str(folder),
        "TANDEM_DATABASE_URL": url,
        "TANDEM_PORT": str(port),
        "TANDEM_LOG_LEVEL": "error",
    }
    with subprocess.Popen([sys.executable, "-m", "tandem_api"], env=env) as process:
        try:
            base = f"http://127.0.0.1:{port}"
            _wait_for(base)
            with httpx.Client(
                base_url=base + API, headers={"Authorization": f"Bearer {token}"}, timeout=60
            ) as client:
                return _measure(client, port, halves, mb, rate_mb)
        finally:
            process.terminate()


def _measure(client: httpx.Client, port: int, halves: int, mb: int, rate_mb: float) -> int:
    quiet = [_ask(client) for _ in range(50)]
    review = client.post("/reviews", json={"title": "Slow"}).json()["id"]
    uploaded: list[tuple[int, float]] = []
    upload = threading.Thread(
        target=lambda: uploaded.append(_upload(client, review, mb, rate_mb)), daemon=True
    )
    upload.start()
    opened = {
        "half-sent bodies": [_open(port, BODY) for _ in range(halves)],
        "half-sent headers": [_open(port, HEAD) for _ in range(halves)],
    }
    began = time.monotonic()
    gone: dict[str, float] = {}
    busy: list[float] = []
    while len(gone) < len(opened) and time.monotonic() - began < 2 * WITHIN:
        busy.append(_ask(client))
        for kind, sockets in opened.items():
            if kind not in gone and all(map(_is_gone, sockets)):
                gone[kind] = time.monotonic() - began
        time.sleep(0.05)
    upload.join()
    return _table(opened, gone, quiet, busy, uploaded[0], mb)


def _table(
    opened: dict[str, list[socket.socket]],
    gone: dict[str, float],
    quiet: list[float],
    busy: list[float],
    uploaded: tuple[int, float],
    mb: int,
) -> int:
    failed = False
    for kind, sockets in opened.items():
        last = gone.get(kind)
        failed |= last is None or last > WITHIN
        shown = "still open" if last is None else f"all gone after {last:.1f} s"
        print(f"{len(sockets)} {kind}: {shown} (limit {WITHIN:.0f} s)")
    for name, times in (("before", quiet), ("beside them", busy)):
        cut = statistics.quantiles(times, n=20)
        print(f"GET /me {name}: n={len(times)} median {1000 * cut[9]:.1f} ms, p95 "
              f"{1000 * cut[18]:.1f} ms")  # fmt: skip
    status, seconds = uploaded
    failed |= status != 202
    print(f"upload of {mb} MB: {status} after {seconds:.1f} s ({mb / seconds:.2f} MB/s)")
    return int(failed)


def _ask(client: httpx.Client) -> float:
    began = time.perf_counter()
    client.get("/me").raise_for_status()
    return time.perf_counter() - began


def _upload(client: httpx.Client, review: str, mb: int, rate_mb: float) -> tuple[int, float]:
    record = b"TY  - JOUR\r\nTI  - A study of slow lines\r\nER  - \r\n\r\n"
    text = record * (mb * 1_000_000 // len(record))
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="slow.ris"\r\n\r\n'
    form = head + text + b"\r\n--b--\r\n"
    piece = int(rate_mb * 1_000_000 / 10)

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(form), piece):
            yield form[start : start + piece]
            time.sleep(0.1)

    began = time.monotonic()
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = client.post(f"/reviews/{review}/imports", content=pieces(), headers=headers)
    return answer.status_code, time.monotonic() - began


def _open(port: int, half: bytes) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port))
    made.sendall(half)
    made.setblocking(False)
    return made


def _is_gone(connection: socket.socket) -> bool:
    try:
        while connection.recv(4096):
            pass
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(base: str) -> None:
    give_up_at = time.monotonic() + 60
    while True:
        try:
            httpx.get(f"{base}/healthz", timeout=5).raise_for_status()
        except httpx.HTTPError:
            if time.monotonic() > give_up_at:
                raise
            time.sleep(0.1)
        else:
            return


if __name__ == "__main__":
    main()
